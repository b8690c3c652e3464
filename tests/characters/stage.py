"""A sandbox in this process and hands that work off the jobs, for tests of images and posts."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone
from PIL import Image

from characters.publishing.standing_models import AccountStanding
from influencer.jobs import services, worker
from influencer.jobs.models import OPEN, Job, JobState
from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app
from tests.influencer.sandbox.bench import KEY, eventually, serving

SPEED = 400
SECONDS = 30


@dataclass(frozen=True)
class Stage:
    """One running sandbox and what a test asks of it."""

    url: str
    folder: Path

    def control(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"X-Sandbox-Key": KEY}
        answer = requests.request(
            method, f"{self.url}/control/{path}", json=body, headers=headers, timeout=SECONDS
        )
        assert answer.ok, answer.text
        return answer.json()

    def order(self, service: str, name: str, **more: Any) -> None:
        self.control("POST", "faults", {"service": service, "name": name, **more})

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def speed(self, speed: float) -> None:
        self.control("POST", "speed", {"speed": speed})

    def restart(self) -> None:
        self.control("POST", "restart/comfyui")

    def log(self, service: str, method: str, ending: str) -> int:
        """How many such requests the service was sent."""
        entries = self.control("GET", f"log?service={service}")["requests"]
        return sum(entry["method"] == method and entry["path"].endswith(ending) for entry in entries)

    @property
    def prompts_sent(self) -> int:
        return self.log("comfyui", "POST", "/prompt")

    def comfy(self, path: str) -> Any:
        return requests.get(f"{self.url}/comfyui{path}", timeout=SECONDS).json()

    @property
    def prompts_known(self) -> int:
        """Prompts that wait, run or have ended there."""
        queue = self.comfy("/queue")
        return len(queue["queue_running"] + queue["queue_pending"]) + len(self.comfy("/history"))

    @property
    def is_idle(self) -> bool:
        queue = self.comfy("/queue")
        return not queue["queue_running"] + queue["queue_pending"]

    def posts(self, service: str) -> list[dict[str, Any]]:
        return list(self.control("GET", f"posts?service={service}")["posts"])

    def publish_calls(self, service: str) -> int:
        """How often the service was asked to make a post, whatever it answered."""
        return sum(call["count"] for call in self.control("GET", f"posts?service={service}")["calls"])


@contextmanager
def sandbox_at(data_dir: Path, app_url: str = "http://127.0.0.1:1", name: str = "sandbox") -> Iterator[Stage]:
    """A sandbox of the data folder; under another name it is a server of the person's own."""
    folder = data_dir / name
    settings = SandboxSettings(folder, app_url=app_url, key=KEY, speed=SPEED)
    with serving(lambda: build_app(settings)) as url:
        if name == "sandbox":
            facts = {"url": url, "key": KEY, "pid": os.getpid()}
            (data_dir / "run" / "sandbox.json").write_text(json.dumps(facts))
        yield Stage(url, folder)


def attempt(job_id: str) -> Job:
    """One attempt at the job, now, whatever time it or its account waits for."""
    past = timezone.now() - timedelta(seconds=1)
    AccountStanding.objects.filter(held_until__gt=past).update(held_until=past)
    Job.objects.filter(pk=job_id, state=JobState.WAITING).update(not_before=past)
    worker.run(job_id)
    return services.get(job_id)


def see_through(job_id: str, attempts: int = 200) -> Job:
    """Attempts at the job and those it starts until it has ended."""
    for _ in range(attempts):
        for other in Job.objects.filter(state__in=OPEN).order_by("created_at"):
            attempt(other.pk)
        if (job := services.get(job_id)).is_final:
            return job
    raise AssertionError(f"It goes on and on: {services.get(job_id).as_json()}")


def take_over(job_id: str) -> Job:
    """What another worker makes of a job whose own has died."""
    past = timezone.now() - timedelta(minutes=2)
    Job.objects.filter(pk=job_id, state=JobState.RUNNING).update(lease_until=past, heartbeat_at=past)
    return attempt(job_id)


class Died(BaseException):
    """The worker was killed right here."""


@dataclass
class Doomed:
    """Wraps a function so that the worker dies before or after its so-manieth call."""

    real: Callable[..., Any]
    when: str
    number: int
    calls: int = 0

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        self.calls += 1
        fatal = self.calls == self.number
        if fatal and self.when == "before":
            raise Died
        result = self.real(*arguments, **more)
        if fatal:
            raise Died
        return result


@contextmanager
def doom(owner: Any, name: str, when: str, *, number: int = 1) -> Iterator[None]:
    """Inside, the worker dies before or after a call of `owner.name`, by default the first."""
    doomed = Doomed(getattr(owner, name), when, number)
    with pytest.MonkeyPatch.context() as patch:
        if isinstance(owner, type):
            patch.setattr(owner, name, lambda self, *args, **more: doomed(self, *args, **more))
        else:
            patch.setattr(owner, name, doomed)
        yield


def drawn(width: int = 120, height: int = 150, *, colour: str = "teal", kind: str = "PNG") -> bytes:
    """A picture that differs by its colour."""
    return encoded(painted(width, height, colour), kind)


def painted(width: int = 120, height: int = 150, colour: str = "teal") -> Image.Image:
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste(colour, (0, 0, width, height // 3))
    return picture


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


__all__ = [
    "Died",
    "Stage",
    "attempt",
    "doom",
    "drawn",
    "encoded",
    "eventually",
    "painted",
    "sandbox_at",
    "see_through",
    "take_over",
]
