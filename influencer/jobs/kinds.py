"""What kinds of job there are: apps register theirs in `AppConfig.ready`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of job. Everything callable is a dotted name, imported where it is used.

    `handler(job: JobContext) -> dict | None` does the work; what it returns is the job's
    result. `on_finished(job: Job)` runs in the transaction that ends the job, however it
    ended: database writes only. `link(job: Job) -> (text, address) | None` leads to the result.
    `answer(job: Job) -> dict` is what the API adds to the result of a job that succeeded.
    From the step `cancellable_until` on, a job can't be cancelled; empty: it always can.
    """

    name: str
    label: str
    handler: str
    cluster: str = "default"
    steps: tuple[str, ...] = ()
    cancellable_until: str = ""
    on_finished: str = ""
    link: str = ""
    answer: str = ""

    @property
    def late_steps(self) -> tuple[str, ...]:
        """The steps in which a cancel comes too late."""
        if not self.cancellable_until:
            return ()
        return self.steps[self.steps.index(self.cancellable_until) :]


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known. The same one twice is fine, two under one name are not."""
    known = _kinds.setdefault(kind.name, kind)
    if known != kind:
        raise ValueError(f"Two kinds of job are called {kind.name}.")


def get(name: str) -> Kind:
    """The kind of that name; raises `KeyError`."""
    return _kinds[name]


def find(name: str) -> Kind:
    """The kind of that name, or one without steps for a job left by another version."""
    return _kinds.get(name) or Kind(name=name, label=name.replace("_", " ").capitalize(), handler="")


def registered() -> list[Kind]:
    return list(_kinds.values())
