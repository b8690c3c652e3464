"""The only place where a job writes to its post.

The job's lease is the post's: each write renews it in the same transaction, and holds only while the
row is as the worker knows it. A worker that was frozen and has lost its job changes nothing any more,
with one exception: what a platform has answered to the decisive call is the truth whoever hears it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from characters.publishing.accounts import standing, tokens
from characters.publishing.models import DECISIVE_STEP, Attempt, Post, PostState
from influencer.clients import x_errors
from influencer.clients.network import TURNED_AWAY
from influencer.clients.platform import Action, PlatformError
from influencer.errors import Conflict, Problem
from influencer.jobs import LostLease, Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext

log = logging.getLogger(__name__)

LATEST = 200
PUT_OFF = frozenset(rule.code for rule in (*x_errors.RULES, TURNED_AWAY) if rule.action is Action.WAIT)
# Also one that was answered well, as long as its post has no id: the answer was heard and could not be kept.
UNANSWERED = Q(code__in=("", "outcome_unknown"))


def write(job: JobContext, post: Post, **fields: Any) -> None:
    """Change the post. Raises `LostLease`; `Wait` to begin anew when it is no longer as it was read."""
    with transaction.atomic():
        job.renew()
        as_read = Post.objects.filter(pk=post.pk, state=post.state, remote_id=post.remote_id)
        if not as_read.update(**fields, updated_at=timezone.now()):
            raise Wait(timezone.now(), "following", "Looks at what has become of it")
    for name, value in fields.items():
        setattr(post, name, value)


def accept(job: JobContext, post: Post, ids: Mapping[str, str]) -> None:
    """What the platform has given belongs to the post; with its own id it is published."""
    fields = _given(post, ids)
    try:
        write(job, post, **fields)
    except (LostLease, Wait):
        if ids.get("remote_id"):
            _keep_receipt(post, fields)
        raise


def _given(post: Post, ids: Mapping[str, str]) -> dict[str, Any]:
    known = {**post.remote_ids, **ids}
    fields: dict[str, Any] = {"remote_ids": known}
    if ids.get("permalink"):
        fields["permalink"] = ids["permalink"]
    if known.get("remote_id") and not post.remote_id:
        fields |= {"remote_id": known["remote_id"], "state": PostState.PUBLISHED}
        fields |= {"published_at": timezone.now(), "error": None}
    return fields


def _keep_receipt(post: Post, fields: Mapping[str, Any]) -> None:
    """The platform's own word that the post is out, heard by a worker that has lost its job.

    Where the job was given up meanwhile it goes on: the link is still to be read.
    """
    if Post.objects.filter(pk=post.pk, remote_id="").update(**fields, updated_at=timezone.now()):
        log.warning("post %s: published, as a worker heard that had lost its lease", post.pk)
        with suppress(Conflict):  # it is at work
            jobs.retry(post.job_id, resolved=True)
    elif not Post.objects.filter(pk=post.pk, remote_id=fields["remote_id"]).exists():
        log.error("post %s: the platform gave two ids, the other is %s", post.pk, fields["remote_id"])


@contextmanager
def attempted(post: Post, name: str, *, at: datetime | None = None) -> Iterator[Attempt]:
    """An entry in the post's log, written before the call and closed with its answer."""
    entry = Attempt.objects.create(post=post, step=name, at=at or timezone.now())
    with closing(entry):
        yield entry
        entry.http_status = 200


@contextmanager
def closing(entry: Attempt) -> Iterator[None]:
    """Close the entry with the answer; the account's standing hears of a refusal."""
    began = time.monotonic()
    try:
        yield
    except PlatformError as error:
        _note(entry, began, error)
        standing.refused(entry.post.account, error, tokens.mark_for(entry.post))
        raise
    _note(entry, began)


def _note(entry: Attempt, began: float, error: PlatformError | None = None) -> None:
    entry.milliseconds = round((time.monotonic() - began) * 1000)
    if error:
        entry.http_status, entry.code, entry.message = error.http_status, str(error.code), error.message
    entry.save()


def kept_back(post: Post, problem: Problem, *, since: datetime) -> None:
    """An entry for what the check before the first call, begun at `since`, found against the post."""
    took = round((timezone.now() - since).total_seconds() * 1000)
    said = {"code": str(problem.code)[:60], "message": problem.message}
    Attempt.objects.create(post=post, step="check", at=since, milliseconds=max(took, 0), **said)


# --- what the log tells ----------------------------------------------------------------------


def unanswered(post: Post, *, ever: bool = False) -> QuerySet[Attempt]:
    """The decisive calls that may have made the post, which has no id yet: since publishing began for the
    last time, or ever.
    """
    found = post.log.filter(UNANSWERED, step=DECISIVE_STEP)
    return found if ever else found.filter(at__gte=_began(post))


def tries_in_doubt(post: Post) -> int:
    """How often publishing was tried since then; what the platform only put off is no try."""
    return post.log.filter(step=DECISIVE_STEP, at__gte=_began(post)).exclude(code__in=PUT_OFF).count()


def refused_as_duplicate(post: Post) -> bool:
    """Whether the platform has said since then that it has this text already."""
    return post.log.filter(step=DECISIVE_STEP, code="duplicate", at__gte=_began(post)).exists()


def window(post: Post) -> tuple[datetime, datetime]:
    """When the post can have come into being: from the first unanswered call to the last."""
    times = list(unanswered(post, ever=True).values_list("at", flat=True)) or [_began(post)]
    return times[0], times[-1]


def known_ids(post: Post) -> frozenset[str]:
    """The account's latest posts that are known to be other ones."""
    others = Post.objects.filter(account=post.account).exclude(pk=post.pk).exclude(remote_id="")
    return frozenset(others.values_list("remote_id", flat=True)[:LATEST])


def _began(post: Post) -> datetime:
    return post.publishing_at or post.created_at
