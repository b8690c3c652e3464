"""The course things take: a refusal by Instagram, a time that has come, a hold that is over."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from characters.publishing.models import Post
from characters.publishing.standing_models import AccountStanding
from influencer.clients.instagram_errors import rule_for
from influencer.clients.platform import Answer, Call, PlatformError
from influencer.jobs import services as jobs
from influencer.jobs import worker
from influencer.jobs.models import Job, JobState

CALL = Call("Instagram", "publish", decisive=True)


def refusal(code: int, subcode: int | None = None, status: int = 400) -> PlatformError:
    """What Instagram says to a publishing call."""
    return PlatformError(
        rule_for({"code": code, "error_subcode": subcode or ""}, status), CALL, Answer(status)
    )


def due(post: Post) -> Job:
    """An attempt at the job if its time has come, as the clock would have it."""
    now = timezone.now()
    Job.objects.filter(pk=post.job_id, state=JobState.WAITING, not_before__lte=now).update(state="queued")
    worker.run(post.job_id)
    post.refresh_from_db()
    return jobs.get(post.job_id)


def over(account: str) -> None:
    """The time the account was held for is over, for its posts too."""
    past = timezone.now() - timedelta(seconds=1)
    AccountStanding.objects.filter(pk=account).update(held_until=past)
    Job.objects.filter(state=JobState.WAITING).update(not_before=past)
