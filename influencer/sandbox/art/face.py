"""The face: eyes, brows, nose, mouth and what is worn on it."""

from __future__ import annotations

from dataclasses import dataclass

from influencer.sandbox.art.canvas import Canvas
from influencer.sandbox.art.colour import Colour, mix, tone
from influencer.sandbox.art.person import Person
from influencer.sandbox.art.shape import Shape, curve, disc, mirror


@dataclass(frozen=True)
class Complexion:
    """The colours of a face; `look` is how far it looks aside."""

    skin: Colour
    dark: Colour
    look: float

    @property
    def line(self) -> Colour:
        return mix(self.dark, "#120c10", 0.55)


def outline(jaw: float) -> Shape:
    return curve(
        mirror(
            [
                (0, -0.225),
                (0.095, -0.208),
                (0.150, -0.14),
                (0.163, -0.04),
                (0.153, 0.05),
                (0.122 * jaw, 0.132),
                (0.062 * jaw, 0.188),
                (0, 0.205),
            ]
        )
    )


def features(canvas: Canvas, who: Person, tint: Complexion) -> None:
    """Everything within the outline, for a face that looks at us."""
    for side in (-1, 1):
        _brow(canvas, who, tint, side)
        if who.eyes == "closed":
            _closed_eye(canvas, tint, side * 0.067 + tint.look)
        else:
            _open_eye(canvas, who, tint, side * 0.067 + tint.look)
    _nose(canvas, tint)
    _mouth(canvas, tint)
    if who.extra == "glasses":
        _glasses(canvas, tint)


def _brow(canvas: Canvas, who: Person, tint: Complexion, side: int) -> None:
    x = side * 0.067 + tint.look
    arch = [
        (x - 0.036, -0.072 + 0.006 * (side < 0)),
        (x, -0.088),
        (x + 0.036, -0.072 + 0.006 * (side > 0)),
    ]
    canvas.stroke(arch, mix(who.hair, tint.line, 0.45), width=0.0095 * who.brow)


def _closed_eye(canvas: Canvas, tint: Complexion, x: float) -> None:
    lid = [(x - 0.034, -0.022), (x - 0.014, -0.006), (x + 0.014, -0.006), (x + 0.034, -0.022)]
    canvas.stroke(lid, tint.line, width=0.0075)


def _open_eye(canvas: Canvas, who: Person, tint: Complexion, x: float) -> None:
    almond = canvas.figure(
        curve(
            [
                (x - 0.034, -0.010),
                (x - 0.012, -0.025),
                (x + 0.013, -0.025),
                (x + 0.034, -0.010),
                (x + 0.012, 0.000),
                (x - 0.012, 0.000),
            ]
        )
    )
    gaze = x + tint.look * 0.15
    canvas.paint(almond, mix("#fbf7f2", tint.skin, 0.18))
    canvas.paint(canvas.figure(disc((gaze, -0.015), 0.0160)) & almond, tone(who.hue, 0.07, 0.34))
    canvas.paint(canvas.figure(disc((gaze, -0.015), 0.0075)) & almond, tint.line)
    canvas.paint(canvas.figure(disc((gaze + 0.005, -0.020), 0.0042)), "#ffffff", 0.9)
    lid = [(x - 0.037, -0.009), (x - 0.012, -0.026), (x + 0.013, -0.026), (x + 0.040, -0.012)]
    canvas.stroke(lid, tint.line, width=0.0068)


def _nose(canvas: Canvas, tint: Complexion) -> None:
    x = tint.look * 1.5
    ridge = [(x + 0.019, 0.022), (x + 0.024, 0.060), (x + 0.004, 0.073), (x - 0.014, 0.067)]
    canvas.stroke(ridge, mix(tint.skin, tint.dark, 0.62), width=0.0060)


def _mouth(canvas: Canvas, tint: Complexion) -> None:
    x = tint.look * 1.1
    lip = mix(tint.skin, "#a02038", 0.42)
    upper = [
        (x - 0.050, 0.120),
        (x - 0.018, 0.109),
        (x, 0.113),
        (x + 0.018, 0.109),
        (x + 0.050, 0.120),
        (x + 0.02, 0.126),
        (x - 0.02, 0.126),
    ]
    lower = [
        (x - 0.049, 0.121),
        (x - 0.02, 0.124),
        (x + 0.02, 0.124),
        (x + 0.049, 0.121),
        (x + 0.022, 0.144),
        (x, 0.148),
        (x - 0.022, 0.144),
    ]
    canvas.paint(canvas.figure(curve(upper)), mix(lip, tint.line, 0.22))
    canvas.paint(canvas.figure(curve(lower)), lip)


def _glasses(canvas: Canvas, tint: Complexion) -> None:
    for side in (-1, 1):
        x = side * 0.069 + tint.look
        canvas.stroke(
            [*disc((x, -0.014), 0.052, 0.046, density=16), (x + 0.052, -0.014)], tint.line, width=0.0065
        )
    bridge = [(tint.look - 0.018, -0.022), (tint.look, -0.028), (tint.look + 0.018, -0.022)]
    canvas.stroke(bridge, tint.line, width=0.0065)
