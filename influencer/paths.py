"""Where things lie in the data folder. Asked at each use, so that tests can move it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings


def data_dir() -> Path:
    return Path(settings.DATA_DIR)


def media() -> Path:
    """Image files, one folder a character."""
    return data_dir() / "media"


def run() -> Path:
    """What lives only while `up` runs: locks, previews, the sandbox's address."""
    return data_dir() / "run"
