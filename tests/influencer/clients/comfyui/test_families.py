"""Telling families apart by what a file says inside, and by its name."""

from __future__ import annotations

import pytest

from influencer.clients.comfyui import Defaults, Family, defaults, detect, supported


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sd_xl_base_1.0.safetensors", Family.SDXL),
        ("sdxl_dreamshaper.safetensors", Family.SDXL),
        ("DreamShaperXL_Turbo_v2.safetensors", Family.SDXL),
        ("ponyDiffusionV6XL.safetensors", Family.SDXL),
        ("my xl model.safetensors", Family.SDXL),
        ("people\\noobaiXL-v1.safetensors", Family.SDXL),
        ("sd_xl_refiner_1.0.safetensors", Family.SDXL_REFINER),
        ("v1-5-pruned-emaonly-fp16.safetensors", Family.SD15),
        ("tiny_sd15.safetensors", Family.SD15),
        ("sd-1.5-inpaint.ckpt", Family.SD15),
        ("dreamshaper_8.safetensors", Family.SD15),
        ("realisticVisionV60.safetensors", Family.SD15),
        ("flux1-dev-fp8.safetensors", Family.FLUX1),
        ("flux1-schnell.safetensors", Family.FLUX1),
        ("flux1-dev-kontext_fp8_scaled.safetensors", Family.FLUX_KONTEXT),
        ("flux2_dev_fp8mixed.safetensors", Family.FLUX2),
        ("flux-2-klein-4b.safetensors", Family.FLUX2),
        ("sd3.5_large_fp8_scaled.safetensors", Family.SD3),
        ("qwen_image_edit_2511_fp8mixed.safetensors", Family.QWEN_EDIT),
        ("qwen_image_2512_fp8_e4m3fn.safetensors", Family.QWEN_IMAGE),
        ("z_image_turbo_bf16.safetensors", Family.Z_IMAGE),
        ("Chroma1-HD-fp8mixed.safetensors", Family.CHROMA),
        ("chromaticPortraitXL_v2.safetensors", Family.SDXL),
        ("hidream_i1_full_fp8.safetensors", Family.HIDREAM),
        ("wan2.2_t2v_low.safetensors", Family.WAN),
        ("wanda_sdxl.safetensors", Family.SDXL),
        ("illuminati_sd15.safetensors", Family.SD15),
        ("mystery.safetensors", None),
    ],
)
def test_names(name: str, family: Family | None) -> None:
    assert detect(name) is family


@pytest.mark.parametrize(
    ("key", "value", "family"),
    [
        ("modelspec.architecture", "stable-diffusion-v1", Family.SD15),
        ("modelspec.architecture", "stable-diffusion-v1/lora", Family.SD15),
        ("modelspec.architecture", "stable-diffusion-v2-768-v", Family.SD2),
        ("modelspec.architecture", "stable-diffusion-xl-v1-base", Family.SDXL),
        ("modelspec.architecture", "stable-diffusion-xl-v1-refiner", Family.SDXL_REFINER),
        ("modelspec.architecture", "stable-diffusion-v3-medium", Family.SD3),
        ("modelspec.architecture", "stable-diffusion-3-5-large", Family.SD3),
        ("modelspec.architecture", "flux-1-dev", Family.FLUX1),
        ("modelspec.architecture", "flux-1/lora", Family.FLUX1),
        ("modelspec.architecture", "chroma", Family.CHROMA),
        ("modelspec.architecture", "lumina-2", Family.LUMINA),
        ("ss_base_model_version", "sd_v1", Family.SD15),
        ("ss_base_model_version", "sdxl_base_v1-0", Family.SDXL),
        ("ss_base_model_version", "flux1", Family.FLUX1),
    ],
)
def test_what_the_file_says_inside(key: str, value: str, family: Family) -> None:
    assert detect("mystery.safetensors", {key: value, "format": "pt"}) is family


def test_the_inside_wins_over_the_name() -> None:
    assert (
        detect("flux_style_lora.safetensors", {"modelspec.architecture": "stable-diffusion-v1"})
        is Family.SD15
    )


def test_metadata_that_says_nothing_leaves_it_to_the_name() -> None:
    assert detect("sdxl.safetensors", {"format": "pt", "modelspec.architecture": ""}) is Family.SDXL


def test_kontext_is_told_from_flux_by_name_only() -> None:
    assert detect("kontext.safetensors", {"modelspec.architecture": "flux-1-dev"}) is Family.FLUX_KONTEXT


def test_every_family_has_a_label_and_every_usable_one_defaults() -> None:
    assert all(family.label for family in Family)
    assert all(defaults(family).sizes for family in supported())


def short(made: Defaults) -> tuple[object, ...]:
    return (made.width, made.steps, made.cfg, made.sampler, made.scheduler)


@pytest.mark.parametrize(
    ("family", "name", "expected"),
    [
        (Family.SD15, "v1-5.safetensors", (512, 25, 7.0, "dpmpp_2m", "karras")),
        (Family.SDXL, "base.safetensors", (1024, 30, 7.0, "dpmpp_2m", "karras")),
        (Family.SDXL, "sdxl_lightning_4step.safetensors", (1024, 4, 1.0, "euler", "sgm_uniform")),
        (Family.SDXL, "Hyper-SDXL.safetensors", (1024, 8, 1.0, "euler", "sgm_uniform")),
        (Family.SDXL, "sd_xl_turbo_1.0.safetensors", (512, 4, 1.0, "euler_ancestral", "normal")),
        (Family.SDXL, "DreamShaperXL_Turbo.safetensors", (1024, 8, 2.0, "euler", "sgm_uniform")),
        (Family.SD15, "something_lcm.safetensors", (512, 8, 1.5, "lcm", "sgm_uniform")),
        (Family.FLUX1, "flux1-dev.safetensors", (1024, 20, 1.0, "euler", "simple")),
        (Family.FLUX1, "flux1-schnell.safetensors", (1024, 4, 1.0, "euler", "simple")),
        (Family.FLUX1, "flux1-turbo-8-steps.safetensors", (1024, 8, 1.0, "euler", "simple")),
    ],
)
def test_fast_variants_are_known_by_name(family: Family, name: str, expected: tuple[object, ...]) -> None:
    assert short(defaults(family, name)) == expected
