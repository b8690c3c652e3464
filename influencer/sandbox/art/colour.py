"""Colours: hex, mixing, and even tones round the hue circle."""

from __future__ import annotations

import math

Colour = tuple[int, int, int]


def rgb(value: str | Colour) -> Colour:
    if isinstance(value, str):
        return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
    return value


def mix(one: str | Colour, other: str | Colour, share: float) -> Colour:
    """`one` with `share` (0 to 1) of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(rgb(one), rgb(other), strict=True))
    return red, green, blue


def tone(hue: float, chroma: float, light: float) -> Colour:
    """OKLCH to sRGB, `hue` in turns: even lightness across hues keeps a gallery calm."""
    a, b = chroma * math.cos(hue * math.tau), chroma * math.sin(hue * math.tau)
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.291485548 * b) ** 3
    return (
        _gamma(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _gamma(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _gamma(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
    )


def _gamma(value: float) -> int:
    curved = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return round(255 * min(max(curved, 0.0), 1.0))
