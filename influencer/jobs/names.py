"""Whose job it is: the job list knows ids, the apps above know names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from django.utils.module_loading import import_string

Provider = Callable[[Sequence[str]], Mapping[str, str]]

_providers: list[str] = []


def register(provider: str) -> None:
    """Offer `provider(character ids) -> {id: name}`, by its dotted name, in `AppConfig.ready`."""
    if provider not in _providers:
        _providers.append(provider)


def names_of(ids: Iterable[str]) -> dict[str, str]:
    """The names that are known; each provider is asked once."""
    wanted = sorted({pk for pk in ids if pk})
    found: dict[str, str] = {}
    for dotted in _providers if wanted else ():
        provider: Provider = import_string(dotted)
        found |= provider(wanted)
    return found
