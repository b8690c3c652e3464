"""Small makers of what a writer is asked."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from PIL import Image

from influencer.clients.writers.interface import Ask, Chapter, Persona

TODAY = date(2026, 11, 23)
LUNA = Persona(
    name="Luna the Mystic",
    personality="Dreamy and mystical",
    backstory="Luna lives in a hidden forest.",
    voice="First person, gentle.",
    language="English",
    look="a beautiful portrait of luna_character, silver hair",
    trigger_word="luna_character",
)
QUEST = Chapter(
    "The Crystal Quest",
    "Luna is searching for a legendary crystal.",
    date(2026, 11, 13),
    date(2026, 12, 3),
    id="narr_quest",
)
ECHO = Chapter("Echo", "It answers.", date(2026, 12, 4), date(2027, 1, 10), id="narr_echo")
FAIR = Chapter(
    "The River Fair", "She sells three charms.", date(2026, 10, 1), date(2026, 10, 31), id="narr_fair"
)
SCENE = "luna_character in a magical forest, the first clue of the crystal in her palm"


def ask(**more: Any) -> Ask:
    return Ask(**{"persona": LUNA, "today": TODAY, "chapters": (QUEST,), "scene": SCENE, **more})


def image(width: int = 64, height: int = 80, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, kind)
    return file.getvalue()
