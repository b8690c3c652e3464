"""The graph each model family makes of the settings.

Graphs are those that a real ComfyUI 0.28.0 accepted. To add a family: one function
from settings to graph under `@builds(Family.…)`, and its line in `families.DEFAULTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from influencer.clients.comfyui import families
from influencer.clients.comfyui.families import Family
from influencer.clients.comfyui.settings import GenerationSettings, ModelKind, Parts, faults
from influencer.clients.comfyui.values import Graph
from influencer.errors import Invalid

Link = list[Any]


Builder = Callable[[GenerationSettings], Graph]
_builders: dict[Family, Builder] = {}


def builds(*made: Family) -> Callable[[Builder], Builder]:
    """Register a builder for families."""

    def register(builder: Builder) -> Builder:
        _builders.update(dict.fromkeys(made, builder))
        return builder

    return register


def supported() -> frozenset[Family]:
    """The families images can be made with."""
    return frozenset(_builders)


def settings_for(family: Family, model: str, **given: Any) -> GenerationSettings:
    """Settings with the family's defaults wherever `given` has nothing or None.

    Raises `Invalid` for a family no graph is known for.
    """
    require_supported(family)
    usual = families.defaults(family, model)
    names = ("width", "height", "steps", "cfg", "sampler", "scheduler", "guidance")
    filled = {name: getattr(usual, name) for name in names}
    filled.update({name: value for name, value in given.items() if value is not None})
    return GenerationSettings(model=model, family=family, **filled)


def build(settings: GenerationSettings) -> Graph:
    """The graph in the server's API format. Raises `Invalid` with `fields`."""
    require_supported(settings.family)
    if wrong := faults(settings):
        first = next(iter(wrong.values()))[0]
        raise Invalid(first, fields=wrong)
    return _builders[settings.family](settings)


def require_supported(family: Family | None) -> None:
    """Raises `Invalid` when no image can be made with this family."""
    if family in _builders:
        return
    usable = ", ".join(sorted(known.label for known in _builders))
    what = f"{family.label} models can't be used" if family else "The family of this model is not known"
    message = f"{what} yet. Choose a model of {usable}."
    raise Invalid(message, code="family_unsupported", fields={"model": [message]})


@builds(Family.SD15, Family.SDXL)
def stable_diffusion(settings: GenerationSettings) -> Graph:
    _require_checkpoint(settings)
    model, clip, loaders = _checkpoint(settings)
    return {
        **loaders,
        "3": _text(settings.prompt, clip),
        "4": _text(settings.negative, clip),
        "5": _node("EmptyLatentImage", **_size_of(settings)),
        "6": _sampler(settings, model=model, positive=["3", 0], negative=["4", 0], latent_image=["5", 0]),
        "7": _node("VAEDecode", samples=["6", 0], vae=["1", 2]),
        "8": _save(settings, ["7", 0]),
    }


@builds(Family.FLUX1)
def flux1(settings: GenerationSettings) -> Graph:
    return _flux1_split(settings) if settings.kind is ModelKind.DIFFUSION else _flux1_checkpoint(settings)


def _flux1_checkpoint(settings: GenerationSettings) -> Graph:
    model, clip, loaders = _checkpoint(settings)
    positive, guidance = _guided(settings, ["3", 0])
    return {
        **loaders,
        "3": _text(settings.prompt, clip),
        "4": _node("ConditioningZeroOut", conditioning=["3", 0]),
        "5": _node("EmptySD3LatentImage", **_size_of(settings)),
        "6": _sampler(settings, model=model, positive=positive, negative=["4", 0], latent_image=["5", 0]),
        "7": _node("VAEDecode", samples=["6", 0], vae=["1", 2]),
        "8": _save(settings, ["7", 0]),
        **guidance,
    }


def _flux1_split(settings: GenerationSettings) -> Graph:
    first, second = _two_encoders(settings.parts)
    model, lora = _bare_lora(settings)
    positive, guidance = _guided(settings, ["5", 0])
    return {
        "1": _node("UNETLoader", unet_name=settings.model, weight_dtype="default"),
        "2": _node("DualCLIPLoader", clip_name1=first, clip_name2=second, type="flux", device="default"),
        "3": _node("VAELoader", vae_name=settings.parts.vae),
        **lora,
        "5": _text(settings.prompt, ["2", 0]),
        "6": _node("ConditioningZeroOut", conditioning=["5", 0]),
        "7": _node("EmptySD3LatentImage", **_size_of(settings)),
        **guidance,
        "10": _sampler(settings, model=model, positive=positive, negative=["6", 0], latent_image=["7", 0]),
        "11": _node("VAEDecode", samples=["10", 0], vae=["3", 0]),
        "12": _save(settings, ["11", 0]),
    }


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def _text(text: str, clip: Link) -> dict[str, Any]:
    return _node("CLIPTextEncode", text=text, clip=clip)


def _save(settings: GenerationSettings, images: Link) -> dict[str, Any]:
    return _node("SaveImage", images=images, filename_prefix=settings.prefix)


def _size_of(settings: GenerationSettings) -> dict[str, int]:
    return {"width": settings.width, "height": settings.height, "batch_size": settings.count}


def _checkpoint(settings: GenerationSettings) -> tuple[Link, Link, Graph]:
    """The loader with its LoRA: links to model and clip, and the nodes."""
    loader = {"1": _node("CheckpointLoaderSimple", ckpt_name=settings.model)}
    if not settings.lora:
        return ["1", 0], ["1", 1], loader
    strength = settings.lora_strength
    lora = _node(
        "LoraLoader",
        model=["1", 0],
        clip=["1", 1],
        lora_name=settings.lora,
        strength_model=strength,
        strength_clip=strength,
    )
    return ["2", 0], ["2", 1], {**loader, "2": lora}


def _bare_lora(settings: GenerationSettings) -> tuple[Link, Graph]:
    if not settings.lora:
        return ["1", 0], {}
    strength = settings.lora_strength
    lora = _node("LoraLoaderModelOnly", model=["1", 0], lora_name=settings.lora, strength_model=strength)
    return ["4", 0], {"4": lora}


def _guided(settings: GenerationSettings, positive: Link) -> tuple[Link, Graph]:
    if settings.guidance is None:
        return positive, {}
    return ["9", 0], {"9": _node("FluxGuidance", conditioning=positive, guidance=settings.guidance)}


def _sampler(settings: GenerationSettings, **links: Link) -> dict[str, Any]:
    return _node(
        "KSampler",
        **links,
        seed=settings.seed,
        steps=settings.steps,
        cfg=settings.cfg,
        sampler_name=settings.sampler,
        scheduler=settings.scheduler,
        denoise=1.0,
    )


def _require_checkpoint(settings: GenerationSettings) -> None:
    if settings.kind is not ModelKind.CHECKPOINT:
        message = f"A {settings.family.label} model must lie in the server's checkpoints folder."
        raise Invalid(message, code="family_unsupported", fields={"model": [message]})


def _two_encoders(parts: Parts) -> tuple[str, str]:
    if len(parts.text_encoders) != 2 or not parts.vae:
        message = (
            "FLUX.1 as a bare model needs two text encoders (clip_l and t5xxl) and the VAE ae on the server."
        )
        raise Invalid(message, code="model_incomplete", fields={"model": [message]})
    return parts.text_encoders[0], parts.text_encoders[1]
