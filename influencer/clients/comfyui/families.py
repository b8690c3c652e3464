"""Model families: telling them apart, and the settings each was made for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Family(StrEnum):
    """Every family that can be told apart; `graphs.supported()` has those that can be used."""

    SD15 = "sd15"
    SD2 = "sd2"
    SDXL = "sdxl"
    SDXL_REFINER = "sdxl_refiner"
    SD3 = "sd3"
    FLUX1 = "flux1"
    FLUX_KONTEXT = "flux_kontext"
    FLUX2 = "flux2"
    CHROMA = "chroma"
    QWEN_IMAGE = "qwen_image"
    QWEN_EDIT = "qwen_edit"
    Z_IMAGE = "z_image"
    HIDREAM = "hidream"
    WAN = "wan"
    LUMINA = "lumina"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Family.SD15: "SD 1.5",
    Family.SD2: "SD 2",
    Family.SDXL: "SDXL",
    Family.SDXL_REFINER: "SDXL Refiner",
    Family.SD3: "SD 3",
    Family.FLUX1: "FLUX.1",
    Family.FLUX_KONTEXT: "FLUX.1 Kontext",
    Family.FLUX2: "FLUX.2",
    Family.CHROMA: "Chroma",
    Family.QWEN_IMAGE: "Qwen-Image",
    Family.QWEN_EDIT: "Qwen-Image-Edit",
    Family.Z_IMAGE: "Z-Image",
    Family.HIDREAM: "HiDream",
    Family.WAN: "Wan",
    Family.LUMINA: "Lumina",
}

# The first hit counts, so the special ones stand before the general ones.
NAMES: tuple[tuple[str, Family], ...] = (
    (r"flux[-_. ]?2|klein", Family.FLUX2),
    (r"kontext", Family.FLUX_KONTEXT),
    (r"flux|schnell|krea-dev", Family.FLUX1),
    (r"(?<![a-z])chroma(?!t)", Family.CHROMA),
    (r"sd[-_.]?3(\.5)?|sd35|stable.?diffusion.?3", Family.SD3),
    (r"qwen.*edit", Family.QWEN_EDIT),
    (r"qwen", Family.QWEN_IMAGE),
    (r"z[-_]?image", Family.Z_IMAGE),
    (r"hidream", Family.HIDREAM),
    (r"(?<![a-z])wan([-_. ]?2|(?![a-z]))", Family.WAN),
    (r"(?<![a-z])(lumina|neta)", Family.LUMINA),
    (r"refiner", Family.SDXL_REFINER),
    (r"pony|illustrious|noob|sdxl|sd_?xl|\bxl\b|xl[-_.]", Family.SDXL),
    (r"v1[-_]5|sd[-_.]?1[.5]?5|sd15|v1\.5|realisticvision|dreamshaper_8|absolutereality", Family.SD15),
)
# Values of modelspec.architecture and of kohya's ss_base_model_version.
ARCHITECTURES: tuple[tuple[str, Family], ...] = (
    (r"stable-diffusion-xl-v1-refiner", Family.SDXL_REFINER),
    (r"stable-diffusion-xl|sdxl", Family.SDXL),
    (r"stable-diffusion-v1|sd_v1", Family.SD15),
    (r"stable-diffusion-v2|sd_v2", Family.SD2),
    (r"stable-diffusion-(v)?3|sd3", Family.SD3),
    (r"flux-?2", Family.FLUX2),
    (r"flux-?1", Family.FLUX1),
    (r"chroma", Family.CHROMA),
    (r"lumina-?2", Family.LUMINA),
    (r"qwen-?image-?edit", Family.QWEN_EDIT),
    (r"qwen-?image", Family.QWEN_IMAGE),
)
METADATA_KEYS = ("modelspec.architecture", "ss_base_model_version")


def detect(name: str, metadata: Mapping[str, object] | None = None) -> Family | None:
    """The family of a model or LoRA file: by what it says inside, else by its name.

    None when neither tells; then the person has to say.
    """
    by_name = _first(NAMES, name.replace("\\", "/"))
    for key in METADATA_KEYS:
        inside = _first(ARCHITECTURES, str((metadata or {}).get(key) or ""))
        if inside is Family.FLUX1 and by_name is Family.FLUX_KONTEXT:
            return by_name
        if inside is not None:
            return inside
    return by_name


def _first(patterns: tuple[tuple[str, Family], ...], text: str) -> Family | None:
    return next((family for pattern, family in patterns if re.search(pattern, text, re.IGNORECASE)), None)


@dataclass(frozen=True)
class Defaults:
    """Settings a family was made for; sizes are (width, height) in pixels.

    `multiple` divides width and height; `guidance` is FLUX's own, None where there is none.
    """

    width: int
    height: int
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    sizes: tuple[tuple[int, int], ...]
    multiple: int = 8
    guidance: float | None = None
    negative: bool = True


_MEGAPIXEL = ((1024, 1024), (896, 1152), (832, 1216), (768, 1344), (640, 1536))
_MEGAPIXEL_SIZES = _MEGAPIXEL + tuple((height, width) for width, height in _MEGAPIXEL[1:])
_SD15_SIZES = ((512, 512), (512, 768), (768, 512))

DEFAULTS = {
    Family.SD15: Defaults(512, 512, 25, 7.0, "dpmpp_2m", "karras", _SD15_SIZES),
    Family.SDXL: Defaults(1024, 1024, 30, 7.0, "dpmpp_2m", "karras", _MEGAPIXEL_SIZES),
    Family.FLUX1: Defaults(
        1024, 1024, 20, 1.0, "euler", "simple", _MEGAPIXEL_SIZES, multiple=16, guidance=3.5, negative=False
    ),
}


def defaults(family: Family, name: str = "") -> Defaults:
    """The family's settings, changed for fast variants by the file's name.

    Raises `KeyError` for a family without defaults.
    """
    usual = DEFAULTS[family]
    text = name.lower()
    if family is Family.FLUX1:
        return _flux_variant(usual, text)
    if "lcm" in text:
        return replace(usual, steps=_steps_in(text, 8), cfg=1.5, sampler="lcm", scheduler="sgm_uniform")
    if re.search(r"sd_?xl_?turbo", text):
        return replace(
            usual, width=512, height=512, steps=4, cfg=1.0, sampler="euler_ancestral", scheduler="normal"
        )
    if "turbo" in text:
        return replace(usual, steps=_steps_in(text, 8), cfg=2.0, sampler="euler", scheduler="sgm_uniform")
    if re.search(r"lightning|hyper|dmd", text):
        return replace(usual, steps=_steps_in(text, 8), cfg=1.0, sampler="euler", scheduler="sgm_uniform")
    return usual


def _flux_variant(usual: Defaults, text: str) -> Defaults:
    if "schnell" in text:
        return replace(usual, steps=4, guidance=None)
    if re.search(r"turbo|hyper|lightning", text):
        return replace(usual, steps=_steps_in(text, 8))
    return usual


def _steps_in(text: str, otherwise: int) -> int:
    """The step count a fast model's name often carries ("4step")."""
    found = re.search(r"(\d{1,2})[-_ ]?steps?", text)
    return min(max(int(found[1]), 1), 16) if found else otherwise
