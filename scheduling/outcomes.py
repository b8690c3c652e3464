"""What became of a run, in two or three words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from influencer.jobs import failures, wording
from influencer.jobs.models import Job, JobState
from scheduling.models import FiredState
from scheduling.runs import REVIEW, TRAINING_KIND, Run


@dataclass(frozen=True)
class Outcome:
    """`tone` is ok, warn, bad, live or empty."""

    text: str
    tone: str = ""


# What needs no look at the job.
PLAIN = {
    REVIEW: Outcome("waits for review", "warn"),
    JobState.QUEUED: Outcome("queued", "live"),
    FiredState.SKIPPED: Outcome("left out"),
    FiredState.MISSED: Outcome("missed", "warn"),
    "gone": Outcome("not known any more"),
}


def of(run: Run) -> Outcome:
    """The outcome of one line of the history."""
    if run.job is None or run.result in PLAIN:
        return PLAIN[run.result]
    return WORDS[JobState(run.job.state)](run.job)


def took(run: Run) -> str:
    """How long it was at work, when it has ended."""
    job = run.job
    if job is None or job.started_at is None or job.finished_at is None:
        return ""
    return wording.duration((job.finished_at - job.started_at).total_seconds())


def _running(job: Job) -> Outcome:
    return Outcome(f"at work: {wording.label_of(job.step).lower()}" if job.step else "at work", "live")


def _waiting(job: Job) -> Outcome:
    if job.is_following:
        return _running(job)
    at = f"{timezone.localtime(job.until):%H:%M}" if job.until else ""
    if job.reason == "scheduled" and at:
        return Outcome(f"starts at {at}", "live")
    return Outcome(f"waits until {at}" if at else "waits", "warn")


def _failed(job: Job) -> Outcome:
    error = job.error or {}
    if error.get("code") == failures.UNKNOWN:
        return Outcome("outcome not known", "warn")
    step = str(error.get("step") or "")
    return Outcome(f"failed at {wording.label_of(step).lower()}" if step else "failed", "bad")


def _cancelled(job: Job) -> Outcome:
    return Outcome("rejected" if job.memo.get("rejected") else "cancelled")


def _succeeded(job: Job) -> Outcome:
    """The most that came of it: posts, else images, else prompts."""
    result = job.result or {}
    if result.get("postIds"):
        return Outcome("sandbox post" if result.get("sandbox") else "posted", "ok")
    if made := result.get("imageIds"):
        return Outcome("image made" if len(made) == 1 else f"{len(made)} images made", "ok")
    if job.kind == TRAINING_KIND:
        return Outcome("trained", "ok")
    if "promptIds" in result:
        return Outcome(f"{len(result['promptIds'])} written", "ok")
    return Outcome("done", "ok")


WORDS = {
    JobState.RUNNING: _running,
    JobState.WAITING: _waiting,
    JobState.FAILED: _failed,
    JobState.CANCELLED: _cancelled,
    JobState.SUCCEEDED: _succeeded,
}
