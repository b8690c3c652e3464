"""What each node makes of its inputs; sampling and saving live elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PIL import Image

from influencer.sandbox.comfyui import datasets
from influencer.sandbox.comfyui.catalog import Definition
from influencer.sandbox.comfyui.folders import Folders
from influencer.sandbox.comfyui.values import (
    Flat,
    Guider,
    Inverted,
    Latent,
    Loaded,
    Model,
    Picture,
    Size,
    Words,
)

Inputs = dict[str, Any]
Outputs = tuple[Any, ...]
MEGAPIXEL = 1024 * 1024
GREY = 0x808080


def evaluate(definition: Definition, inputs: Inputs, folders: Folders) -> Outputs:
    """The outputs of one node. Raises what Pillow raises for a file that is no picture."""
    name = definition["name"]
    if name in READERS:
        return READERS[name](inputs, folders)
    handler = HANDLERS.get(name)
    return handler(inputs) if handler else pass_on(definition, inputs)


def pass_on(definition: Definition, inputs: Inputs) -> Outputs:
    """For nodes that only tune something: the n-th output of a type is the n-th input of it."""
    declared = {
        key: config for members in definition["input"].values() if members for key, config in members.items()
    }
    outputs: list[Any] = []
    for position, kind in enumerate(definition["output"]):
        nth = definition["output"][:position].count(kind)
        same = [inputs[key] for key, config in declared.items() if config[0] == kind and key in inputs]
        outputs.append(same[min(nth, len(same) - 1)] if same else None)
    return tuple(outputs)


def load_image(inputs: Inputs, folders: Folders) -> Outputs:
    path = folders.annotated(inputs["image"])
    with Image.open(path) as image:
        size = image.size
    return ((Loaded(path, size, path.stat().st_mtime_ns),), None)


def load_model(inputs: Inputs) -> Outputs:
    return (Model(inputs.get("ckpt_name") or inputs["unet_name"]), None, None)


def load_lora(inputs: Inputs, folders: Folders) -> Outputs:
    model, name = inputs["model"], inputs["lora_name"]
    if inputs["strength_model"]:
        broken = model.broken or datasets.is_broken(folders.trained_loras / name)
        model = Model(model.name, (*model.loras, name), broken)
    return (model, inputs.get("clip"))


def encode_text(inputs: Inputs) -> Outputs:
    return (Words(inputs["text"] if "text" in inputs else inputs["prompt"]),)


def empty_latent(inputs: Inputs) -> Outputs:
    return (Latent((inputs["width"], inputs["height"]), inputs.get("batch_size", 1)),)


def empty_image(inputs: Inputs) -> Outputs:
    flat = Flat(inputs["color"], (inputs["width"], inputs["height"]))
    return ((flat,) * inputs["batch_size"],)


def encode_picture(inputs: Inputs) -> Outputs:
    pictures = inputs["pixels"]
    return (Latent(pictures[0].size, len(pictures), pictures),)


def decode_picture(inputs: Inputs) -> Outputs:
    latent = inputs["samples"]
    return (latent.pictures or (Flat(GREY, latent.size),) * latent.batch,)


def scale_latent(inputs: Inputs) -> Outputs:
    latent, factor = inputs["samples"], inputs.get("scale_by")
    wished = (inputs.get("width", 0), inputs.get("height", 0))
    size = _times(latent.size, factor) if factor else _wished(latent.size, wished)
    return (latent.resized(_on_grid(size, 8)),)


def repeat_latent(inputs: Inputs) -> Outputs:
    latent, amount = inputs["samples"], inputs["amount"]
    return (Latent(latent.size, latent.batch * amount, latent.pictures * amount),)


def scale_picture(inputs: Inputs) -> Outputs:
    return (_each(inputs["image"], lambda size: _wished(size, (inputs["width"], inputs["height"]))),)


def scale_to_total(inputs: Inputs) -> Outputs:
    pixels = inputs.get("megapixels", 1.0) * MEGAPIXEL
    step = inputs.get("resolution_steps", 16)
    return (_each(inputs["image"], lambda size: _on_grid(_times(size, _factor(size, pixels)), step)),)


def invert(inputs: Inputs) -> Outputs:
    return (tuple(Inverted(picture) for picture in inputs["image"]),)


def noise(inputs: Inputs) -> Outputs:
    return (inputs["noise_seed"],)


def steps(inputs: Inputs) -> Outputs:
    return (inputs["steps"],)


def guide(inputs: Inputs) -> Outputs:
    words = inputs["positive"] if "positive" in inputs else inputs["conditioning"]
    return (Guider(inputs["model"], words),)


def _each(pictures: tuple[Picture, ...], resize: Callable[[Size], Size]) -> tuple[Picture, ...]:
    return tuple(picture.at(resize(picture.size)) for picture in pictures)


def _wished(size: Size, wished: Size) -> Size:
    """A side of 0 follows the other one."""
    width, height = wished
    if not width and not height:
        return size
    return width or max(1, round(size[0] * height / size[1])), height or max(
        1, round(size[1] * width / size[0])
    )


def _times(size: Size, factor: float) -> Size:
    return round(size[0] * factor), round(size[1] * factor)


def _factor(size: Size, pixels: float) -> float:
    return math.sqrt(pixels / (size[0] * size[1]))


def _on_grid(size: Size, step: int) -> Size:
    return max(step, round(size[0] / step) * step), max(step, round(size[1] / step) * step)


READERS: dict[str, Callable[[Inputs, Folders], Outputs]] = {
    "LoadImage": load_image,
    "LoadImageDataSetFromFolder": datasets.load_images,
    "LoadImageTextDataSetFromFolder": datasets.load_images_and_texts,
    "LoraLoader": load_lora,
    "LoraLoaderModelOnly": load_lora,
}
HANDLERS: dict[str, Callable[[Inputs], Outputs]] = {
    "BasicGuider": guide,
    "BasicScheduler": steps,
    "CFGGuider": guide,
    "CLIPTextEncode": encode_text,
    "CheckpointLoaderSimple": load_model,
    "EmptyFlux2LatentImage": empty_latent,
    "EmptyHunyuanLatentVideo": empty_latent,
    "EmptyImage": empty_image,
    "EmptyLatentImage": empty_latent,
    "EmptySD3LatentImage": empty_latent,
    "Flux2Scheduler": steps,
    "FluxKontextImageScale": scale_to_total,
    "ImageInvert": invert,
    "ImageScale": scale_picture,
    "ImageScaleToTotalPixels": scale_to_total,
    "LatentUpscale": scale_latent,
    "LatentUpscaleBy": scale_latent,
    "LoraModelLoader": datasets.use,
    "RandomNoise": noise,
    "RepeatLatentBatch": repeat_latent,
    "TextEncodeQwenImageEditPlus": encode_text,
    "UNETLoader": load_model,
    "VAEDecode": decode_picture,
    "VAEEncode": encode_picture,
    "VAEEncodeForInpaint": encode_picture,
}
