"""Handlers for drills: they leave traces in a file, so that what really ran can be counted."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from influencer.jobs.context import JobContext


def quick(job: JobContext) -> dict[str, int]:
    _trace(job, "quick")
    return {"pid": os.getpid()}


def slow(job: JobContext) -> dict[str, int]:
    """Works until the file `go` is there; re-attaches with its memo."""
    _trace(job, f"attempt {job.attempt}")
    if not job.step_done("first"):
        with job.step("first"):
            job.remember(pid=os.getpid(), prompt_id=f"prompt-{job.attempt}")
    with job.step("second"):
        while not Path(job.request["go"]).exists():
            job.check_cancelled()
            time.sleep(0.05)
    _trace(job, f"done by {job.memo['prompt_id']}")
    return {"pid": os.getpid()}


def deadly(job: JobContext) -> None:
    _trace(job, "dying")
    os.kill(os.getpid(), signal.SIGKILL)


def _trace(job: JobContext, word: str) -> None:
    with Path(job.request["trace"]).open("a") as file:
        file.write(f"{word}\n")
