"""Three characters to try everything with, each with a story, prompts and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True)
class Chapter:
    """A narrative, its days counted from the day the samples are added."""

    title: str
    description: str
    first_day: int
    last_day: int

    def dates(self, today: date) -> tuple[date, date]:
        return today + timedelta(days=self.first_day), today + timedelta(days=self.last_day)


@dataclass(frozen=True)
class Sample:
    """One sample character: its fields, and what other apps make of it."""

    fields: dict[str, Any]
    chapters: tuple[Chapter, ...]
    scenes: tuple[str, ...]
    prompts: tuple[tuple[str, str], ...]
    tasks: tuple[tuple[str, str, dict[str, Any]], ...]


LUNA = Sample(
    fields={
        "name": "Luna the Mystic",
        "personality": "Dreamy and mystical",
        "backstory": "Luna lives in a hidden forest and writes as if every letter were found in a bottle.",
        "voice": "First person, short lines, never more than one exclamation mark a month.",
        "language": "English",
        "instagram_handle": "@luna_mystic",
        "twitter_handle": "@luna_mystic",
        "trigger_word": "luna_character",
        "base_prompt": "a beautiful portrait of luna_character, silver hair",
        "negative_prompt": "ugly, disfigured, text, watermark",
        "style": "artistic",
        "mood": "serene",
    },
    chapters=(
        Chapter("The River Fair", "She sells three charms and buys one she should not have.", -45, -15),
        Chapter("The Crystal Quest", "Luna is searching for a legendary crystal.", -14, 16),
        Chapter("What the Forest Kept", "The crystal answers. Not kindly.", 17, 60),
    ),
    scenes=(
        "among old pines under a full moon",
        "in front of three blue arches",
        "by the sea at dusk",
        "beside a bright window",
    ),
    prompts=(
        (
            "luna_character in a magical forest, the first clue of the crystal in her palm",
            "Exploring the enchanted woods today. #magic #forest #luna",
        ),
        (
            "luna_character reading a letter by the sea at dusk",
            "The tide brought a letter. It knew my name. #seaside",
        ),
    ),
    tasks=(
        (
            "generate_and_post",
            "0 18 * * *",
            {"prompt": "luna_character in a magical forest", "postToInstagram": True},
        ),
    ),
)

NOVA = Sample(
    fields={
        "name": "Nova Reyes",
        "personality": "Warm, quick, curious",
        "backstory": "Nova maps forgotten staircases of Bogota and talks to everyone on them.",
        "voice": "Second person, as if you were walking beside her.",
        "language": "English",
        "instagram_handle": "@nova.reyes",
        "twitter_handle": "@nova_reyes",
        "trigger_word": "nova_character",
        "base_prompt": "portrait of nova_character, teal turtleneck",
        "negative_prompt": "blurry, text, watermark",
        "style": "editorial photography",
        "mood": "golden hour",
    },
    chapters=(
        Chapter("A Hundred Stairs", "One staircase a day, and who sits on it.", -7, 30),
        Chapter("The Locked Garden", "Somebody has a key, and it is not the gardener.", 31, 70),
    ),
    scenes=(
        "in a city street in the morning",
        "in front of desert dunes",
        "among tall mountain peaks",
        "in a quiet studio",
    ),
    prompts=(
        (
            "nova_character on a steep painted staircase, city below",
            "Number 41 has a cat and a story about a flood. #stairs #bogota",
        ),
    ),
    tasks=(("generate_and_post_to_twitter", "30 8 * * 1-5", {"prompt": "nova_character on a staircase"}),),
)

KAI = Sample(
    fields={
        "name": "Kai Mori",
        "personality": "Dry humour, night trains",
        "backstory": "Kai rides the last trains and photographs what people forget on them.",
        "voice": "One observation, then silence.",
        "language": "English",
        "instagram_handle": "@kai.mori",
        "twitter_handle": "@kai_mori",
        "trigger_word": "kai_character",
        "base_prompt": "portrait of kai_character, short dark hair, brown sweater",
        "negative_prompt": "deformed, text, watermark",
        "style": "35mm film",
        "mood": "calm",
    },
    chapters=(Chapter("Last Train North", "Every night one stop further than the map goes.", -3, 40),),
    scenes=(
        "in a forest at night",
        "by the sea with a low sun",
        "in a city at night",
        "in front of mountain peaks",
    ),
    prompts=(
        (
            "kai_character on an empty platform, city at night",
            "Lost and found: one glove, one umbrella, one tuba. #lasttrain",
        ),
    ),
    tasks=(("generate_only", "0 7 * * 1", {"prompt": "kai_character on a night train"}),),
)

SAMPLES = (LUNA, NOVA, KAI)
