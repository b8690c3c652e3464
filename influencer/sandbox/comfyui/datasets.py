"""Data sets and LoRAs as nodes see them: folders of pictures with texts, files of numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PIL import Image

from influencer.sandbox.comfyui.folders import Folders, inside
from influencer.sandbox.comfyui.values import Latent, Loaded, Model, Words

Inputs = dict[str, Any]
Outputs = tuple[Any, ...]
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
REPEATED = re.compile(r"(\d+)_.+")
WIDTH = 8
NO_NUMBER = b"\xc0\x7f"  # as bfloat16


def load_images(inputs: Inputs, folders: Folders) -> Outputs:
    """Every picture of a data set, unsorted."""
    return (tuple(_open(path) for path in _pictures(folders, inputs["folder"])),)


def load_images_and_texts(inputs: Inputs, folders: Folders) -> Outputs:
    """The pictures, and for each the text of the same name, empty where there is none."""
    paths = _pictures(folders, inputs["folder"])
    return tuple(_open(path) for path in paths), [_caption(path) for path in paths]


def make_data_set(inputs: Inputs) -> Outputs:
    """Latents and conditionings in pairs; one text goes for all."""
    pictures, texts = inputs["images"], inputs.get("texts") or [""]
    texts = [texts] if isinstance(texts, str) else texts
    if len(texts) not in (1, len(pictures)):
        raise ValueError(
            f"Number of texts ({len(texts)}) does not match number of images ({len(pictures)}). "
            f"Text list should have length {len(pictures)}, 1, or 0."
        )
    texts = texts * len(pictures) if len(texts) == 1 else texts
    return [Latent(one.size, 1, (one,)) for one in pictures], [Words(text) for text in texts]


def use(inputs: Inputs) -> Outputs:
    """A model with a LoRA trained in the same graph."""
    model, lora = inputs["model"], inputs["lora"]
    loras = (*model.loras, lora.name) if inputs["strength_model"] else model.loras
    return (Model(model.name, loras, model.broken or lora.broken),)


def is_broken(path: Path) -> bool:
    """Whether a file written here holds no numbers; false for every other file."""
    return path.is_file() and path.read_bytes().endswith(NO_NUMBER * WIDTH)


def _pictures(folders: Folders, name: str) -> list[Path]:
    """The pictures in a folder and one level below; `3_name` below counts three times."""
    top = inside(folders.of("input"), name)
    found = _in(top)
    for folder in (path for path in top.iterdir() if path.is_dir()):
        repeated = REPEATED.fullmatch(folder.name)
        found += _in(folder) * (int(repeated[1]) if repeated else 1)
    return found


def _in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]


def _open(path: Path) -> Loaded:
    with Image.open(path) as image:
        return Loaded(path, image.size, path.stat().st_mtime_ns)


def _caption(path: Path) -> str:
    text = path.with_suffix(".txt")
    return text.read_text(encoding="utf-8").strip() if text.is_file() else ""
