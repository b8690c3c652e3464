"""What `up` has decided, handed from the preparing program to the lean one that stays."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """One child process: how it is started and how it ends when its parent is gone.

    `keeps` are file descriptors it inherits; `bounded` says that it ends by itself
    soon after SIGTERM, so it may be asked kindly when the supervisor was killed;
    `writes` says that it may hold the database's write lock; `switch` is the settings
    file that may switch it off (see `switch.py`).
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    keeps: tuple[int, ...] = ()
    bounded: bool = False
    writes: bool = False
    switch: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything the supervisor needs to know.

    `screen` may hold the set-up link; `database` is SQLite's file, where there is one.
    """

    programs: tuple[Program, ...]
    host: str
    port: int
    run: Path
    screen: str = field(default="", repr=False)
    log: Path | None = None
    lock: int = -1
    clock: str = ""
    database: Path | None = None

    def hand_over(self) -> int:
        """Put the plan where only the next program in this process finds it.

        Returns the inheritable descriptor: nothing lands on disk or in the
        environment, where other processes could read the set-up link.
        """
        content = json.dumps(asdict(self), default=str).encode()
        descriptor = os.memfd_create("plan", 0)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor


def take_over(descriptor: int) -> Plan:
    """Read the plan that `hand_over` left in this descriptor, and close it."""
    with os.fdopen(descriptor, "rb") as file:
        content = json.load(file)
    programs = tuple(
        Program(**{**item, "argv": tuple(item["argv"]), "keeps": tuple(item["keeps"])})
        for item in content.pop("programs")
    )
    content["run"] = Path(content["run"])
    for name in ("log", "database"):
        content[name] = Path(content[name]) if content[name] else None
    return Plan(programs=programs, **content)
