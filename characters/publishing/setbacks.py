"""What follows when a platform refuses, is slow, or leaves open what it did."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils import timezone

from characters.publishing import ledger
from characters.publishing.accounts import waiting
from characters.publishing.models import Post, PostState
from characters.publishing.pace import pace
from influencer.clients.errors import ServiceError
from influencer.clients.platform import LOOK_FIRST, Action, PlatformError, never_ready, poll_delay
from influencer.errors import Problem
from influencer.jobs import Wait
from influencer.jobs.context import JobContext

# A decisive call that surely had no effect is made that often in all.
MOST_CALLS = 5
MOST_STUMBLES = 3

log = logging.getLogger(__name__)


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
        raise waiting.hold(post, error) from error
    tries = job.memo.get("tries") or {}
    number = tries.get(step, 0) + 1
    action = _action(error, number)
    if Action.START_OVER in (action, error.action):
        _start_over(job, post)
    if action not in (Action.RETRY, Action.START_OVER):
        return
    job.remember(tries={**tries, step: number})
    backoff = pace().backoff
    pause = error.retry_after or backoff[min(number, len(backoff)) - 1]
    raise Wait(_in(pause), "backoff", error.message) from error


def _action(error: PlatformError, number: int) -> Action:
    """What makes sense after the `number`-th such failure of a step."""
    if number <= error.tries:
        return error.action
    return error.then if number == error.tries + 1 else Action.GIVE_UP


def _start_over(job: JobContext, post: Post) -> None:
    """Forget what was prepared; nothing of it is public."""
    forget(job, "polls")
    ledger.write(job, post, state=PostState.RESERVED, remote_ids={}, publishing_at=None)


def count_or_give_up(job: JobContext, post: Post) -> None:
    """Count one more decisive call without effect. Raises `ServiceError` when it was the last."""
    tries = job.memo.get("tries") or {}
    number = tries.get("without_effect", 0) + 1
    if number >= MOST_CALLS:
        ledger.write(job, post, state=PostState.PREPARED, publishing_at=None)
        name = post.get_platform_display()
        raise ServiceError(
            f"{name} failed {number} times to publish the post. It is certain that it is not out.",
            service=name,
            code="not_published",
            fix="Retry it later.",
            retryable=True,
        )
    job.remember(tries={**tries, "without_effect": number})


def stumble(job: JobContext, post: Post, error: BaseException) -> None:
    """Raise `Wait` to come again after a fault of our own, where it may pass or the platform can be asked.

    Left to itself it would end the job, and leave open what can be found out.
    """
    number = job.memo.get("stumbles", 0) + 1
    begun = post.is_unsure or bool(post.remote_id)
    if number > MOST_STUMBLES or not (begun or isinstance(error, DatabaseError)):
        return
    log.exception("post %s: it is taken up again", post.pk)
    job.remember(stumbles=number)
    words = "Goes on after a fault of this product; nothing is repeated unasked"
    raise Wait(_in(pace().backoff[0]), "following" if begun else "backoff", words) from error


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
