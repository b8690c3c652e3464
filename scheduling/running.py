"""The job of one run: prompt → image → caption → publish, with a person's word in between where asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction

from characters import services as characters
from characters.images import generation
from characters.images import services as images
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import standing
from characters.publishing.models import LIVE, Post
from influencer.errors import Conflict, Invalid, NotFound, Problem
from influencer.jobs import Cancelled, Wait
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState
from prompts import claiming
from scheduling import children, delivering, prompting, recipe
from scheduling.delivering import Delivery
from scheduling.models import TaskType
from scheduling.recipe import Recipe
from scheduling.words import joined

STEPS = ("prompt", "image", "caption", "publish")


@dataclass(frozen=True)
class _Run:
    job: JobContext
    character: Character
    recipe: Recipe


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part. A step that is done stays done; a later attempt goes on after it."""
    try:
        return _go_on(_Run(job, *_ingredients(job)))
    except Cancelled:
        children.stop(job)
        raise


def finished(job: Job) -> None:
    """A run that ended without a post gives its prompt back; one whose post may be out does not."""
    if job.state == JobState.SUCCEEDED:
        return
    posts = list((job.memo.get("posts") or {}).values())
    if Post.objects.filter(pk__in=posts, state__in=LIVE).exists():
        transaction.on_commit(partial(_mark_used, job.memo, job.pk))
    else:
        transaction.on_commit(partial(claiming.release, job.pk))


def _ingredients(job: JobContext) -> tuple[Character, Recipe]:
    """Raises `Invalid`, `NotFound`."""
    wanted = recipe.read(job.request["type"], job.request["config"])
    return characters.get(job.character_id), wanted


def _go_on(run_: _Run) -> dict[str, Any]:
    job = run_.job
    if not job.step_done("prompt"):
        with job.step("prompt"):
            _have_prompt(run_)
    prompting.keep(job)
    if not job.step_done("image"):
        with job.step("image"):
            _have_image(run_)
    if run_.recipe.platforms and not job.step_done("caption"):
        with job.step("caption"):
            prompting.write_captions(job, run_.character, run_.recipe)
    posts: list[Post] = []
    if run_.recipe.platforms:
        _wait_for_review(job)
        with job.step("publish"):
            posts = delivering.publish(Delivery(job, run_.character, run_.recipe))
    _mark_used(job.memo, job.id)
    result = _result(job, posts)
    job.finish(result, _told(result, posts))
    return result


def _have_prompt(run_: _Run) -> None:
    """Whatever would refuse the post later refuses it now, before anything is made."""
    places = [accounts.require(run_.character, platform) for platform in run_.recipe.platforms]
    closed = [place for place in places if standing.of(place.key).is_paused]
    if closed and closed == places:
        standing.require_open(closed[0].key)
    if run_.recipe.type != TaskType.POST_APPROVED:
        prompting.choose(run_.job, run_.character, run_.recipe)


# --- the image -------------------------------------------------------------------------------


def _have_image(run_: _Run) -> None:
    """The approved image, or new ones made by a job of their own."""
    job = run_.job
    if run_.recipe.type == TaskType.POST_APPROVED:
        job.remember(image_ids=[_approved(run_)])
        return
    child = children.follow(job, _child(run_), "Image")
    try:
        made = jobs.result_of(child)
    except Problem:
        job.remember(child="")  # a retry makes a new one
        raise
    job.remember(image_ids=made["imageIds"], sandbox=bool(made.get("sandbox")))


def _child(run_: _Run) -> Job:
    """The job that makes the image; started once, however often this is asked."""
    job, character = run_.job, run_.character
    if not job.memo.get("child"):
        wish = run_.recipe.wish_for(job.memo["prompt"], own_size=bool(character.width or character.height))
        with transaction.atomic():
            child = generation.start(character, wish, user_id=job.user_id)
            job.remember(child=child.pk, following=child.pk)
    return jobs.get(job.memo["child"])


def _approved(run_: _Run) -> str:
    """The first approved image that has not gone to these accounts. Raises `Invalid`, `Conflict`."""
    wanted = run_.recipe.images
    if not wanted:
        raise Invalid("Say which images are approved: config.imageIds.", code="no_approved_image")
    keys = [accounts.require(run_.character, platform).key for platform in run_.recipe.platforms]
    gone_out = Post.objects.filter(image_id__in=wanted, account__in=keys, state__in=LIVE)
    used = set(gone_out.values_list("image_id", flat=True))
    for image_id in wanted:
        if image_id not in used and _is_there(image_id, run_.character):
            return image_id
    raise Conflict(
        "All approved images of this task have been posted. Approve another.", code="no_approved_image"
    )


def _is_there(image_id: str, character: Character) -> bool:
    try:
        images.get(image_id, character_id=character.pk)
    except NotFound:
        return False
    return True


# --- the end ---------------------------------------------------------------------------------


def _wait_for_review(job: JobContext) -> None:
    if job.request.get("review") and not job.memo.get("approved"):
        if job.memo.get("rejected"):
            job.remember(rejected=False)  # tried again: a person thought better of it
        raise Wait(None, "review", "Waits for your approval")


def _mark_used(memo: dict[str, Any], job_id: str) -> None:
    """A library prompt that was made use of is not taken again; one that was deleted is no loss."""
    if not memo.get("prompt_id"):
        return
    try:
        claiming.mark_used(memo["prompt_id"], by=job_id, image_ids=memo.get("image_ids") or [])
    except NotFound:
        return


def _told(result: dict[str, Any], posts: list[Post]) -> str:
    """What came of it, for whoever looks at the job."""
    if posts:
        where = joined([post.get_platform_display() for post in posts])
        return f"Posted to {where}{' in the sandbox' if result['sandbox'] else ''}"
    made = len(result["imageIds"])
    return "Made an image" if made == 1 else f"Made {made} images"


def _result(job: JobContext, posts: list[Post]) -> dict[str, Any]:
    return {
        "taskId": job.request["taskId"],
        "imageIds": job.memo.get("image_ids") or [],
        "promptId": job.memo.get("prompt_id") or "",
        "postIds": [post.pk for post in posts],
        "permalinks": [post.permalink for post in posts if post.permalink],
        "sandbox": any(post.sandbox for post in posts) or bool(job.memo.get("sandbox")),
    }
