"""What flows along the links of a graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageChops, ImageOps

from influencer.sandbox import art

Size = tuple[int, int]


class Picture(Protocol):
    """A picture as a recipe: pixels are made only when they are needed."""

    @property
    def size(self) -> Size: ...

    def at(self, size: Size) -> Picture: ...

    def pixels(self) -> Image.Image: ...


@dataclass(frozen=True)
class Drawn:
    """A drawing of a wish; drawn anew at every size."""

    wish: art.Wish
    seed: int
    size: Size

    def at(self, size: Size) -> Drawn:
        return replace(self, size=size)

    def pixels(self) -> Image.Image:
        return art.draw(self.wish, self.seed, self.size)


@dataclass(frozen=True)
class Loaded:
    """An uploaded file."""

    path: Path
    size: Size
    modified: int

    def at(self, size: Size) -> Picture:
        return self if size == self.size else Resized(self, size)

    def pixels(self) -> Image.Image:
        with Image.open(self.path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")


@dataclass(frozen=True)
class Flat:
    """One colour, as 0xRRGGBB."""

    colour: int
    size: Size

    def at(self, size: Size) -> Flat:
        return replace(self, size=size)

    def pixels(self) -> Image.Image:
        return Image.new("RGB", self.size, f"#{self.colour:06x}")


@dataclass(frozen=True)
class Resized:
    source: Picture
    size: Size

    def at(self, size: Size) -> Picture:
        return self.source.at(size)

    def pixels(self) -> Image.Image:
        return self.source.pixels().resize(self.size, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Inverted:
    source: Picture

    @property
    def size(self) -> Size:
        return self.source.size

    def at(self, size: Size) -> Inverted:
        return Inverted(self.source.at(size))

    def pixels(self) -> Image.Image:
        return ImageChops.invert(self.source.pixels())


@dataclass(frozen=True)
class Blended:
    """`over` laid on `under` by `amount` (0 to 1): what a partial denoise leaves of the start."""

    under: Picture
    over: Picture
    amount: float

    @property
    def size(self) -> Size:
        return self.over.size

    def at(self, size: Size) -> Blended:
        return Blended(self.under.at(size), self.over.at(size), self.amount)

    def pixels(self) -> Image.Image:
        return Image.blend(self.under.pixels(), self.over.pixels(), self.amount)


@dataclass(frozen=True)
class Model:
    """`broken`: a LoRA in it holds numbers that are none, and every picture turns black."""

    name: str = ""
    loras: tuple[str, ...] = ()
    broken: bool = False


@dataclass(frozen=True)
class Trained:
    """A LoRA that is not a file yet; `broken` when its numbers are none."""

    rank: int
    steps: int
    broken: bool = False

    @property
    def name(self) -> str:
        return f"unsaved_{self.steps}_steps_00001_"


@dataclass(frozen=True)
class Words:
    text: str = ""


@dataclass(frozen=True)
class Guider:
    model: Model = Model()
    words: Words = Words()


@dataclass(frozen=True)
class Latent:
    """`pictures` is empty for a latent nothing has been drawn into yet."""

    size: Size
    batch: int = 1
    pictures: tuple[Picture, ...] = ()

    def resized(self, size: Size) -> Latent:
        return replace(self, size=size, pictures=tuple(picture.at(size) for picture in self.pictures))
