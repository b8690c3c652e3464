"""The last step of a run: its image to each platform, by the publishing jobs, never too close together."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts, posting
from characters.publishing.models import LIVE, Post, PostState
from characters.publishing.posting import Intention
from influencer.clients.platform import Platform
from influencer.errors import Problem
from influencer.jobs import Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from scheduling import children
from scheduling.recipe import Recipe
from scheduling.spacing import SPACE

GOING_OUT = Q(state__in=(PostState.PREPARED, PostState.PUBLISHING))


@dataclass(frozen=True)
class Delivery:
    """What goes out, for whom."""

    job: JobContext
    character: Character
    recipe: Recipe


def publish(delivery: Delivery) -> list[Post]:
    """Post the image to every platform and see each through; the posts.

    What fails on one platform does not keep the other from its post. Raises `Wait`, and what the
    first failed one failed with.
    """
    _begin_failed_again(delivery.job)
    problems = [problem for platform in delivery.recipe.platforms if (problem := _begin(delivery, platform))]
    for post in posts_of(delivery.job.memo):
        children.follow(delivery.job, jobs.get(post.job_id), post.get_platform_display())
    posts = posts_of(delivery.job.memo)
    failed = [post for post in posts if post.state != PostState.PUBLISHED]
    delivery.job.remember(again=[post.pk for post in failed])
    problems += [_problem_of(post) for post in failed]
    if problems:
        raise _with_what_worked(problems[0], [post for post in posts if post not in failed])
    return posts


def posts_of(memo: dict[str, dict[str, str]]) -> list[Post]:
    """The posts a run has made so far."""
    return list(Post.objects.filter(pk__in=list((memo.get("posts") or {}).values())).order_by("platform"))


def _begin(delivery: Delivery, platform: Platform) -> Problem | None:
    """Put the post into the ledger, once; what refuses it."""
    job, memo = delivery.job, delivery.job.memo
    if str(platform) in (memo.get("posts") or {}):
        return None
    intention = Intention(
        platform=platform,
        caption=memo["captions"][str(platform)],
        alt_text=memo["alt_text"],
        ai_label=delivery.character.ai_label,
        ai_label_reason=delivery.character.ai_label_reason,
        image_id=memo["image_ids"][0],
        # Words that stand in the task are meant to come again.
        force=delivery.recipe.force or bool(delivery.recipe.caption),
        nonce=f"{job.id}:{platform}",
    )
    try:
        with transaction.atomic():
            _leave_room(delivery.character, platform)
            made = posting.start(delivery.character, intention, user_id=job.user_id)
            job.remember(posts={**(memo.get("posts") or {}), str(platform): made.pk})
    except Problem as problem:
        return problem
    return None


def _leave_room(character: Character, platform: Platform) -> None:
    """Raise `Wait` while the account's last post is less than a minute old."""
    target = accounts.require(character, platform)
    since = timezone.now() - SPACE
    recent = Q(published_at__gt=since) | Q(created_at__gt=since, state__in=LIVE) | GOING_OUT
    posts = Post.objects.filter(recent, account=target.key, updated_at__gt=since)
    last = max((post.published_at or post.updated_at for post in posts), default=None)
    if last is not None:
        raise Wait(last + SPACE, "rate limit", f"Leaves a minute between posts on {target.name}")


def _begin_failed_again(job: JobContext) -> None:
    """A retry of the run is a retry of what failed in it."""
    again = job.memo.get("again") or []
    for post in Post.objects.filter(pk__in=again, state=PostState.FAILED):
        if jobs.get(post.job_id).is_final:
            jobs.retry(post.job_id)
    if again:
        job.remember(again=[])


def _problem_of(post: Post) -> Problem:
    try:
        jobs.result_of(jobs.get(post.job_id))
    except Problem as problem:
        return problem
    error = post.error or {}
    return Problem(error.get("message", "It was not posted."), code=error.get("code", "not_posted"))


def _with_what_worked(problem: Problem, posts: list[Post]) -> Problem:
    if posts:
        names = " and ".join(post.get_platform_display() for post in posts)
        problem.message = f"{problem.message} The post on {names} went out."
    return problem
