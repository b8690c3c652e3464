"""A job for someone at a terminal: done by a worker or, without one, here; a line for each change."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from django.db import DatabaseError, connection

from influencer.errors import Problem
from influencer.jobs import health, services, wording
from influencer.jobs.models import Job

PATIENCE = 3600.0
LOOK = 0.25
Say = Callable[[str], object]


@contextlib.contextmanager
def hands_for(cluster: str) -> Iterator[None]:
    """Inside, the cluster's jobs get done: by its live worker, or in this process."""
    if health.cluster_alive(cluster):
        yield
        return
    with services.working_here():
        yield


def see_through(job_id: str, say: Say, *, seconds: float = PATIENCE) -> Job:
    """The job once it has ended, however it did; `say` is called in another thread meanwhile.

    Ctrl-C cancels the job where that is possible. Raises `TookTooLong`.
    """
    with _Voice(job_id, say):
        try:
            return services.wait_for(job_id, seconds=seconds)
        except KeyboardInterrupt:
            with contextlib.suppress(Problem):
                services.cancel(job_id)
            raise


class _Voice:
    """Says what the job shows whenever that changes."""

    def __init__(self, job_id: str, say: Say) -> None:
        self._job_id = job_id
        self._say = say
        self._said = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, name=f"watching {job_id}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _speak(self) -> None:
        try:
            self._look()
            while not self._over.wait(LOOK):
                self._look()
        finally:
            connection.close()

    def _look(self) -> None:
        with contextlib.suppress(Problem, DatabaseError):
            job = services.get(self._job_id)
            title = "" if job.is_final else wording.shown(job).title
            if title and title != self._said:
                self._said = title
                self._say(title)
