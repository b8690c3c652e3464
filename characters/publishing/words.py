"""Words that stand ready for an image: the composer begins with them.

An app above this one registers in its `AppConfig.ready`, by a dotted name, who has such words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

if TYPE_CHECKING:  # registering comes before there are models
    from characters.images.models import Image
    from influencer.clients.platform import Platform


@dataclass(frozen=True)
class Words:
    """What a post of an image could say."""

    caption: str = ""
    alt_text: str = ""


_providers: list[str] = []


def register(provider: str) -> None:
    """Have `provider(image, platform) -> Words | None` asked for what stands ready."""
    if provider not in _providers:
        _providers.append(provider)


def ready_for(image: Image, platform: Platform) -> Words:
    """The first words somebody has; none at all when nobody has any."""
    found = (import_string(provider)(image, platform) for provider in _providers)
    return next((words for words in found if words), Words())
