"""The sample characters' pictures: drawn here, marked as the sandbox's, with a recipe to make them again."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import pytest
from PIL import Image as Picture

from characters.images import samples, services, storage
from characters.images.models import Image, SandboxPixels, Source
from characters.models import Character
from characters.samples import KAI, LUNA, Sample
from tests.characters.people import someone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SIZE", (64, 80))


def pictured(sample: Sample = LUNA) -> Character:
    character = someone(**sample.fields)
    samples.add_samples(character, sample)
    return Character.objects.get(pk=character.pk)


def in_order(character: Character) -> list[Image]:
    return list(Image.objects.filter(character_id=character.pk).order_by("pk"))


def test_every_scene_is_drawn_and_the_first_is_the_portrait() -> None:
    luna = pictured()
    images = list(services.gallery(luna.pk))
    assert len(images) == len(LUNA.scenes)
    portrait = services.get(luna.avatar_image_id)
    assert LUNA.scenes[0] in portrait.prompt


def test_they_are_marked_as_the_sandboxs_down_to_the_pixels() -> None:
    for image in in_order(pictured()):
        assert image.sandbox
        assert storage.is_sandbox(image)
        assert SandboxPixels.objects.filter(pk=image.pixel_hash).exists()
        with Picture.open(io.BytesIO(image.path.read_bytes())) as picture:
            assert picture.info["sandbox"] == "true"


def test_they_carry_the_recipe_of_a_generated_image() -> None:
    image = in_order(pictured())[0]
    assert image.source == Source.GENERATED
    assert image.prompt.count("luna_character") == 1
    assert image.recipe["negative"] == LUNA.fields["negative_prompt"]
    assert (image.model, image.seed) == (image.recipe["model"], image.recipe["seed"])
    sidecar = json.loads(image.sidecar_path.read_bytes())
    assert sidecar["workflow"]
    assert services.wish_like(image, keep_seed=True).seed == image.seed


def test_the_same_sample_is_always_the_same_picture() -> None:
    first, second = ([image.pixel_hash for image in in_order(pictured(KAI))] for _ in range(2))
    assert sorted(first) == sorted(second)
    assert len(set(first)) == len(KAI.scenes)


def test_with_the_sandbox_off_nothing_is_drawn(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="off")
    luna = pictured()
    assert not Image.objects.exists()
    assert luna.avatar_image_id == ""


def test_at_full_size_they_have_the_shape_of_a_post(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    luna = someone(**LUNA.fields)
    samples.add_samples(luna, dataclasses.replace(LUNA, scenes=LUNA.scenes[:1]))
    image = Image.objects.get()
    assert (image.width, image.height) == (832, 1040)
