"""A job in words, for the `.job` component, the timeline and screen readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.module_loading import import_string

from influencer.jobs import failures, figures, previews
from influencer.jobs.models import Job, JobState

SPACE = "\u202f"  # narrow, does not break
REASONS = {
    "quota": "Waiting for the quota",
    "rate limit": "Waiting for the rate limit",
    "review": "Waiting for review",
    "server down": "Waiting for the server",
    "backoff": "Waiting to try again",
    "following": "Waiting for a worker",
    "scheduled": "Planned",
}
CHIPS = {
    JobState.QUEUED: ("queued", "", "clock"),
    JobState.WAITING: ("waiting", "", "clock"),
    JobState.RUNNING: ("running", "live", "loader-circle"),
    JobState.SUCCEEDED: ("done", "ok", "circle-check"),
    JobState.FAILED: ("failed", "bad", "circle-x"),
    JobState.CANCELLED: ("cancelled", "", "x"),
}
UNKNOWN_CHIP = ("unknown", "warn", "triangle-alert")


@dataclass(frozen=True)
class Shown:
    """What the `.job` component shows; `mark` tells what a screen reader was told last.

    `tone` is "" at work, else ok, soft (cancelled), bad, or warn (the outcome is unknown);
    `chip` is the state as (word, tone, icon). `retry_from`: the step a retry begins with, if not the first.
    """

    title: str
    detail: str = ""
    tone: str = ""
    icon: str = ""
    chip: tuple[str, str, str] = ("", "", "")
    percent: int | None = None
    mark: str = ""
    spoken: str = ""
    preview: str = ""
    can_cancel: bool = False
    can_retry: bool = False
    retry_from: str = ""
    link: tuple[str, str] | None = None


def shown(job: Job) -> Shown:
    """The job as it stands now."""
    words = WORDS[JobState(job.state)](job)
    common: dict[str, Any] = {"chip": chip_of(job), **_marks(job, words["title"])}
    if job.is_final:
        ended = {"can_retry": _can_retry(job), "retry_from": _retry_from(job), "link": _link(job)}
        return Shown(**{**common, **ended, **words})
    common |= {"percent": round(job.progress * 100), "preview": previews.version(job.id)}
    common["can_cancel"] = not job.is_late and job.cancel_requested_at is None
    return Shown(**{**common, **words})


def chip_of(job: Job) -> tuple[str, str, str]:
    """Its state as (word, tone, icon), without the rest that `shown` has to ask for."""
    unsure = job.state == JobState.FAILED and (job.error or {}).get("code") == failures.UNKNOWN
    return UNKNOWN_CHIP if unsure else CHIPS[JobState(job.state)]


def _queued(job: Job) -> dict[str, Any]:
    if job.cancel_requested_at:
        return _cancelling()
    if job.is_following:  # between two looks; it did not go back to the start
        return _running(job)
    return {"title": f"Queued at {figures.queue_position(job)}", "detail": job.spec.label}


def _running(job: Job) -> dict[str, Any]:
    if job.cancel_requested_at:
        return _cancelling()
    title = job.message or label_of(job.step) or "Started"
    left = f"{duration(job.seconds_left)} left" if job.seconds_left is not None else ""
    return {"title": title, "detail": left or (label_of(job.step) if job.message else "")}


def _waiting(job: Job) -> dict[str, Any]:
    if job.cancel_requested_at:
        return _cancelling()
    if job.is_following:
        return _running(job)
    until = f"until {clock_time(job.until)}" if job.until else ""
    return {"title": REASONS.get(job.reason, "Waiting"), "detail": job.message or until}


def _succeeded(job: Job) -> dict[str, Any]:
    took = f"in {duration(_took(job))}" if job.started_at and job.finished_at else ""
    done = job.message if job.progress >= 1 and job.message else f"{job.spec.label} done"
    return {"title": done, "detail": took, "icon": "circle-check", "tone": "ok"}


def _failed(job: Job) -> dict[str, Any]:
    error = failures.of_job(job.error, job.step)
    title = f"{label_of(error['step']) or job.spec.label} failed: {error['message']}"
    if error["code"] == failures.UNKNOWN:
        unknown = {"icon": "triangle-alert", "tone": "warn"}
        return {"title": title, "detail": error["fix"], **unknown}
    return {"title": title, "detail": error["fix"], "icon": "circle-alert", "tone": "bad"}


def _cancelled(job: Job) -> dict[str, Any]:
    return {"title": "Cancelled", "detail": job.spec.label, "icon": "circle-x", "tone": "soft"}


def _cancelling() -> dict[str, Any]:
    return {"title": "Cancelling"}


WORDS: dict[JobState, Callable[[Job], dict[str, Any]]] = {
    JobState.QUEUED: _queued,
    JobState.RUNNING: _running,
    JobState.WAITING: _waiting,
    JobState.SUCCEEDED: _succeeded,
    JobState.FAILED: _failed,
    JobState.CANCELLED: _cancelled,
}


def _marks(job: Job, title: str) -> dict[str, str]:
    """What is announced: the start, each quarter, a wait and the end; nothing in between."""
    if job.is_final:
        return {"mark": f"{job.state}", "spoken": title}
    if job.state != JobState.RUNNING and not job.is_following:
        return {"mark": f"{job.state}", "spoken": f"{job.spec.label}: {title}"}
    quarter = int(job.progress * 4)
    spoken = f"{job.spec.label}: {quarter * 25} %" if quarter else f"{job.spec.label} started"
    return {"mark": f"q{quarter}", "spoken": spoken}


def _can_retry(job: Job) -> bool:
    if job.state == JobState.CANCELLED:
        return True
    return job.state == JobState.FAILED and (job.error or {}).get("code") != failures.UNKNOWN


def _retry_from(job: Job) -> str:
    """What is done stays done: a job that got somewhere goes on from the step that failed."""
    step, steps = (job.error or {}).get("step", ""), job.spec.steps
    return label_of(step) if step in steps[1:] else ""


def _link(job: Job) -> tuple[str, str] | None:
    if not job.spec.link:
        return None
    found: tuple[str, str] | None = import_string(job.spec.link)(job)
    return found


def _took(job: Job) -> float:
    if job.started_at is None or job.finished_at is None:
        return 0.0
    return (job.finished_at - job.started_at).total_seconds()


def clock_time(moment: datetime) -> str:
    """Hour and minute in the dashboard's time zone, with the date where it is far off."""
    local = timezone.localtime(moment)
    far = local - timezone.localtime() > timedelta(hours=20)
    return f"{local.day} {local:%b}, {local:%H:%M}" if far else f"{local:%H:%M}"


def label_of(name: str) -> str:
    """ "write_caption" → "Write caption"."""
    return name.replace("_", " ").capitalize()


def duration(seconds: float | None) -> str:
    """ "0.9 s", "41 s", "3 min", "2 h 5 min"."""
    if seconds is None:
        return ""
    if seconds < 9.95 and seconds != int(seconds):
        return f"{max(seconds, 0.1):.1f}{SPACE}s"
    if seconds < 120:
        return f"{seconds:.0f}{SPACE}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}{SPACE}h {minutes}{SPACE}min" if hours else f"{minutes}{SPACE}min"
