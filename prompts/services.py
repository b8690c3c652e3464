"""What can be done with the library; the same for page, API, admin and commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from characters import services as characters
from characters.models import Character
from characters.samples import Sample
from influencer import jsondb
from influencer.errors import Conflict, Invalid, NotFound
from prompts.forms import PromptForm
from prompts.models import Prompt, Source

Check = Callable[[Prompt], bool]


def get(pk: str) -> Prompt:
    """Raises `NotFound`."""
    found: Prompt | None = Prompt.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such prompt any more.")
    return found


def search(
    *, q: str = "", character: str = "", used: str = "", source: str = "", sort: str = ""
) -> QuerySet[Prompt]:
    """Prompts by their texts, character, use (yes, no) and writer; the newest first unless told otherwise."""
    found: QuerySet[Prompt] = Prompt.objects.all()
    if character:
        found = found.filter(character_id=character)
    if used:
        found = found.filter(used=used == "yes")
    if source:
        found = found.filter(_written_by(source))
    if q:
        words = Q(prompt__icontains=q) | Q(caption__icontains=q) | Q(character_name__icontains=q)
        found = found.filter(words | Q(instagram_caption__icontains=q) | Q(x_caption__icontains=q))
    return found.order_by(*dict.fromkeys([sort or "-created_at", "-created_at"]))


def _written_by(source: str) -> Q:
    if source == Source.HAND:
        return Q(source__in=["", Source.HAND])
    return Q(source=source) | Q(caption_source=source)


@jsondb.while_unchanged(Prompt.Store.file)
def counts() -> dict[str, int]:
    """How many there are in all, used and unused."""
    states = Counter(Prompt.objects.order_by().values_list("used", flat=True))
    return {"all": states.total(), "used": states[True], "unused": states[False]}


def owners() -> list[tuple[str, str]]:
    """Whose prompts there are, by name; of a deleted character as it was called last."""
    return characters.owners(_written_names())


@jsondb.while_unchanged(Prompt.Store.file)
def _written_names() -> dict[str, str]:
    return dict(Prompt.objects.order_by().values_list("character_id", "character_name"))


def create(form: PromptForm, *, extra: dict[str, Any] | None = None) -> Prompt:
    """Add the prompt a valid form describes; unknown keys with it."""
    prompt: Prompt = form.save(commit=False)
    prompt.source = prompt.source or Source.HAND
    if prompt.caption and not prompt.caption_source:
        prompt.caption_source = prompt.source
    prompt.character_name = _name_of(prompt.character_id)
    if prompt.used:
        prompt.used_at = timezone.now()
    prompt.extra = {**prompt.extra, **(extra or {})}
    prompt.save()
    return get(prompt.pk)


def update(
    pk: str, form: PromptForm, *, still: Check | None = None, extra: dict[str, Any] | None = None
) -> Prompt:
    """Change what a valid form changed, on top of what the record holds by now.

    Raises `Conflict` (`changed_since`) when `still` denies that the record is as it was seen, `NotFound`.
    """
    said, now = set(form.said), timezone.now()
    name = _name_of(form.instance.character_id) if "character_id" in said else ""

    def change(record: Prompt) -> None:
        if still and not still(record):
            raise changed_since(record)
        form.apply(record)
        record.extra = {**record.extra, **(extra or {})}
        record.character_name = name or record.character_name
        _follow(record, said, now)

    changed: Prompt = Prompt.objects.change(pk, change)
    return changed


def _follow(record: Prompt, said: set[str], now: Any) -> None:
    """What changes along: who wrote it, and when it was used."""
    if "prompt" in said and "source" not in said:
        record.source = Source.HAND
    if "caption" in said:
        record.caption_source = Source.HAND if record.caption else ""
        if "instagram_caption" not in said:
            record.instagram_caption = ""
    if "used" in said and record.used:
        record.mark_used(by=record.used_by, at=now)
    elif "used" in said:
        record.mark_unused()


def changed_since(record: Prompt) -> Conflict:
    return Conflict(
        "Someone saved this prompt while you were editing. Compare both and choose.",
        code=characters.CHANGED,
        details={"current": record.as_json()},
    )


def delete(pk: str) -> None:
    """Take a prompt away; images made from it stay. Raises `NotFound`."""
    get(pk).delete()


def delete_many(pks: Sequence[str]) -> int:
    """Take several away in one write; how many were there. Raises `Invalid` for none."""
    if not pks:
        raise Invalid("Choose at least one prompt.", fields={"promptIds": ["Choose at least one prompt."]})
    with jsondb.batch():
        found = list(Prompt.objects.filter(pk__in=list(pks)))
        for prompt in found:
            prompt.delete()
    return len(found)


def _name_of(character_id: str) -> str:
    return characters.names([character_id]).get(character_id, "")


def add_samples(character: Character, sample: Sample) -> None:
    """Put the prompts of a sample character into the library."""
    with jsondb.batch():
        for text, caption in sample.prompts:
            Prompt(
                character_id=character.pk, character_name=character.name, prompt=text, caption=caption
            ).save()
