"""Who is in the picture: what stays the same in every image of one character."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from influencer.sandbox.art.chance import seeded

SKIN = ("#f3d3bd", "#e8b996", "#d79c73", "#b97a52", "#8f5a3c", "#6a4230", "#f0c7a8")
HAIR = (
    "#1c1a22",
    "#2e2019",
    "#4a2c1c",
    "#7b4a26",
    "#b98546",
    "#d9b779",
    "#a6432a",
    "#cfd3dc",
    "#2f5d6b",
    "#6b3f63",
)
STYLES = ("long", "bob", "fringe", "short", "curly", "bun", "wave")
COLLARS = ("turtle", "vee", "crew", "collar")
EXTRAS = ("earring", "freckles", "glasses", "none")


@dataclass(frozen=True)
class Person:
    """The traits of one character; `hue` in turns, `jaw` and `brow` around 1."""

    hue: float
    skin: str
    hair: str
    style: str
    jaw: float
    eyes: str
    brow: float
    collar: str
    extra: str


def person(name: str) -> Person:
    """The same name is always the same person."""
    rng = seeded(hashlib.sha256(name.encode()).digest())
    return Person(
        hue=rng.random(),
        skin=rng.choice(SKIN),
        hair=rng.choice(HAIR),
        style=rng.choice(STYLES),
        jaw=rng.uniform(0.86, 1.12),
        eyes=rng.choice(["open", "closed"]),
        brow=rng.uniform(0.8, 1.3),
        collar=rng.choice(COLLARS),
        extra=rng.choice(EXTRAS),
    )
