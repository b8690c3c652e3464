"""What other apps show on a character, and what they do when one is deleted.

An app above this one registers in its `AppConfig.ready`, by dotted names, so that
models need not be importable yet. This app knows the registry, never who is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string

Parts = Callable[[Sequence[str]], Mapping[str, Any]]


@dataclass(frozen=True, order=True)
class Section:
    """A section of the character page: `context(request, character)` feeds `template`.

    The context's `count`, when there is one, stands beside the label in the section menu.
    """

    order: int
    slug: str
    label: str
    template: str
    context: str


@dataclass(frozen=True)
class FilledSection:
    section: Section
    context: dict[str, Any]


_panels: dict[str, str] = {}
_sections: dict[str, Section] = {}
_delete_listeners: list[str] = []
_samples: list[str] = []
_lora_owners: list[str] = []


def register_panel(name: str, provider: str) -> None:
    """Offer `provider(ids) -> {id: part}` to the cards under `name`: one query for a whole page."""
    _panels[name] = provider


def register_section(section: Section) -> None:
    _sections[section.slug] = section


def register_delete_listener(listener: str) -> None:
    """Have `listener(character_id)` called after a character was deleted."""
    if listener not in _delete_listeners:
        _delete_listeners.append(listener)


def register_lora_owners(provider: str) -> None:
    """Have `provider() -> {file: character id}` say whose LoRAs are whose."""
    if provider not in _lora_owners:
        _lora_owners.append(provider)


def lora_owners() -> dict[str, str]:
    """Whose each LoRA is that was made for a character, by the server's name for it."""
    return {file: pk for provider in _lora_owners for file, pk in import_string(provider)().items()}


def register_sample(maker: str) -> None:
    """Have `maker(character, sample)` add its part to each sample character."""
    if maker not in _samples:
        _samples.append(maker)


def collect(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`{character id: {panel name: part}}` for all ids, one call per panel."""
    collected: dict[str, dict[str, Any]] = {pk: {} for pk in ids}
    for name, provider in _panels.items():
        parts: Parts = import_string(provider)
        for pk, part in parts(ids).items():
            if pk in collected:
                collected[pk][name] = part
    return collected


def sections(*arguments: Any) -> list[FilledSection]:
    """All sections in order, each with its context for (request, character)."""
    return [
        FilledSection(section, import_string(section.context)(*arguments))
        for section in sorted(_sections.values())
    ]


def announce_deleted(pk: str) -> None:
    for listener in _delete_listeners:
        import_string(listener)(pk)


def sample_makers() -> list[Callable[..., None]]:
    return [import_string(maker) for maker in _samples]
