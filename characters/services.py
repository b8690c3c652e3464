"""What can be done with characters; the same for page, API, admin and commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from characters import panels
from characters.models import SECRETS, Character, Narrative
from characters.samples import SAMPLES, Sample
from influencer import jsondb
from influencer.errors import NotFound
from influencer.jobs import services as jobs

COPIED_NOT = {
    "id",
    "created_at",
    "updated_at",
    "avatar_image_id",
    "instagram_account_id",
    "twitter_account_id",
    *SECRETS,
}


def get(pk: str) -> Character:
    """Raises `NotFound`."""
    found: Character | None = Character.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no character {pk}.")
    return found


def search(*, q: str = "", show: str = "", model: str = "", sort: str = "") -> QuerySet[Character]:
    """Characters by name or handle, active or paused, model; sorted by name unless told otherwise."""
    found = Character.objects.all()
    if q:
        words = Q(name__icontains=q) | Q(instagram_handle__icontains=q) | Q(twitter_handle__icontains=q)
        found = found.filter(words)
    if show:
        found = found.filter(is_active=show == "active")
    if model:
        found = found.filter(preferred_model=model)
    return found.order_by(sort or "name")


def names(ids: Sequence[str]) -> dict[str, str]:
    """`{id: name}` of those that are still there."""
    return dict(Character.objects.filter(pk__in=list(ids)).values_list("pk", "name"))


def counts() -> dict[str, int]:
    """How many there are in all, active and paused."""
    states = Counter(Character.objects.values_list("is_active", flat=True))
    return {"all": states.total(), "active": states[True], "paused": states[False]}


def models_in_use() -> list[str]:
    return sorted({name for name in Character.objects.values_list("preferred_model", flat=True) if name})


ChapterMaker = Callable[[Character], list[Narrative]]


def create(
    form: ModelForm[Character], *, extra: dict[str, Any] | None = None, chapters: ChapterMaker | None = None
) -> Character:
    """Add the character a valid form describes; unknown keys and its story in the same write."""
    with jsondb.batch():
        character = form.save(commit=False)
        character.extra = {**character.extra, **(extra or {})}
        character.save()
        _replace_story(character, chapters)
    return get(character.pk)


def update(
    pk: str,
    form: ModelForm[Character],
    *,
    digest: str = "",
    extra: dict[str, Any] | None = None,
    chapters: ChapterMaker | None = None,
) -> Character:
    """Change what a valid form changed, on top of what the record holds by now, in one write.

    Raises `Conflict` (`changed_since`) when `digest` is not the record's, `NotFound`.
    """
    changed = [name for name in form.cleaned_data if name in form._meta.fields and _differs(form, name)]

    def change(record: Character) -> None:
        for name in changed:
            field = record._meta.get_field(name)
            field.save_form_data(record, form.cleaned_data[name])  # type: ignore[union-attr]
        record.extra = _deep_merged(record.extra, extra or {})

    with jsondb.batch():
        record: Character = Character.objects.change(pk, change, digest=digest or None)
        _replace_story(record, chapters)
    return get(pk)


def _deep_merged(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Unknown keys with the given ones over them; objects are merged, as `promptSettings` is."""
    both = {key for key in given if isinstance(given[key], dict) and isinstance(before.get(key), dict)}
    merged = {key: {**before[key], **given[key]} for key in both}
    return {**before, **given, **merged}


def _replace_story(character: Character, chapters: ChapterMaker | None) -> None:
    if chapters is None:
        return
    made = chapters(character)
    for old in character.narratives.all():
        old.delete()
    for chapter in made:
        chapter.save(force_insert=True)


def _differs(form: ModelForm[Character], name: str) -> bool:
    """Whether the form says something new: typed, or a secret taken away."""
    return name in form.changed_data or (name in SECRETS and form.cleaned_data[name] == "")


def set_active(pk: str, *, active: bool) -> Character:
    """Switch a character on or off: off, its tasks don't fire; the buttons still work."""

    def change(record: Character) -> None:
        record.is_active = active

    changed: Character = Character.objects.change(pk, change)
    return changed


def delete(pk: str) -> None:
    """Take a character and its credentials away; images and posts stay.

    Its waiting jobs are cancelled, one that is already publishing finishes. Raises `NotFound`.
    """
    get(pk).delete()
    jobs.cancel_for_character(pk)
    panels.announce_deleted(pk)


def duplicate(pk: str) -> Character:
    """A copy with the story, without credentials and portrait."""
    original = get(pk)
    fields = {
        field.name: getattr(original, field.name)
        for field in Character._meta.concrete_fields
        if field.name not in COPIED_NOT
    }
    with jsondb.batch():
        copy = Character(**fields | {"name": f"{original.name} copy"[:120]})
        copy.extra = original.extra
        copy.save()
        for chapter in original.narratives.all():
            story = {
                name: getattr(chapter, name) for name in ("title", "description", "start_date", "end_date")
            }
            Narrative(character=copy, **story).save()
    return get(copy.pk)


def portable(character: Character) -> dict[str, Any]:
    """The record as it can be given away: every key but the secrets."""
    record = character.as_json()
    secret_keys = {_camel(name) for name in SECRETS}
    return {key: value for key, value in record.items() if key not in secret_keys}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True)
class Chapter:
    """A narrative on the timeline: `day` of `days` while it runs, counted from 1."""

    record: Narrative
    running: bool
    over: bool
    day: int = 0
    days: int = 0

    @property
    def span(self) -> str:
        """The days it covers, in words."""
        first, last = self.record.start_date, self.record.end_date
        if first and last:
            return f"{_day(first)} – {_day(last)}"
        return f"from {_day(first)}" if first else f"until {_day(last)}" if last else "any time"


def story(character: Character) -> list[Chapter]:
    """The narratives in the order of their days, seen from today in the character's time zone."""
    today = today_of(character)
    chapters = sorted(
        character.narratives.all(), key=lambda record: (record.start_date or date.min, record.pk)
    )
    return [_chapter(record, today) for record in chapters]


def story_section(request: HttpRequest, character: Character) -> dict[str, Any]:
    """The Story section of the character page."""
    chapters = story(character)
    return {"chapters": chapters, "count": len(chapters)}


def today_of(character: Character) -> date:
    zone = ZoneInfo(character.timezone) if character.timezone else timezone.get_current_timezone()
    return timezone.now().astimezone(zone).date()


def _chapter(record: Narrative, today: date) -> Chapter:
    first, last = record.start_date, record.end_date
    over = bool(last and last < today)
    if not (first and last and record.holds(today)):
        return Chapter(record, running=record.holds(today), over=over)
    return Chapter(record, True, False, (today - first).days + 1, (last - first).days + 1)


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""


def get_chapter(character: Character, pk: str) -> Narrative:
    """Raises `NotFound`."""
    found: Narrative | None = character.narratives.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such chapter any more.")
    return found


def unknown_section(name: str) -> NotFound:
    return NotFound(f"A character has no section called {name}.")


def add_samples() -> list[Character]:
    """Add the sample characters that are not there yet, with all that other apps make of them."""
    present = set(Character.objects.values_list("name", flat=True))
    return [_add_sample(sample) for sample in SAMPLES if sample.fields["name"] not in present]


def _add_sample(sample: Sample) -> Character:
    with jsondb.batch():
        character = Character(**sample.fields)
        character.save()
        today = today_of(character)
        for chapter in sample.chapters:
            first, last = chapter.dates(today)
            story = {"title": chapter.title, "description": chapter.description}
            Narrative(character=character, start_date=first, end_date=last, **story).save()
    for make in panels.sample_makers():
        make(character, sample)
    return get(character.pk)
