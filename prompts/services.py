"""Use cases of the prompt library."""

from __future__ import annotations

from characters.models import Character
from characters.samples import Sample
from influencer import jsondb
from prompts.models import Prompt


def add_samples(character: Character, sample: Sample) -> None:
    """Put the prompts of a sample character into the library."""
    with jsondb.batch():
        for text, caption in sample.prompts:
            Prompt(
                character_id=character.pk, character_name=character.name, prompt=text, caption=caption
            ).save()
