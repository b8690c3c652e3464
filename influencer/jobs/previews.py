"""The picture of a job at work: a file that lives as long as the job runs."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from influencer import paths


def path_of(job_id: str) -> Path:
    return paths.run() / "previews" / f"{Path(job_id).name}.jpg"


def write(job_id: str, jpeg: bytes) -> None:
    """Replace the preview; a reader sees the old or the new one, never half of it."""
    path = path_of(job_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    draft.write_bytes(jpeg)
    draft.replace(path)


def remove(job_id: str) -> None:
    path_of(job_id).unlink(missing_ok=True)


def keep_only(job_ids: set[str]) -> None:
    """Remove what a worker left that did not know its job had ended."""
    for path in path_of("any").parent.glob("*"):
        if path.name.partition(".")[0] not in job_ids:
            path.unlink(missing_ok=True)


def version(job_id: str) -> str:
    """Changes with every new preview; empty when there is none."""
    try:
        return f"{path_of(job_id).stat().st_mtime_ns:x}"
    except FileNotFoundError:
        return ""


def read(job_id: str) -> bytes | None:
    try:
        return path_of(job_id).read_bytes()
    except FileNotFoundError:
        return None
