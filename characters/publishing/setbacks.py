"""What follows when a platform refuses, is slow, or leaves open what it did."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from characters.publishing.models import Post, PostState
from influencer.clients.errors import ServiceError
from influencer.clients.platform import LOOK_FIRST, Action, PlatformError, never_ready, poll_delay
from influencer.errors import Problem
from influencer.jobs import Wait
from influencer.jobs.context import JobContext
from influencer.jobs.interrupts import Reason

BACKOFF = (5.0, 20.0, 60.0)
# Between two questions whether a post exists: a timeline lags a little behind.
LOOKS = (2.0, 8.0, 30.0)
WITHOUT_A_TIME = 3600.0
QUOTA = {"9/2207042", "credits", "spend_cap", "usage_capped"}


def poll_again(job: JobContext, service: str) -> None:
    """Raise `Wait` until the picture may be processed, or `PlatformError` when that takes too long."""
    polls = job.memo.get("polls", 0) + 1
    delay = poll_delay(polls)
    if delay is None:
        raise never_ready(service)
    job.remember(polls=polls)
    raise Wait(_in(delay), "following", f"{service} is processing the image")


def wait_if_worth_it(job: JobContext, post: Post, step: str, error: PlatformError) -> None:
    """Raise `Wait` where another try is safe and makes sense."""
    if error.action is Action.WAIT:
        pause = error.retry_after or WITHOUT_A_TIME
        raise Wait(_in(pause), _reason(error), error.message) from error
    tries = job.memo.get("tries") or {}
    number = tries.get(step, 0) + 1
    action = _action(error, number)
    if Action.START_OVER in (action, error.action):
        _start_over(job, post)
    if action not in (Action.RETRY, Action.START_OVER):
        return
    job.remember(tries={**tries, step: number})
    pause = error.retry_after or BACKOFF[min(number, len(BACKOFF)) - 1]
    raise Wait(_in(pause), "backoff", error.message) from error


def _action(error: PlatformError, number: int) -> Action:
    """What makes sense after the `number`-th such failure of a step."""
    if number <= error.tries:
        return error.action
    return error.then if number == error.tries + 1 else Action.GIVE_UP


def _reason(error: PlatformError) -> Reason:
    longer = (error.retry_after or 0) > WITHOUT_A_TIME
    return "quota" if str(error.code) in QUOTA or longer else "rate limit"


def _start_over(job: JobContext, post: Post) -> None:
    """Forget what was prepared; nothing of it is public."""
    forget(job, "polls")
    post.remote_ids, post.state = {}, PostState.RESERVED
    post.save(update_fields=["remote_ids", "state", "updated_at"])


def ask_again(job: JobContext, service: str) -> None:
    """Raise `Wait` while it makes sense to ask once more whether the post exists."""
    looks = job.memo.get("looks", 0)
    if looks < len(LOOKS):
        job.remember(looks=looks + 1)
        raise Wait(_in(LOOKS[looks]), "following", f"Asking {service} whether the post exists")


def forget(job: JobContext, count: str) -> None:
    """Count from 0 again."""
    if job.memo.get(count):
        job.remember(**{count: 0})


def unknown(post: Post, because: Problem | None = None) -> ServiceError:
    """Nobody knows whether the post went out; nothing is repeated before a person has looked."""
    service = post.get_platform_display()
    reason = f" ({because.message.rstrip('.')})" if because and because.code != "outcome_unknown" else ""
    return ServiceError(
        f"{service} did not say whether the post went out{reason}.",
        service=service,
        code="outcome_unknown",
        fix=LOOK_FIRST,
        outcome_unknown=True,
    )


def _in(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)
