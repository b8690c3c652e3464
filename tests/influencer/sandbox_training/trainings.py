"""A small data set and the graph that trains on it, as a real ComfyUI took them."""

from __future__ import annotations

import io
import re
from typing import Any

from PIL import Image

from tests.influencer.sandbox.bench import Comfy, Graph, node

FOLDER = "trainsets/nina-20261123-ab12cd"
LOSS = re.compile(r"(\d+)/(\d+) \[.*loss=([0-9.naninf+-]+)")


def put(comfy: Comfy, name: str, content: bytes, folder: str = FOLDER) -> None:
    answer = comfy.post(
        "/upload/image",
        files={"image": (name, content)},
        data={"subfolder": folder, "type": "input", "overwrite": "true"},
    )
    assert answer.json() == {"name": name, "subfolder": folder, "type": "input"}


def put_data_set(comfy: Comfy, count: int = 5, folder: str = FOLDER) -> None:
    for number in range(count):
        file = io.BytesIO()
        Image.new("RGB", (64, 64), (number * 20, 90, 120)).save(file, "PNG")
        put(comfy, f"{number:03}.png", file.getvalue(), folder)
        put(comfy, f"{number:03}.txt", f"ninatok woman {number}".encode(), folder)


def graph(
    *, steps: int = 20, prefix: str = "loras/nina_ab12cd34", folder: str = FOLDER, **more: Any
) -> Graph:
    training = {
        "batch_size": 1,
        "grad_accumulation_steps": 1,
        "steps": steps,
        "learning_rate": 0.0005,
        "rank": 16,
        "optimizer": "AdamW",
        "loss_function": "MSE",
        "seed": 1,
        "training_dtype": "bf16",
        "lora_dtype": "bf16",
        "quantized_backward": False,
        "algorithm": "LoRA",
        "gradient_checkpointing": True,
        "checkpoint_depth": 1,
        "offloading": False,
        "existing_lora": "[None]",
        "bucket_mode": False,
        "bypass_mode": False,
        **more,
    }
    links = {"model": ["1", 0], "latents": ["3", 0], "positive": ["3", 1]}
    return {
        "1": node("CheckpointLoaderSimple", ckpt_name="sdxl_dreamshaper.safetensors"),
        "2": node("LoadImageTextDataSetFromFolder", folder=folder),
        "3": node("MakeTrainingDataset", images=["2", 0], texts=["2", 1], vae=["1", 2], clip=["1", 1]),
        "4": node("TrainLoraNode", **links, **training),
        "5": node("SaveLoRA", lora=["4", 0], prefix=prefix, steps=["4", 2]),
    }


def losses(lines: list[str]) -> list[float]:
    return [float(found[3]) for line in lines if (found := LOSS.search(line))]


def error_of(entry: dict[str, Any]) -> dict[str, Any]:
    return dict(dict(entry["status"]["messages"])["execution_error"])
