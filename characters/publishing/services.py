"""Looking at posts, settling what is unknown, and what other pages show of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, URLValidator
from django.db import transaction
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils import timezone

from characters.images.models import Image
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account
from characters.publishing.checks import rules
from characters.publishing.models import Post, PostState
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState

NOT_PUBLISHED = {"code": "not_published", "message": "Somebody looked: it was not published.", "fix": ""}
CHIPS = {
    PostState.RESERVED: ("live", "loader-circle"),
    PostState.PREPARED: ("live", "loader-circle"),
    PostState.PUBLISHING: ("live", "loader-circle"),
    PostState.PUBLISHED: ("ok", "circle-check"),
    PostState.FAILED: ("bad", "circle-x"),
    PostState.UNKNOWN: ("warn", "circle-alert"),
}


@dataclass(frozen=True)
class Row:
    """A post as a list shows it."""

    post: Post
    image: Image | None
    job: Job | None

    @property
    def chip(self) -> tuple[str, str, str]:
        """Word, kind and icon. A sandbox post never reads "published"."""
        kind, icon = CHIPS[PostState(self.post.state)]
        if self.is_asked_about:
            return f"asking {self.post.get_platform_display()}", "warn", "circle-alert"
        if self.post.sandbox and self.post.state == PostState.PUBLISHED:
            return "sandbox", "sandbox", "flask-conical"
        return str(self.post.get_state_display()), kind, icon

    @property
    def can_retry(self) -> bool:
        return self.post.state == PostState.FAILED and bool(self.post.job_id)

    @property
    def is_asked_about(self) -> bool:
        """Whether its answer was lost and the platform is being asked."""
        at_work = self.job is not None and self.job.state == JobState.WAITING
        return at_work and self.post.state == PostState.PUBLISHING


def get(post_id: str) -> Post:
    """Raises `NotFound`."""
    post = Post.objects.filter(pk=post_id).first()
    if post is None:
        raise NotFound("There is no such post.")
    return post


def jobs_of_posts() -> QuerySet[Any]:
    """The jobs the ledger names: a post's page shows its job, and tries it again."""
    return Post.objects.exclude(job_id="").order_by().values("job_id")


def rows(posts: Sequence[Post]) -> list[Row]:
    """Posts with their images and open jobs, by two queries."""
    found = Image.objects.in_bulk([post.image_id for post in posts if post.image_id])
    running = Job.objects.in_bulk([post.job_id for post in posts if not post.is_final])
    return [Row(post, found.get(post.image_id), running.get(post.job_id)) for post in posts]


@transaction.atomic
def resolve(
    post_id: str, *, published: bool, permalink: str = "", remote_id: str = "", retry: bool = False
) -> Post:
    """Settle an unknown outcome by a person's word; `retry` posts what surely did not go out.

    Raises `NotFound`, `Conflict` (`not_unknown`; `still_asking` while its job goes on), `Invalid` for a
    permalink that is no address.
    """
    post = get(post_id)
    if post.state != PostState.UNKNOWN:
        raise Conflict("Only a post whose outcome is unknown can be settled.", code="not_unknown")
    if jobs.is_open(post.job_id):
        raise Conflict("The platform is still being asked. Look again in a minute.", code="still_asking")
    again = retry and not published
    if published:
        link = _checked(permalink)
        remote_id = remote_id or accounts.id_in(Platform(post.platform), link)
        settled = _found(post, link, remote_id)
    else:
        settled = {"state": PostState.RESERVED if again else PostState.FAILED, "remote_ids": {}}
        settled |= {"error": None if again else NOT_PUBLISHED, "publishing_at": None}
    if not Post.objects.filter(pk=post_id, state=PostState.UNKNOWN).update(
        **settled, updated_at=timezone.now()
    ):
        raise Conflict("Somebody else has just settled it.", code="not_unknown")
    if not published:
        jobs.cleared_up(post.job_id, NOT_PUBLISHED)
    if again:
        jobs.retry(post.job_id)
    return get(post_id)


def retry(post_id: str) -> Post:
    """Try a failed post again, from the step it failed at.

    Raises `NotFound`, `Conflict` (`not_failed`; `duplicate` when the same was posted meanwhile).
    """
    post = get(post_id)
    if post.state != PostState.FAILED or not post.job_id:
        raise Conflict("Only a failed post can be tried again.", code="not_failed")
    rules.check_overtaken(post)
    jobs.retry(post.job_id, resolved=(post.error or {}).get("code") == NOT_PUBLISHED["code"])
    return get(post_id)


def _found(post: Post, link: str, remote_id: str) -> dict[str, Any]:
    """What the ledger keeps of a post somebody has found; the job has nothing left to do."""
    ids = {**post.remote_ids, "permalink": link}
    if remote_id:
        ids["remote_id"] = remote_id
    at = post.publishing_at or timezone.now()
    return {
        "state": PostState.PUBLISHED,
        "published_at": at,
        "error": None,
        "permalink": link,
        "remote_id": remote_id,
        "remote_ids": ids,
    }


def profile_of(post: Post, character: Character | None) -> str:
    """Where to look whether the post exists; empty when that is not known."""
    platform = Platform(post.platform)
    handle = getattr(character, accounts.HANDLES[platform], "")
    return accounts.profile_url(platform, handle, sandbox=post.sandbox)


def _checked(permalink: str) -> str:
    if permalink:
        try:
            for check in (URLValidator(schemes=["http", "https"]), MaxLengthValidator(300)):
                check(permalink)
        except ValidationError:
            message = "The link must start with https:// and lead to the post."
            raise Invalid(message, fields={"permalink": [message]}) from None
    return permalink


# --- what other pages show -------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """Of a character's posts: how many there are, and the latest."""

    count: int
    last: Row | None


def card_accounts(ids: Sequence[str]) -> dict[str, list[Account]]:
    return accounts.accounts_of(Character.objects.filter(pk__in=ids))


def card_posts(ids: Sequence[str]) -> dict[str, Figures]:
    """The figures of each card: counts and newest posts by two queries."""
    counts = dict(
        Post.objects.filter(character_id__in=ids)
        .order_by()
        .values_list("character_id")
        .annotate(number=Count("*"))
    )
    place = Window(RowNumber(), partition_by=F("character_id"), order_by=[F("created_at").desc()])
    newest = Post.objects.filter(character_id__in=ids).annotate(place=place).filter(place=1)
    last = {post.character_id: Row(post, None, None) for post in newest}
    return {pk: Figures(counts.get(pk, 0), last.get(pk)) for pk in ids}


def link_of(job: Job) -> tuple[str, str] | None:
    """Where a publishing job's result can be seen."""
    post = Post.objects.filter(pk=job.request.get("postId")).first()
    if post is None:
        return None
    if post.permalink:
        return "See the post", post.permalink
    return "Posts", reverse("characters:detail", args=[post.character_id]) + "#posts"
