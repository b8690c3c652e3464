"""The version of the data folder's format, in `format.json`: newer is refused, older converted."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from influencer.errors import Unavailable

FILE = "format.json"
VERSION = 1

# From version n to n + 1, by n: changes the files in the folder it is given.
CONVERTERS: Mapping[int, Callable[[Path], None]] = {}


def check(data: Path) -> Path | None:
    """Bring the folder to this program's format; where its backup lies, if one was needed.

    A folder without `format.json` gets one. Raises `Unavailable` (`newer_format`,
    `format_damaged`) and leaves every file as it is when that can't be done.
    """
    found = read(data)
    if found > VERSION:
        raise Unavailable(
            f"The data in {data} was written by a newer version of this program (format {found}; "
            f"this one knows {VERSION}). Update the program, or choose another INFLUENCER_DATA_DIR.",
            code="newer_format",
        )
    backup = None
    if found < VERSION:
        backup = _back_up(data, found)
        for version in range(found, VERSION):
            CONVERTERS[version](data)
            _write(data, version + 1)
    if not (data / FILE).exists():
        _write(data, VERSION)
    return backup


def read(data: Path) -> int:
    """The folder's version; a folder without the file counts as this program's own."""
    path = data / FILE
    if not path.exists():
        return VERSION
    try:
        return int(json.loads(path.read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(
            f'{path} can\'t be read. It should hold {{"version": {VERSION}}}; put that back or delete it.',
            code="format_damaged",
        ) from error


def _back_up(data: Path, version: int) -> Path:
    """Copy the authored files aside; images are not touched by a conversion."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = data / "backups" / f"format-{version}-{stamp}"
    folder.mkdir(parents=True, mode=0o700)
    for path in [*data.glob("*.json"), *data.glob("*.bak")]:
        shutil.copy2(path, folder / path.name)
    return folder


def _write(data: Path, version: int) -> None:
    draft = data / f"{FILE}.tmp"
    with draft.open("w") as file:
        file.write(json.dumps({"version": version}, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(data / FILE)
