"""When an account's posts may go out: not while it is held, one after the other, at its own pace."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from characters.publishing import standing
from characters.publishing.models import FINAL, Post
from characters.publishing.pace import pace
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import PlatformError
from influencer.jobs import Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.interrupts import Reason
from influencer.jobs.models import Job, JobState

WITHOUT_A_TIME = 3600.0
WAITS = ("quota", "rate limit")
QUOTA = {"9/2207042", "credits", "spend_cap", "usage_capped"}


def hold(post: Post, error: PlatformError) -> Wait:
    """Hold the whole account as the platform says; the `Wait` for it, which spends no try."""
    seconds = error.retry_after or WITHOUT_A_TIME
    until, code = timezone.now() + timedelta(seconds=seconds), str(error.code)
    code = code if code in QUOTA or seconds <= WITHOUT_A_TIME else "quota"
    standing.hold(post.account, until, error.message, code)
    return Wait(until, _reason(code), error.message)


def rest(post: Post, seconds: float) -> None:
    """Hold the account because its last answer says that nothing, or next to nothing, is left to it."""
    until = timezone.now() + timedelta(seconds=seconds)
    reason = f"What {post.get_platform_display()} allows for now is as good as used up"
    standing.hold(post.account, until, reason, "rate_limit" if seconds <= WITHOUT_A_TIME else "quota")


def pass_hold(job: JobContext, post: Post) -> None:
    """Raise `Wait` while the account is held; when that is over, let one post try it before the others."""
    with transaction.atomic():
        row, now = _locked(post.account), timezone.now()
        if row.held_until is None or job.memo.get("probe") == row.held_until.isoformat():
            return
        if row.held():
            raise Wait(row.held_until, _reason(row.hold_code), row.hold_reason)
        until = now + timedelta(seconds=pace().probe)
        AccountStanding.objects.filter(pk=row.pk).update(held_until=until)
        job.remember(probe=until.isoformat())


def take_turn(post: Post) -> datetime:
    """This moment, for the post to begin at; raises `Wait` when the account's last post is too fresh.

    Inside the transaction that begins it: who waited for the account's row has not waited before that.
    """
    _locked(post.account)
    now, gap = timezone.now(), timedelta(seconds=pace().gap)
    others = Post.objects.filter(account=post.account).exclude(pk=post.pk)
    # One further ahead than the gap was begun before the clock was set back.
    fresh = others.filter(publishing_at__gt=now - gap, publishing_at__lt=now + gap)
    if last := fresh.order_by("-publishing_at").values_list("publishing_at", flat=True).first():
        words = f"Leaves {gap.total_seconds():g} s between posts on {post.get_platform_display()}"
        raise Wait(last + gap, "rate limit", words)
    return now


def worked(post: Post) -> None:
    """The account has posted: nothing holds it any more, and what waits for it goes on."""
    held = standing.of(post.account).held_until is not None
    standing.worked(post.account)
    if held:
        wake(post.account)


def waits(job: Job) -> bool:
    """Whether it waits for its account's allowance."""
    return job.state == JobState.WAITING and job.reason in WAITS


def release(account: str) -> int:
    """Try the account's waiting posts now, one of them first; how many wait."""
    now = timezone.now()
    AccountStanding.objects.filter(pk=account, held_until__gt=now).update(held_until=now)
    return wake(account)


def wake(account: str) -> int:
    """Start the posts that wait for the account's allowance; how many."""
    open_posts = (
        Post.objects.filter(account=account).exclude(state__in=FINAL).order_by("due_at", "created_at")
    )
    waiting = Job.objects.filter(state=JobState.WAITING, reason__in=WAITS)
    found = set(waiting.values_list("pk", flat=True))
    ids = [pk for pk in open_posts.values_list("job_id", flat=True) if pk in found]
    for job_id in ids:
        jobs.wake(job_id)
    return len(ids)


def _locked(account: str) -> AccountStanding:
    """The account's row, held until the transaction ends: of two posts one is first."""
    AccountStanding.objects.get_or_create(key=account)
    return AccountStanding.objects.select_for_update().get(key=account)


def _reason(code: str) -> Reason:
    return "quota" if code in QUOTA or code == "quota" else "rate limit"
