"""Seeing runs through from a terminal: by the workers of `up` or, without them, in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from characters import commands
from characters.publishing.media import hosting
from influencer.clients.platform import Platform
from influencer.errors import Invalid, TookTooLong
from influencer.jobs import watching
from influencer.jobs.models import Job
from scheduling import recipe, runs


def see_through(job_ids: Sequence[str], say: Callable[[str], None]) -> None:
    """Until each has ended, waits for review, or for a later hour."""
    found = list(Job.objects.filter(pk__in=job_ids).order_by("created_at"))
    if not found:
        return
    with _surroundings(found), watching.hands_for("default"):
        for job in found:
            with contextlib.suppress(TookTooLong):
                watching.see_through(job.pk, say)


@contextlib.contextmanager
def _surroundings(found: Sequence[Job]) -> Iterator[None]:
    """What runs need and does not run: stand-ins, and someone who serves Instagram the pictures."""
    works = [job for job in found if job.kind in runs.WITH_PARTS]
    with contextlib.ExitStack() as stack:
        if works:
            stack.enter_context(commands.stand_ins("ComfyUI", "Instagram", "X"))
        if any(map(_goes_to_instagram, works)):
            stack.enter_context(hosting.media_links())
        yield


def _goes_to_instagram(job: Job) -> bool:
    try:
        wanted = recipe.read(job.request["type"], job.request["config"])
    except Invalid:
        return False
    return Platform.INSTAGRAM in wanted.platforms
