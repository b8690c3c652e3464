"""From a wish to settings: what the character brings, what the server has, what its family needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from characters import catalog
from characters.catalog import Catalog
from characters.models import Character
from influencer import endpoints
from influencer.clients.comfyui import (
    ComfyUI,
    Defaults,
    Family,
    GenerationSettings,
    ModelKind,
    compose,
    defaults,
    require_supported,
    settings_for,
)
from influencer.clients.errors import ServiceError
from influencer.endpoints import Endpoint
from influencer.errors import Problem

SHAPES = {"4:5": Fraction(4, 5), "1:1": Fraction(1), "9:16": Fraction(9, 16), "16:9": Fraction(16, 9)}
REFRESH = "Refresh models or choose another."
LIKED = (Family.SDXL.label, Family.FLUX1.label, Family.SD15.label)


@dataclass(frozen=True)
class Wish:
    """What is asked for one generation. None means the character's own, else the family's.

    `final_prompt` is used as it is; `prompt` is joined to the character's base prompt, style
    and mood. `lora` "" means none. `shape` is one of `SHAPES` and yields to width and height.
    `from_prompt` is the id of the library's prompt it is made from.
    """

    prompt: str = ""
    final_prompt: str = ""
    negative_prompt: str | None = None
    model: str | None = None
    lora: str | None = None
    lora_strength: float | None = None
    width: int | None = None
    height: int | None = None
    shape: str = ""
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    seed: int | None = None
    count: int = 1
    from_prompt: str = ""


@dataclass(frozen=True)
class Place:
    """Where a job's images are made: the server by its shown address, the model, its family."""

    server: str
    sandbox: bool
    model: str
    family: str
    kind: str


def final_prompt(character: Character, prompt: str = "") -> str:
    """The whole prompt of a character, with the trigger word exactly once."""
    return compose(
        character.base_prompt,
        prompt,
        style=character.style,
        mood=character.mood,
        trigger_word=character.trigger_word,
    )


def request_of(character: Character, wish: Wish) -> dict[str, Any]:
    """The job's request: the wish with everything the character brings filled in."""

    def own(name: str) -> Any:
        given = getattr(wish, name)
        return given if given is not None else (getattr(character, name) or None)

    sized = wish.width or wish.height or not wish.shape
    return {
        "prompt": wish.final_prompt or final_prompt(character, wish.prompt),
        "negative": own("negative_prompt") or "",
        "model": wish.model or character.preferred_model,
        "lora": own("lora") or "",
        "lora_strength": own("lora_strength"),
        "width": own("width") if sized else None,
        "height": own("height") if sized else None,
        "shape": "" if sized else wish.shape,
        "steps": own("steps"),
        "cfg": own("cfg"),
        "sampler": own("sampler"),
        "scheduler": own("scheduler"),
        "seed": wish.seed,
        "count": wish.count,
        "from_prompt": wish.from_prompt,
    }


def choose(request: dict[str, Any], *, fresh: bool = False) -> Place:
    """Find a server that has the model and the LoRA, the one with the shortest queue.

    `fresh` asks every server now; otherwise what they said within the last minute will do.
    Raises `ServiceError` (`model_missing`, `lora_missing`, `unreachable`), `Invalid` for a
    family that can't be used.
    """
    listed = catalog.refresh() if fresh else _catalog_with(request["model"], request["lora"])
    name = request["model"] or _first_model(listed)
    _require(listed, name, request["lora"])
    servers = listed.servers_with(name, request["lora"])
    entry = next(model for model in listed.models if model.name == name)
    family = next((family for family in Family if family.label == entry.family), None)
    require_supported(family)
    server = servers[0] if len(servers) == 1 else min(servers, key=_queue_length)
    return Place(server, listed.sandbox, name, str(family), entry.kind)


def endpoint(place: Place) -> Endpoint:
    """The address behind a place. The sandbox may have moved to another port since."""
    places = endpoints.comfyui()
    if place.sandbox and places[0].sandbox:
        return places[0]
    for found in places:
        if catalog.shown(found.url) == place.server:
            return found
    raise ServiceError(
        f"The ComfyUI server {place.server} is not in the settings any more.",
        service="ComfyUI",
        code="server_removed",
        fix="Retry to use another server.",
        retryable=True,
    )


def settings_of(request: dict[str, Any], place: Place, client: ComfyUI) -> GenerationSettings:
    """The settings for one image, without seed and file name."""
    family = Family(place.family)
    usual = defaults(family, place.model)
    width, height = _size(request, usual)
    kind = ModelKind(place.kind)
    parts = {"parts": client.models().flux1_parts()} if kind is ModelKind.DIFFUSION else {}
    names = ("lora_strength", "steps", "cfg", "sampler", "scheduler")
    return settings_for(
        family,
        place.model,
        prompt=request["prompt"],
        negative=request["negative"],
        lora=request["lora"],
        width=width,
        height=height,
        seed=0,
        prefix="influencer",
        kind=kind,
        **parts,
        **{name: request[name] for name in names},
    )


def _size(request: dict[str, Any], usual: Defaults) -> tuple[int, int]:
    """Width and height the family can draw: what was asked, rounded to its multiple."""
    if request["shape"]:
        ratio = SHAPES[request["shape"]]
        width = round(math.sqrt(usual.width * usual.height * ratio) / 64) * 64
        return width, _rounded(width / ratio, usual.multiple)
    width, height = request["width"] or usual.width, request["height"] or usual.height
    return _rounded(width, usual.multiple), _rounded(height, usual.multiple)


def _rounded(pixels: float | Fraction, multiple: int) -> int:
    return max(64, round(float(pixels) / multiple) * multiple)


def _catalog_with(model: str, lora: str) -> Catalog:
    """The known catalogue; asked afresh when what is wanted is not in it."""
    listed, source = catalog.ask()
    wanted = model or _any_model(listed)
    if source == "live" or (wanted and listed.servers_with(wanted, lora)):
        return listed
    return catalog.refresh()


def _any_model(listed: Catalog) -> str:
    return next((model.name for model in listed.models if not model.lost), "")


def _first_model(listed: Catalog) -> str:
    """The first usable checkpoint a server that answers lists, SDXL preferred."""
    usable = [model for model in listed.models if not model.lost and model.family in LIKED]
    usable.sort(key=lambda model: (model.kind != ModelKind.CHECKPOINT, LIKED.index(model.family)))
    return usable[0].name if usable else ""


def _require(listed: Catalog, model: str, lora: str) -> None:
    answering = [server for server in listed.servers if server.ok]
    if not answering:
        raise _problem("unreachable", listed.servers[0].error, "Start ComfyUI, then retry.")
    if not model:
        raise _problem("model_missing", "No server has a model that can be used.", REFRESH)
    if not listed.servers_with(model):
        raise _problem("model_missing", f"The model '{model}' is not on any server that answers.", REFRESH)
    if lora and not listed.servers_with(model, lora):
        sentence = f"The LoRA '{lora}' is not on a server that has {model}."
        raise _problem("lora_missing", sentence, "Refresh models or choose another LoRA.")


def _problem(code: str, sentence: str, fix: str) -> ServiceError:
    silent = code == "unreachable"
    return ServiceError(sentence, service="ComfyUI", code=code, fix=fix, retryable=silent)


def _queue_length(server: str) -> int:
    place = next((found for found in endpoints.comfyui() if catalog.shown(found.url) == server), None)
    try:
        with ComfyUI(place.url, headers=place.headers) as client:  # type: ignore[union-attr]
            queue = client.queue()
    except (Problem, AttributeError):
        return 10_000
    return len(queue.running) + len(queue.pending)
