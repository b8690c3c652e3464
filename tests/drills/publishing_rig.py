"""Workers that die, stand still or come twice, for the drills of posts: forked, so that each is a process.

Import this before anything of Django: it gives the drill a data folder and a database of its own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.environment import FOLDER

with socket.create_server(("127.0.0.1", 0)) as _free:
    os.environ["INFLUENCER_PORT"] = str(_free.getsockname()[1])
os.environ["DJANGO_SETTINGS_MODULE"] = "influencer.settings"
# What is waited for is taken as come; a case does not beat.
os.environ["INFLUENCER_PUBLISHING"] = json.dumps({"gap": 0})
os.environ["INFLUENCER_JOBS"] = json.dumps({"heartbeat": 60})

import django

django.setup()

import requests  # noqa: E402
import twitter_text  # noqa: E402, F401  once here, not in every worker anew
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from characters.publishing import accounts, running  # noqa: E402
from characters.publishing.media import hosting  # noqa: E402
from characters.publishing.standing_models import AccountStanding  # noqa: E402
from influencer import sandbox  # noqa: E402
from influencer.clients import x_client  # noqa: E402, F401
from influencer.clients.instagram import Instagram  # noqa: E402
from influencer.clients.x import X  # noqa: E402
from influencer.jobs import sweep, worker  # noqa: E402
from influencer.jobs.models import Job, JobState  # noqa: E402
from influencer.sandbox import Sandbox  # noqa: E402

CLIENTS: dict[str, type] = {"instagram": Instagram, "x": X}
SPEED = 400
# A client gives up after that; the stand-in's own silence is longer.
PATIENCE = 0.4


@dataclass(frozen=True)
class Fate:
    """Signal `number` strikes the worker before or after the `call`-th call of `owner.name`."""

    owner: Any
    name: str
    when: str
    number: signal.Signals = signal.SIGKILL
    call: int = 1


def fork(work: Callable[[], object]) -> int:
    """Do it in a process of its own; its pid."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        accounts.publisher.__kwdefaults__["seconds"] = PATIENCE
        work()
        code = 0
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        os._exit(code)


def at_work(job_id: str, fate: Fate | None = None) -> int:
    """A worker with that job, and maybe a fate; its pid."""

    def work() -> None:
        if fate:
            _doom(fate)
        worker.run(job_id)

    return fork(work)


def _doom(fate: Fate) -> None:
    real, calls = getattr(fate.owner, fate.name), []

    def fatal(*arguments: Any, **more: Any) -> Any:
        calls.append(fate.name)
        if len(calls) == fate.call and fate.when == "before":
            os.kill(os.getpid(), fate.number)
        result = real(*arguments, **more)
        if len(calls) == fate.call and fate.when == "after":
            os.kill(os.getpid(), fate.number)
        return result

    setattr(fate.owner, fate.name, fatal)


def gone(pid: int) -> int:
    """Wait for the process's end; the signal that ended it, 0 for none."""
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def stands_still(pid: int) -> bool:
    """Wait until the process is stopped (True) or has ended."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    return os.WIFSTOPPED(status)


def time_passes() -> None:
    """Everything waited for has come, and dead workers' leases are over."""
    past = timezone.now() - timedelta(minutes=2)
    Job.objects.filter(state=JobState.WAITING).update(not_before=past)
    Job.objects.filter(state=JobState.RUNNING).update(lease_until=past)
    AccountStanding.objects.filter(held_until__gt=past).update(held_until=past)


def the_clock_ticks() -> None:
    """What the clock does with jobs and posts."""
    now = timezone.now()
    sweep.dispatch_due(now)
    sweep.sweep(now)
    running.sweep(now)


@dataclass(frozen=True)
class StandIns:
    """The platforms, and what they have been given."""

    sandbox: Sandbox

    def control(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"X-Sandbox-Key": self.sandbox.key}
        answer = requests.request(
            method, f"{self.sandbox.control}/{path}", json=body, headers=headers, timeout=30
        )
        assert answer.ok, answer.text
        return answer.json()

    def order(self, platform: str, name: str, **more: Any) -> None:
        self.control("POST", "faults", {"service": platform, "name": name, **more})

    def lag(self, seconds: float) -> None:
        """How far X's timeline is behind."""
        self.control("POST", "limits", {"x_timeline_lag": seconds * SPEED})

    def got(self, platform: str, text: str) -> tuple[list[dict[str, Any]], int]:
        """The posts of that text, and how many calls asked for one."""
        answer = self.control("GET", "posts?service=" + platform)
        posts = [post for post in answer["posts"] if post["text"] == text]
        return posts, sum(call["count"] for call in answer["calls"] if call["text"] == text)


@contextmanager
def everything() -> Iterator[StandIns]:
    """Database, stand-ins, and a server for the pictures Instagram fetches."""
    data = Path(settings.DATA_DIR)
    for name in ("media", "run"):
        (data / name).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    drill = os.getpid()
    pictures = fork(lambda: _serve_pictures(drill))
    try:
        with sandbox.started(data, settings.INFLUENCER.own_url, speed=SPEED) as running_sandbox:
            yield StandIns(running_sandbox)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pictures, signal.SIGKILL)
        gone(pictures)


def _serve_pictures(drill: int) -> None:
    """As long as the drill lives."""
    with hosting.media_links():
        while os.getppid() == drill:
            time.sleep(0.2)


__all__ = ["FOLDER", "Fate", "StandIns", "at_work", "everything", "fork", "gone", "stands_still"]
