"""The pictures of the sample characters: drawn here by the sandbox's own hand, and marked as its."""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor

from PIL.PngImagePlugin import PngInfo

from characters.images import generation, planning, services, storage
from characters.images.models import Image, new_image_id
from characters.images.storage import Making
from characters.models import Character
from characters.samples import Sample
from influencer import endpoints
from influencer.clients.comfyui import Family, GenerationSettings, Graph, build, settings_for
from influencer.sandbox import art

SIZE = (832, 1040)
# One of those the sandbox lists, so that "Again" works there.
MODEL = "sdxl_dreamshaper.safetensors"
DRAWERS = 2
# Grain hardly gets smaller at higher levels, only slower.
COMPRESSION = 1


def add_samples(character: Character, sample: Sample) -> None:
    """Give a sample character a picture of each scene, the first as its portrait.

    Draws nothing when the sandbox is off. Raises `Unavailable` for a full disk.
    """
    if not endpoints.sandbox_allowed():
        return
    plans = [_settings(character, scene) for scene in sample.scenes]
    with ThreadPoolExecutor(DRAWERS) as drawers:
        pictures = drawers.map(_picture, plans)
        made = [_store(character, plan, content) for plan, content in zip(plans, pictures, strict=True)]
    if made:
        services.use_as_portrait(made[0])


def _settings(character: Character, scene: str) -> GenerationSettings:
    """What a generation of the scene would have been asked for; the same each time."""
    words = f"{character.trigger_word}|{scene}".encode()
    return settings_for(
        Family.SDXL,
        MODEL,
        prompt=planning.final_prompt(character, scene),
        negative=character.negative_prompt,
        width=SIZE[0],
        height=SIZE[1],
        seed=int(hashlib.sha256(words).hexdigest()[:12], 16),
        prefix="influencer/sample",
    )


def _picture(settings: GenerationSettings) -> bytes:
    """The PNG as the sandbox would have answered with."""
    drawn = art.draw(art.Wish.read(settings.prompt), settings.seed, SIZE)
    file = io.BytesIO()
    art.mark(drawn).save(file, "PNG", pnginfo=_words_inside(build(settings)), compress_level=COMPRESSION)
    return file.getvalue()


def _words_inside(graph: Graph) -> PngInfo:
    words = PngInfo()
    words.add_text("prompt", json.dumps(graph))
    words.add_text("sandbox", "true")
    return words


def _store(character: Character, settings: GenerationSettings, content: bytes) -> Image:
    making = Making(sandbox=True, recipe=generation.recipe_of(settings), workflow=build(settings))
    return storage.store(new_image_id(), character_id=character.pk, content=content, making=making)
