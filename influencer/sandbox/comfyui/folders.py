"""Where the stand-in keeps files, and which paths a client may name."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

KINDS = ("input", "output", "temp")


class OutsideFolder(Exception):
    """A name that leads out of the folder it must stay in."""


@dataclass(frozen=True)
class Folders:
    """The folders of one ComfyUI: what is uploaded, made, passing, and its models."""

    root: Path

    def of(self, kind: str) -> Path:
        """The folder of `input`, `output` or `temp`. Raises `KeyError` for any other kind."""
        if kind not in KINDS:
            raise KeyError(kind)
        return self.root / kind

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def trained_loras(self) -> Path:
        """LoRAs made here or uploaded as output are offered at once."""
        return self.of("output") / "loras"

    def make(self) -> None:
        for kind in KINDS:
            self.of(kind).mkdir(parents=True, exist_ok=True)

    def empty_temp(self) -> None:
        shutil.rmtree(self.of("temp"), ignore_errors=True)
        self.make()

    def data_sets(self) -> list[str]:
        """Every folder below input, by its path from there."""
        top = self.of("input")
        return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_dir())

    def annotated(self, name: str) -> Path:
        """The file a graph means by `a.png`, `sub/a.png` or `a.png [output]`."""
        kind = "input"
        for other in KINDS:
            if name.endswith(f" [{other}]"):
                kind, name = other, name.removesuffix(f" [{other}]")
        return inside(self.of(kind), name)


def inside(folder: Path, name: str) -> Path:
    """`folder/name`. Raises `OutsideFolder` when that is not below `folder`."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise OutsideFolder(name)
    return path


@dataclass(frozen=True)
class Naming:
    """The names `SaveImage` gives: `<prefix>_00001_.png`, counted per prefix and folder."""

    folder: Path
    subfolder: str
    stem: str
    first: int

    def file(self, index: int) -> str:
        return f"{self.stem.replace('%batch_num%', str(index))}_{self.first + index:05}_.png"


def name_for(output: Path, prefix: str, size: tuple[int, int]) -> Naming:
    """The next names for `prefix`. Raises `OutsideFolder` for one that leaves `output`."""
    wished = Path(_replaced(prefix, size))
    subfolder = "" if str(wished.parent) == "." else str(wished.parent)
    folder = inside(output, subfolder)
    stem = wished.name or "."
    folder.mkdir(parents=True, exist_ok=True)
    return Naming(folder, subfolder, stem, 1 + max(_counts(folder, stem), default=0))


def _replaced(prefix: str, size: tuple[int, int]) -> str:
    now = time.localtime()
    values = {
        "width": size[0],
        "height": size[1],
        "year": now.tm_year,
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }
    for name, value in values.items():
        prefix = prefix.replace(f"%{name}%", str(value))
    return prefix


def _counts(folder: Path, stem: str) -> list[int]:
    heads = (
        path.name.removeprefix(f"{stem}_") for path in folder.glob("*_*") if path.name.startswith(f"{stem}_")
    )
    numbers = (head.split("_")[0] for head in heads)
    return [int(number) for number in numbers if number.isdecimal()]
