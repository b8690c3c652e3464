"""A surface to paint shapes on, in units that do not depend on its size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from influencer.sandbox.art.colour import Colour, rgb
from influencer.sandbox.art.shape import Point, Shape, curve

# The frame every scene and figure is composed in: 1 wide, 1.25 high.
FRAME_HEIGHT = 1.25
# Where a taller picture has more than the frame: this share of it is above.
ABOVE = 0.6
MOST_PIXELS = 2_200_000
FINEST = 2.0

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Mask:
    """Coverage of a part of the canvas."""

    box: Box
    image: Image.Image

    def __and__(self, other: Mask) -> Mask:
        box = _overlap(self.box, other.box)
        return Mask(box, ImageChops.multiply(self.cut(box), other.cut(box)))

    def __or__(self, other: Mask) -> Mask:
        box = _around(self.box, other.box)
        return Mask(box, ImageChops.lighter(self.cut(box), other.cut(box)))

    def __sub__(self, other: Mask) -> Mask:
        return Mask(self.box, ImageChops.subtract(self.image, other.cut(self.box)))

    def cut(self, box: Box) -> Image.Image:
        """The coverage within `box`; nothing outside the mask's own box."""
        left, top = self.box[:2]
        return self.image.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))

    def moved(self, right: int, down: int) -> Mask:
        left, top, far, low = self.box
        return Mask((left + right, top + down, far + right, low + down), self.image)

    def soft(self, radius: float) -> Mask:
        return Mask(self.box, self.image.filter(ImageFilter.GaussianBlur(radius)))


class Canvas:
    """Painted larger than asked and reduced at the end."""

    def __init__(self, size: tuple[int, int]) -> None:
        fineness = min(FINEST, math.sqrt(MOST_PIXELS / (size[0] * size[1])))
        self.size = max(1, round(size[0] * fineness)), max(1, round(size[1] * fineness))
        self.image = Image.new("RGB", self.size)
        width, height = self.size
        self.unit = min(float(width), height / FRAME_HEIGHT)
        self.left = (1 - width / self.unit) / 2
        self.right = 1 - self.left
        self.top = (FRAME_HEIGHT - height / self.unit) * ABOVE
        self.bottom = self.top + height / self.unit
        self.place((0.5, 0.55), scale=1.0)

    def place(self, centre: Point, *, scale: float, tilt: float = 0.0) -> None:
        """Where the figure stands; `tilt` in degrees turns it about the base of the neck."""
        self.centre, self.scale, self.tilt = centre, scale, math.radians(tilt)

    def fill(self, shape: Shape, colour: str | Colour, alpha: float = 1.0, *, blur: float = 0.0) -> None:
        """Paint a shape given in frame coordinates."""
        points = [self._pixel(point) for point in shape]
        if blur:
            self.paint(self._mask([points], blur * self.unit), colour, alpha)
        else:
            ImageDraw.Draw(self.image, "RGBA").polygon(points, fill=(*rgb(colour), round(255 * alpha)))

    def figure(self, *shapes: Shape, tilted: bool = True, blur: float = 0.0) -> Mask:
        """The coverage of shapes given in the figure's own coordinates."""
        turned = [[self._pixel(self._stand(point, tilted)) for point in shape] for shape in shapes]
        return self._mask(turned, blur * self.unit)

    def paint(self, mask: Mask, colour: str | Colour, alpha: float = 1.0) -> None:
        image = mask.image if alpha >= 1 else mask.image.point(lambda value: round(value * alpha))
        self.image.paste(rgb(colour), mask.box, image)

    def stroke(self, points: Shape, colour: str | Colour, *, width: float) -> None:
        """Paint a round line through points of the figure."""
        self.paint(self.line(points, width), colour)

    def line(self, points: Shape, width: float) -> Mask:
        """The coverage of a round line of even width through points of the figure."""
        path = [self._pixel(self._stand(point, True)) for point in curve(points, closed=False, density=20)]
        radius = max(width * self.scale * self.unit / 2, 0.5)
        mask = Mask(*self._blank(path, radius + 2))
        draw = ImageDraw.Draw(mask.image)
        local = [(x - mask.box[0], y - mask.box[1]) for x, y in path]
        draw.line(local, fill=255, width=max(1, round(radius * 2)), joint="curve")
        for x, y in (local[0], local[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        return mask

    def pixels(self, length: float) -> int:
        """A length of the figure in pixels."""
        return round(length * self.scale * self.unit)

    def _mask(self, shapes: list[Shape], blur: float) -> Mask:
        mask = Mask(*self._blank([point for shape in shapes for point in shape], blur * 3 + 1))
        draw = ImageDraw.Draw(mask.image)
        for shape in shapes:
            draw.polygon([(x - mask.box[0], y - mask.box[1]) for x, y in shape], fill=255)
        return mask.soft(blur) if blur else mask

    def _blank(self, points: Shape, margin: float) -> tuple[Box, Image.Image]:
        """An empty coverage just large enough for the points, within the canvas."""
        across, down = [x for x, _ in points], [y for _, y in points]
        left, top = math.floor(min(across) - margin), math.floor(min(down) - margin)
        right, bottom = math.ceil(max(across) + margin), math.ceil(max(down) + margin)
        box = _overlap((left, top, right, bottom), (0, 0, *self.size))
        return box, Image.new("L", (box[2] - box[0], box[3] - box[1]))

    def _stand(self, point: Point, tilted: bool) -> Point:
        x, y = point
        if tilted and self.tilt:
            y -= 0.36
            x, y = (
                x * math.cos(self.tilt) - y * math.sin(self.tilt),
                x * math.sin(self.tilt) + y * math.cos(self.tilt) + 0.36,
            )
        return self.centre[0] + self.scale * x, self.centre[1] + self.scale * y

    def _pixel(self, point: Point) -> Point:
        return (point[0] - self.left) * self.unit, (point[1] - self.top) * self.unit


def _overlap(one: Box, other: Box) -> Box:
    left, top = max(one[0], other[0]), max(one[1], other[1])
    return left, top, max(left + 1, min(one[2], other[2])), max(top + 1, min(one[3], other[3]))


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
