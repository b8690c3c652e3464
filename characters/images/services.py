"""What can be done with images that are there: look, upload, choose as portrait, delete."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.paginator import Paginator
from django.db.models import Count, Max
from django.http import HttpRequest

from characters.images import storage
from characters.images.models import Image, Source, new_image_id
from characters.images.planning import Wish
from characters.images.storage import Making
from characters.models import Character
from influencer.clients import picture
from influencer.errors import Invalid, NotFound, Problem
from influencer.jobs.models import OPEN, Job

SHEET = 4
PAGE_SIZE = 24
LARGEST_UPLOAD = picture.MAX_BYTES
MOST_UPLOADS = 40
MAKING_KINDS = ("generate_image",)
# By the index, a few rows of each character: a window function would read every image they have.
NEWEST_OF_EACH = """
SELECT image.* FROM json_each(%s) AS shown CROSS JOIN images_image AS image ON image.id IN (
    SELECT id FROM images_image WHERE character_id = shown.value ORDER BY created_at DESC, id DESC LIMIT %s
) ORDER BY image.created_at DESC, image.id DESC
"""


@dataclass(frozen=True)
class Sheet:
    """A character's images on a card: the portrait first, then the latest."""

    count: int
    pictures: list[Image]
    portrait: Image | None

    @property
    def holes(self) -> range:
        return range(SHEET - len(self.pictures))


def get(image_id: str, *, character_id: str = "") -> Image:
    """Raises `NotFound`, also for another character's image."""
    found = Image.objects.filter(pk=image_id)
    image = (found.filter(character_id=character_id) if character_id else found).first()
    if image is None:
        raise NotFound("There is no such image any more.")
    return image


def gallery(character_id: str) -> Any:
    """A character's images, newest first."""
    return Image.objects.filter(character_id=character_id)


def running(character_id: str) -> list[Job]:
    """The jobs that are making images for a character, newest first."""
    return list(Job.objects.filter(character_id=character_id, kind__in=MAKING_KINDS, state__in=OPEN))


def open_jobs() -> int:
    """How many image jobs of all characters are to be done before a new one."""
    return Job.objects.filter(kind__in=MAKING_KINDS, state__in=OPEN).count()


def upload(character_id: str, files: Sequence[Any]) -> list[Image]:
    """Put own images into the gallery: all of them or, when one can't be kept, none.

    One at a time, so that memory holds only one. Raises `Invalid`, `Unavailable`.
    """
    if not files:
        raise Invalid("Choose at least one image.", fields={"images": ["Choose at least one image."]})
    if len(files) > MOST_UPLOADS:
        raise Invalid(f"At most {MOST_UPLOADS} images at once.")
    added: list[Image] = []
    try:
        for file in files:
            added.append(_add_file(character_id, file))
    except Problem:
        for image in added:
            storage.remove(image)
        raise
    return added


def _add_file(character_id: str, file: Any) -> Image:
    name = str(getattr(file, "name", None) or "image")
    try:
        return add(character_id, file.read(LARGEST_UPLOAD + 1), recipe={"fileName": name})
    except Invalid as problem:
        sentence = f"{name}: {problem.message}"
        raise Invalid(sentence, code=problem.code, fields={"images": [sentence]}) from problem


def add(character_id: str, content: bytes, *, recipe: dict[str, Any] | None = None) -> Image:
    """Put one image that was not generated here into the gallery. Raises `Invalid`, `Unavailable`."""
    making = Making(source=Source.UPLOAD, recipe=recipe or {})
    return storage.store(new_image_id(), character_id=character_id, content=content, making=making)


def take_in(character_id: str, content: bytes) -> Image:
    """The gallery's image with these pixels, added when there is none yet. Raises `Invalid`."""
    known = gallery(character_id).filter(pixel_hash=picture.pixel_hash(content)).first()
    return known or add(character_id, content)


def use_as_portrait(image: Image) -> Character:
    def change(record: Character) -> None:
        record.avatar_image_id = image.pk

    changed: Character = Character.objects.change(image.character_id, change)
    return changed


def delete(image: Image) -> None:
    """Take an image and its files away. Posts keep their words and their link."""
    was_portrait = Character.objects.filter(pk=image.character_id, avatar_image_id=image.pk).exists()
    storage.remove(image)

    def change(record: Character) -> None:
        record.avatar_image_id = ""

    if was_portrait:
        with suppress(NotFound):
            Character.objects.change(image.character_id, change)


def wish_like(image: Image, *, keep_seed: bool) -> Wish:
    """What to ask for to make an image again, with its seed or a new one."""
    recipe = image.recipe
    return Wish(
        final_prompt=recipe.get("prompt", ""),
        negative_prompt=recipe.get("negative", ""),
        model=recipe.get("model") or None,
        lora=recipe.get("lora", ""),
        lora_strength=recipe.get("lora_strength"),
        width=recipe.get("width"),
        height=recipe.get("height"),
        steps=recipe.get("steps"),
        cfg=recipe.get("cfg"),
        sampler=recipe.get("sampler"),
        scheduler=recipe.get("scheduler"),
        seed=image.seed if keep_seed else None,
    )


def card_parts(ids: Sequence[str]) -> dict[str, Sheet]:
    """The images of each card: two queries for a whole page."""
    counts = dict(
        Image.objects.filter(character_id__in=ids)
        .order_by()
        .values_list("character_id")
        .annotate(number=Count("*"))
    )
    portraits = _portraits(ids)
    latest = _latest(ids)
    return {pk: _sheet(counts.get(pk, 0), portraits.get(pk), latest.get(pk, [])) for pk in ids}


def _sheet(count: int, portrait: Image | None, latest: list[Image]) -> Sheet:
    others = [image for image in latest if portrait is None or image.pk != portrait.pk]
    pictures = ([portrait] if portrait else []) + others
    return Sheet(count, pictures[:SHEET], portrait or (latest[0] if latest else None))


def portraits(ids: Sequence[str]) -> dict[str, Image]:
    """The image that stands for each character: the chosen one, else the newest."""
    chosen = _portraits(ids)
    others = [pk for pk in ids if pk not in chosen]
    return chosen | _newest(others) if others else chosen


def _newest(ids: Sequence[str]) -> dict[str, Image]:
    """By the index alone: there may be thousands of each."""
    theirs = Image.objects.filter(character_id__in=ids).order_by()
    moments = dict(theirs.values_list("character_id").annotate(newest=Max("created_at")))
    found = theirs.filter(created_at__in=list(moments.values())).order_by("pk")
    return {image.character_id: image for image in found if image.created_at == moments[image.character_id]}


def _portraits(ids: Sequence[str]) -> dict[str, Image]:
    chosen = dict(Character.objects.filter(pk__in=ids).values_list("pk", "avatar_image_id"))
    wanted = [image_id for image_id in chosen.values() if image_id]
    found = Image.objects.in_bulk(wanted) if wanted else {}
    return {pk: found[image_id] for pk, image_id in chosen.items() if image_id in found}


def _latest(ids: Sequence[str]) -> dict[str, list[Image]]:
    """The newest few of each character, by one query."""
    latest: dict[str, list[Image]] = {}
    for image in Image.objects.raw(NEWEST_OF_EACH, [orjson.dumps(list(ids)).decode(), SHEET]):
        latest.setdefault(image.character_id, []).append(image)
    return latest


def jobs_of(ids: Sequence[str]) -> dict[str, Job]:
    """The newest running image job of each card."""
    found = Job.objects.filter(character_id__in=ids, kind__in=MAKING_KINDS, state__in=OPEN)
    return {job.character_id: job for job in found.order_by("created_at")}


def section(request: HttpRequest, character: Character) -> dict[str, Any]:
    """The Gallery section of the character page."""
    return gallery_context(character, request.GET.get("images", "1"))


def gallery_context(character: Character, page: str) -> dict[str, Any]:
    shown = Paginator(gallery(character.pk), PAGE_SIZE).get_page(page)
    return {"page": shown, "count": shown.paginator.count, "jobs": running(character.pk)}
