"""When an account's posts may go out: not while it is held, one after the other, at its own pace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from characters.publishing.accounts import standing, tokens
from characters.publishing.models import FINAL, Post
from characters.publishing.pace import pace
from characters.publishing.standing_models import AccountStanding, OtherToken
from influencer.clients.instagram_errors import QUOTA_REACHED
from influencer.clients.platform import PlatformError
from influencer.clients.x_errors import OF_THE_APP, UNPAID
from influencer.jobs import Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.interrupts import Reason
from influencer.jobs.models import Job, JobState

WITHOUT_A_TIME = 3600.0
WAITS = ("quota", "rate limit")
QUOTA = {QUOTA_REACHED, "credits", "spend_cap", "usage_capped"}
SHARED = "; every account of this X app waits for that."


def hold(post: Post, error: PlatformError) -> Wait:
    """Hold the whole account as the platform says; the `Wait` for it, which spends no try."""
    app = standing.of(post.account, tokens.mark_for(post)).app
    until, reason, code = hold_account(post.account, app, error)
    return Wait(until, _reason(code), reason)


def hold_account(account: str, app: str, error: PlatformError) -> tuple[datetime, str, str]:
    """Hold the account, or all that post by its `app` where that is what has no more; until when, and why."""
    seconds = error.retry_after or WITHOUT_A_TIME
    until, code, reason = timezone.now() + timedelta(seconds=seconds), str(error.code), error.message
    if app and code in OF_THE_APP:
        account, reason = app, f"{reason.rstrip('.')}{SHARED}"
    code = code if code in QUOTA or seconds <= WITHOUT_A_TIME else "quota"
    standing.hold(account, until, reason, code)
    return until, reason, code


def wait_for_room(post: Post, until: datetime) -> Wait:
    """Hold the account until its platform's day lets go of a post."""
    reason = f"The account has published as many posts as {post.get_platform_display()} allows in 24 h."
    standing.hold(post.account, until, reason, QUOTA_REACHED)
    return Wait(until, "quota", reason)


def paid(app: str) -> None:
    """The app was answered, so it has credits: what waits for those is tried, one post first."""
    now = timezone.now()
    short = AccountStanding.objects.filter(pk=app, hold_code__in=UNPAID)
    if short.filter(held_until__gt=now).update(held_until=now):
        _wake_all([app])


def rest(post: Post, seconds: float) -> None:
    """Hold the account because its last answer says that nothing, or next to nothing, is left to it."""
    until = timezone.now() + timedelta(seconds=seconds)
    reason = f"What {post.get_platform_display()} allows for now is as good as used up"
    standing.hold(post.account, until, reason, "rate_limit" if seconds <= WITHOUT_A_TIME else "quota")


def pass_hold(job: JobContext, post: Post) -> str:
    """Raise `Wait` while the account, or its app, is held; when that is over, let one post try it first.

    What it had been held for, where this post is the one to try.
    """
    with transaction.atomic():
        now = timezone.now()
        rows = [row for key in _keys(post) if (row := _locked(key)).held_until and not _is_tried(row, job)]
        if not rows:
            return ""
        last = max(rows, key=lambda row: row.held_until or now)
        if last.held(now):
            raise Wait(last.held_until, _reason(last.hold_code), last.hold_reason)
        until = now + timedelta(seconds=pace().probe)
        AccountStanding.objects.filter(pk__in=[row.pk for row in rows]).update(held_until=until)
        job.remember(probe=until.isoformat())
    return last.hold_code


def _is_tried(row: AccountStanding, job: JobContext) -> bool:
    """Whether this job is the one that tries if the account works again."""
    return row.held_until is not None and job.memo.get("probe") == row.held_until.isoformat()


def _keys(post: Post) -> list[str]:
    """The rows that may hold a post: its account's, and its app's."""
    app = standing.of(post.account, tokens.mark_for(post)).app
    return [post.account, app] if app else [post.account]


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
    """The account has posted: nothing holds it or its app any more, and what waits for them goes on."""
    keys = _keys(post)
    held = list(
        AccountStanding.objects.filter(pk__in=keys).exclude(held_until=None).values_list("pk", flat=True)
    )
    standing.worked(post.account, tokens.mark_for(post))
    for app in keys[1:]:
        standing.free(app)
    _wake_all(held)


def waits(job: Job) -> bool:
    """Whether it waits for its account's allowance."""
    return job.state == JobState.WAITING and job.reason in WAITS


def release(account: str) -> int:
    """Try the posts now that wait for the account or its app, one of them first; how many wait."""
    now, keys = timezone.now(), [account, *_apps_of(account)]
    AccountStanding.objects.filter(pk__in=keys, held_until__gt=now).update(held_until=now)
    return _wake_all(keys)


def _wake_all(keys: Sequence[str]) -> int:
    """Start the posts that wait for these accounts and apps; how many."""
    return wake({account for key in keys for account in (key, *_accounts_by(key))})


def wake(accounts: Collection[str]) -> int:
    """Start the posts that wait for the allowance of these accounts; how many."""
    open_posts = Post.objects.filter(account__in=accounts).exclude(state__in=FINAL)
    waiting = Job.objects.filter(state=JobState.WAITING, reason__in=WAITS)
    found = set(waiting.values_list("pk", flat=True))
    in_turn = open_posts.order_by("due_at", "created_at").values_list("job_id", flat=True)
    ids = [pk for pk in in_turn if pk in found]
    for job_id in ids:
        jobs.wake(job_id)
    return len(ids)


def _apps_of(account: str) -> set[str]:
    """The rows of the apps the account posts by."""
    rows = AccountStanding.objects.filter(pk=account).exclude(app="").values_list("app", flat=True)
    others = OtherToken.objects.filter(account=account).exclude(app="").values_list("app", flat=True)
    return {*rows, *others}


def _accounts_by(app: str) -> set[str]:
    """The accounts that post by this app."""
    rows = AccountStanding.objects.filter(app=app).values_list("pk", flat=True)
    return {*rows, *OtherToken.objects.filter(app=app).values_list("account", flat=True)}


def _locked(account: str) -> AccountStanding:
    """The account's row, held until the transaction ends: of two posts one is first."""
    AccountStanding.objects.get_or_create(key=account)
    return AccountStanding.objects.select_for_update().get(key=account)


def _reason(code: str) -> Reason:
    return "quota" if code in QUOTA or code == "quota" else "rate limit"
