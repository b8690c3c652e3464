"""What can be done with characters; the same for page, API, admin and commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from characters import panels, undeclared
from characters.forms import CharacterForm, NarrativeForm
from characters.models import SECRETS, Character, Narrative
from characters.samples import SAMPLES, Sample
from influencer import jsondb
from influencer.errors import Conflict, NotFound
from influencer.jobs import services as jobs
from influencer.jsondb.keys import camel_case

CHANGED = "changed_since"
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
    """Characters by name or handle, active or paused, model; sorted by name unless told otherwise.

    Of two made at once the later in the file is the newer.
    """
    found = Character.objects.all()
    if q:
        words = Q(name__icontains=q) | Q(instagram_handle__icontains=q) | Q(twitter_handle__icontains=q)
        found = found.filter(words)
    if show:
        found = found.filter(is_active=show == "active")
    if model:
        found = found.filter(preferred_model=model)
    if sort.startswith("-"):
        return found.order_by(sort.removeprefix("-")).reverse()
    return found.order_by(sort or "name")


def names(ids: Sequence[str]) -> dict[str, str]:
    """`{id: name}` of those that are still there."""
    return dict(Character.objects.filter(pk__in=list(ids)).values_list("pk", "name"))


def owners(last_known: dict[str, str]) -> list[tuple[str, str]]:
    """`(id, name)` by name, of `{id: name}` as other records remember them; also of those that are gone."""
    found = last_known | names(list(last_known))
    return sorted(((pk, name or pk) for pk, name in found.items() if pk), key=lambda one: one[1].casefold())


@jsondb.while_unchanged(Character.Store.file)
def counts() -> dict[str, int]:
    """How many there are in all, active and paused."""
    states = Counter(Character.objects.values_list("is_active", flat=True))
    return {"all": states.total(), "active": states[True], "paused": states[False]}


def models_in_use() -> list[str]:
    return sorted({name for name in Character.objects.values_list("preferred_model", flat=True) if name})


ChapterMaker = Callable[[Character], list[Narrative]]
Check = Callable[[Character], bool]


@dataclass(frozen=True)
class Beside:
    """What comes with a form: keys no field accounts for, and what makes the story anew (None: it stays)."""

    extra: dict[str, Any] = field(default_factory=dict)
    chapters: ChapterMaker | None = None


NOTHING = Beside()


def create(form: CharacterForm, beside: Beside = NOTHING) -> Character:
    """Add the character a valid form describes; unknown keys and its story in the same write."""
    with jsondb.batch():
        character = form.save(commit=False)
        character.extra = {**character.extra, **undeclared.unmasked(beside.extra, {})}
        character.save()
        _replace_story(character, beside.chapters)
    return get(character.pk)


def update(
    pk: str, form: CharacterForm, *, still: Check | None = None, beside: Beside = NOTHING
) -> Character:
    """Change what a valid form changed, on top of what the record holds by now, in one write.

    Raises `Conflict` (`changed_since`) when `still` denies that the record is as it was seen, `NotFound`.
    """

    def change(record: Character) -> None:
        if still and not still(record):
            raise changed_since(record)
        form.apply(record)
        record.extra = _merged(record.extra, undeclared.unmasked(beside.extra, record.extra))

    with jsondb.batch():
        _replace_story(Character.objects.change(pk, change), beside.chapters)
    return get(pk)


def changed_since(record: Character | Narrative) -> Conflict:
    return Conflict(
        f"Someone saved {record} while you were editing. Compare both and choose.",
        code=CHANGED,
        details={"current": record.as_json()},
    )


def _merged(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Unknown keys with the given ones over them; those of the prompt settings one by one."""
    stored, settings = before.get("promptSettings"), given.get("promptSettings")
    if settings and isinstance(stored, dict):
        given = {**given, "promptSettings": {**stored, **settings}}
    return {**before, **given}


def _replace_story(character: Character, chapters: ChapterMaker | None) -> None:
    if chapters is None:
        return
    made = chapters(character)
    for old in character.narratives.all():
        old.delete()
    for chapter in made:
        chapter.save(force_insert=True)


def set_active(pk: str, *, active: bool) -> Character:
    """Switch a character on or off: off, its tasks don't fire; the buttons still work."""

    def change(record: Character) -> None:
        record.is_active = active

    changed: Character = Character.objects.change(pk, change)
    return changed


def delete(pk: str) -> None:
    """Take a character and its credentials away; images and posts stay, its tasks are paused.

    Its waiting jobs are cancelled, one that is already publishing finishes. Raises `NotFound`.
    """
    with jsondb.batch():
        get(pk).delete()
        panels.announce_deleted(pk)
    jobs.cancel_for_character(pk)


def duplicate(pk: str) -> Character:
    """A copy with the story, without credentials and portrait."""
    original = get(pk)
    fields = {
        field.name: getattr(original, field.name)
        for field in Character._meta.concrete_fields
        if field.name not in COPIED_NOT
    }
    with jsondb.batch():
        copy = Character(**fields | {"name": f"{original.name[:115]} copy"})
        copy.extra = undeclared.without(original.extra)
        copy.save()
        for chapter in original.narratives.all():
            _copy_chapter(chapter, copy)
    return get(copy.pk)


def _copy_chapter(chapter: Narrative, character: Character) -> None:
    story = {name: getattr(chapter, name) for name in NarrativeForm.Meta.fields}
    copy = Narrative(character=character, **story)
    copy.extra = chapter.extra
    copy.save()


def portable(character: Character) -> dict[str, Any]:
    """The record as it can be given away: every key but the secrets."""
    secret_keys = {camel_case(name) for name in SECRETS}
    row = undeclared.without(character.as_json())
    return {key: value for key, value in row.items() if key not in secret_keys}


def add_samples() -> list[Character]:
    """Add the sample characters that are not there yet, with all that other apps make of them."""
    present = set(Character.objects.values_list("name", flat=True))
    return [_add_sample(sample) for sample in SAMPLES if sample.fields["name"] not in present]


def _add_sample(sample: Sample) -> Character:
    with jsondb.batch():
        character = Character(**sample.fields)
        character.save()
        for chapter in sample.chapters:
            first, last = chapter.dates(character.today)
            story = {"title": chapter.title, "description": chapter.description}
            Narrative(character=character, start_date=first, end_date=last, **story).save()
    for make in panels.sample_makers():
        make(character, sample)
    return get(character.pk)
