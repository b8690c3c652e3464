"""Reads a prompt: who, where, and from how near."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

WORD = re.compile(r"[^\W_][\w'-]*")
WEIGHTS = re.compile(r":\s*-?\d+(\.\d+)?|<[^>]*>")
TRAINED = re.compile(r"_\d+_steps_\d+_")
VERSION = re.compile(r"(_v\d+|_\d+_steps_\d+_|_[0-9a-f]{8})+$")
NAME_WORDS = 3
PLACES = {
    "forest": "forest forests wood woods tree trees park jungle garden pine pines autumn hike hiking meadow",
    "sea": "sea beach ocean coast harbour harbor lake river surf surfing pool island boat sail sailing waves",
    "city": "city street streets neon skyline rooftop urban downtown club bar tokyo york london traffic",
    "dunes": "desert dune dunes sand savanna canyon steppe field fields",
    "peaks": "mountain mountains peak peaks snow ski skiing alps cliff summit glacier winter climbing",
    "arch": "museum temple palace gallery church arch arches courtyard ruins castle marble",
    "window": "window room bedroom kitchen home indoors office cafe café coffee library sofa bed desk gym",
    "studio": "studio backdrop fashion editorial headshot catwalk",
}
PLACE_OF = {word: place for place, words in PLACES.items() for word in words.split()}
# Whole phrases: "wide smile", "dark hair" and "the sea behind her" must change nothing.
NEAR = ("close up", "closeup", "headshot", "macro")
FAR = ("wide shot", "wide angle", "full body", "far away", "in the distance", "panorama")
AWAY = ("from behind", "back view", "back to the camera", "facing away")
NIGHT = ("night", "evening", "midnight", "moon", "moonlight", "neon", "after dark", "starry")
DAY = ("day", "morning", "noon", "sunny", "sunrise", "sunlight", "daylight", "golden hour")


@dataclass(frozen=True)
class Wish:
    """What a prompt asks for; empty means the seed decides. `taught`: the LoRA trained here that is in it."""

    name: str
    place: str = ""
    framing: str = ""
    night: bool | None = None
    away: bool = False
    taught: str = ""

    @classmethod
    def read(cls, prompt: str, loras: Sequence[str] = ()) -> Wish:
        """Find the character's trigger word and the words for place, light and distance."""
        plain = WEIGHTS.sub(" ", prompt)
        name = _name(plain, loras)
        words = [word.lower() for word in WORD.findall(plain) if word != name]
        text = f" {' '.join(words).replace('-', ' ')} "
        return cls(
            name=name,
            place=next((PLACE_OF[word] for word in words if word in PLACE_OF), ""),
            framing="close" if _says(text, NEAR) else "far" if _says(text, FAR) else "",
            night=True if _says(text, NIGHT) else False if _says(text, DAY) else None,
            away=_says(text, AWAY),
            taught=next((_stem(lora) for lora in loras if TRAINED.search(lora)), ""),
        )


def _says(text: str, phrases: Sequence[str]) -> bool:
    return any(f" {phrase} " in text for phrase in phrases)


def _name(prompt: str, loras: Sequence[str]) -> str:
    """The first word with an underscore, else the LoRA's name, else the first words."""
    words = WORD.findall(prompt)
    triggers = [word for word in words if "_" in word.strip("_")]
    if triggers:
        return str(triggers[0])
    if loras:
        return _stem(loras[0])
    return " ".join(words[:NAME_WORDS]).lower() or "nobody"


def _stem(lora: str) -> str:
    return VERSION.sub("", PurePosixPath(lora.replace("\\", "/")).stem)
