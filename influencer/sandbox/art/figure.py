"""The person, from the hair behind to the light on the edge."""

from __future__ import annotations

import random
from dataclasses import dataclass

from influencer.sandbox.art import face, hair
from influencer.sandbox.art.canvas import Canvas, Mask
from influencer.sandbox.art.colour import Colour, mix, rgb, tone
from influencer.sandbox.art.face import Complexion
from influencer.sandbox.art.person import Person
from influencer.sandbox.art.scene import Light
from influencer.sandbox.art.shape import Shape, curve, disc, mirror

NECK = [(0, 0.08), (0.082, 0.10), (0.080, 0.24), (0.105, 0.325), (0.10, 0.37), (0, 0.415)]
SHOULDERS = [
    (0, 0.30),
    (0.09, 0.318),
    (0.20, 0.352),
    (0.33, 0.40),
    (0.40, 0.50),
    (0.43, 0.70),
    (0.45, 1.0),
    (0.46, 2.4),
]
TURTLE = [(0, 0.185), (0.088, 0.195), (0.095, 0.27), (0.118, 0.35), (0, 0.375)]
NECKLINES = {
    "vee": [(0, 0.08), (0.082, 0.10), (0.080, 0.25), (0.088, 0.325), (0, 0.50)],
    "crew": [(0, 0.08), (0.082, 0.10), (0.080, 0.24), (0.092, 0.32), (0.05, 0.365), (0, 0.38)],
    "collar": [(0, 0.08), (0.082, 0.10), (0.080, 0.25), (0.085, 0.32), (0, 0.46)],
}


@dataclass
class _Sitting:
    """One drawing of one person: the colours, and which side the light comes from."""

    canvas: Canvas
    who: Person
    light: Light
    rng: random.Random
    cloth: Colour
    side: int
    tint: Complexion

    @property
    def hair(self) -> Colour:
        return rgb(self.who.hair)


def draw(canvas: Canvas, who: Person, rng: random.Random, *, light: Light, away: bool) -> None:
    """Paint the person where the canvas has placed it; `away` shows the back of the head."""
    cloth = tone(who.hue + 0.5 + rng.uniform(-0.06, 0.06), 0.09, 0.40 if light.night else 0.52)
    skin, dark = rgb(who.skin), mix(who.skin, tone(who.hue - 0.1, 0.08, 0.22), 0.42)
    side = -1 if light.sun[0] < 0.5 else 1
    look = 0.0 if away else side * rng.uniform(0.004, 0.022)
    sitting = _Sitting(canvas, who, light, rng, cloth, side, Complexion(skin, dark, look))
    behind, front = canvas.figure(*hair.behind(who, rng)), hair.before(who, rng)
    if not away:
        canvas.paint(behind, mix(sitting.hair, "#0a0810", 0.28))
        _strands(sitting, behind, mix(sitting.hair, "#000000", 0.05), 7)
    body = _body(sitting)
    head = _back_of_head(sitting, behind) if away else _head(sitting, behind, front)
    _rim(sitting, head | body)


def _body(sitting: _Sitting) -> Mask:
    """Neck, clothes and collar. Returns their coverage."""
    canvas, who = sitting.canvas, sitting.who
    neck = canvas.figure(curve(mirror(NECK)))
    if who.collar != "turtle":
        canvas.paint(neck, _shaded_skin(sitting))
    clothes = canvas.figure(curve(mirror(SHOULDERS), density=10), tilted=False)
    canvas.paint(clothes, sitting.cloth)
    side = -sitting.side
    shade: Shape = [(side * 0.10, 0.2), (side * 0.9, 0.2), (side * 0.9, 2.4), (side * 0.02, 2.4)]
    dark = mix(sitting.cloth, "#08060c", 0.5)
    canvas.paint(canvas.figure(shade, tilted=False, blur=0.05) & clothes, dark, 0.55)
    return neck | clothes | _collar(sitting)


def _collar(sitting: _Sitting) -> Mask:
    canvas, who, cloth = sitting.canvas, sitting.who, sitting.cloth
    if who.collar == "turtle":
        roll = canvas.figure(curve(mirror(TURTLE)))
        canvas.paint(roll, mix(cloth, "#ffffff", 0.07))
        canvas.stroke([(-0.088, 0.335), (0, 0.355), (0.088, 0.335)], mix(cloth, "#000000", 0.3), width=0.006)
        return roll
    opening = canvas.figure(curve(mirror(NECKLINES[who.collar]), density=8))
    canvas.paint(opening, _shaded_skin(sitting))
    if who.collar == "crew":
        hem = [(-0.105, 0.315), (-0.055, 0.372), (0, 0.392), (0.055, 0.372), (0.105, 0.315)]
        canvas.stroke(hem, mix(cloth, "#ffffff", 0.16), width=0.016)
    elif who.collar == "collar":
        linen = mix(cloth, "#ffffff", 0.6 if sitting.light.night else 0.82)
        for side in (-1, 1):
            flap = [(side * 0.07, 0.285), (side * 0.135, 0.335), (side * 0.075, 0.475), (0, 0.44)]
            canvas.paint(canvas.figure(flap), linen)
    return opening


def _shaded_skin(sitting: _Sitting) -> Colour:
    return mix(sitting.tint.skin, sitting.tint.dark, 0.18)


def _back_of_head(sitting: _Sitting, behind: Mask) -> Mask:
    canvas, who = sitting.canvas, sitting.who
    head = behind
    if who.style in ("short", "bun"):
        head = head | canvas.figure(face.outline(who.jaw))
    canvas.paint(head, sitting.hair)
    shadow = mix(sitting.hair, "#0a0810", 0.30)
    far = -sitting.side
    half = canvas.figure(
        curve([(far * 0.02, -0.4), (far * 0.05, 0.7), (far * 0.4, 0.7), (far * 0.4, -0.4)]), blur=0.03
    )
    canvas.paint(half & head, shadow, 0.6)
    _strands(sitting, head, shadow, 12)
    _strands(sitting, head, _shine(sitting), 6)
    return head


def _head(sitting: _Sitting, behind: Mask, front: list[Shape]) -> Mask:
    canvas, who, tint = sitting.canvas, sitting.who, sitting.tint
    shape = face.outline(who.jaw)
    chin = canvas.figure([(x * 0.92, y + 0.075) for x, y in shape], blur=0.008)
    canvas.paint(
        chin & canvas.figure(curve(mirror(NECK))), tint.dark, 0.3 if who.collar == "turtle" else 0.75
    )
    _ears(sitting)
    cheeks = canvas.figure(shape)
    canvas.paint(cheeks, tint.skin)
    _shade_face(sitting, cheeks, front)
    face.features(canvas, who, tint)
    hairline = canvas.figure(*front)
    canvas.paint(hairline, sitting.hair)
    _strands(sitting, hairline, _shine(sitting), 9)
    return hairline | behind | cheeks


def _ears(sitting: _Sitting) -> None:
    canvas, who, tint = sitting.canvas, sitting.who, sitting.tint
    for side in (-1, 1):
        ear = disc((side * 0.160 - tint.look * 0.3, 0.0), 0.026, 0.044)
        canvas.paint(canvas.figure(ear), mix(tint.skin, tint.dark, 0.28))
    if who.extra == "earring" and who.style in ("short", "bun", "curly", "bob"):
        for side in (-1, 1):
            pearl = canvas.figure(disc((side * 0.166, 0.062), 0.015))
            canvas.paint(pearl, mix(sitting.light.glow, "#ffffff", 0.25))


def _shade_face(sitting: _Sitting, cheeks: Mask, front: list[Shape]) -> None:
    """Half-face shade, the shadow under the hair, blush and freckles."""
    canvas, tint, side = sitting.canvas, sitting.tint, sitting.side
    half = [
        (-side * 0.03, -0.3),
        (-side * 0.012, -0.05),
        (-side * 0.045, 0.03),
        (-side * 0.01, 0.10),
        (-side * 0.05, 0.30),
        (-side * 0.4, 0.3),
        (-side * 0.4, -0.3),
    ]
    canvas.paint(canvas.figure(curve(half), blur=0.010) & cheeks, mix(tint.skin, tint.dark, 0.5), 0.62)
    fall = canvas.figure(*front, blur=0.006).moved(0, canvas.pixels(0.016))
    canvas.paint(fall & cheeks, tint.dark, 0.5)
    for cheek in (-1, 1):
        blush = canvas.figure(disc((cheek * 0.092 + tint.look, 0.055), 0.036, 0.026), blur=0.014)
        canvas.paint(blush & cheeks, mix(tint.skin, "#d2403c", 0.5), 0.18)
    if sitting.who.extra == "freckles":
        _freckles(sitting)


def _freckles(sitting: _Sitting) -> None:
    rng, tint = sitting.rng, sitting.tint
    for _ in range(16):
        x = rng.choice([-1, 1]) * rng.uniform(0.03, 0.11) + tint.look
        spot = sitting.canvas.figure(disc((x, rng.uniform(0.02, 0.07)), 0.0026, density=12))
        sitting.canvas.paint(spot, mix(tint.skin, tint.dark, 0.8), 0.8)


def _shine(sitting: _Sitting) -> Colour:
    return mix(sitting.hair, mix(sitting.light.glow, "#ffffff", 0.2), 0.20)


def _strands(sitting: _Sitting, within: Mask, colour: Colour, count: int) -> None:
    """A few long tone-on-tone strokes give hair its fall."""
    rng = sitting.rng
    for _ in range(count):
        x = rng.uniform(-0.24, 0.24)
        fall = [(x * 0.35, -0.30), (x * 0.95, -0.12), (x * 1.1, 0.15), (x * rng.uniform(1.0, 1.25), 0.55)]
        line = sitting.canvas.line(fall, rng.uniform(0.003, 0.009))
        sitting.canvas.paint(line & within, colour, 0.5)


def _rim(sitting: _Sitting, outline: Mask) -> None:
    """A line of light on the edge that faces the sun."""
    canvas = sitting.canvas
    shifted = outline.moved(-sitting.side * canvas.pixels(0.012), canvas.pixels(0.007))
    edge = (outline - shifted).soft(canvas.unit * 0.0025) & outline
    canvas.paint(edge, sitting.light.glow, 0.62)
