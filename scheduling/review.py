"""A run that waits for a person: look at it, let it go out, or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from characters.publishing import posting
from characters.publishing.posting import Intention
from influencer.clients.platform import Platform
from influencer.errors import Conflict, NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from scheduling import runs


def approve(
    job_id: str,
    *,
    caption: str | None = None,
    alt_text: str | None = None,
    captions: Mapping[str, str] | None = None,
) -> Job:
    """Let the run go on to publishing, with other words where they are given.

    `caption` is for every platform, `captions` for those it names.
    Raises `NotFound`, `Conflict` (`not_in_review`), `Invalid` for what a platform would refuse.
    """
    with transaction.atomic():
        job = _in_review(job_id)
        before: dict[str, str] = job.memo["captions"]
        said = {
            name: (captions or {}).get(name, text if caption is None else caption)
            for name, text in before.items()
        }
        words = job.memo["alt_text"] if alt_text is None else alt_text
        for name, text in said.items():
            posting.check_caption(Intention(Platform(name), text, words))
        _remember(job, "Approved", approved=True, captions=said, alt_text=words)
        return jobs.wake(job_id)


def reject(job_id: str) -> Job:
    """End the run without a post; its prompt is free again. Raises `NotFound`, `Conflict`."""
    with transaction.atomic():
        job = _in_review(job_id)
        _remember(job, "Rejected", rejected=True)
        return jobs.cancel(job_id)


def _in_review(job_id: str) -> Job:
    job = Job.objects.select_for_update().filter(pk=job_id, kind=runs.KIND).first()
    if job is None:
        raise NotFound("There is no such run.")
    if not runs.in_review(job):
        raise Conflict("This run does not wait for review any more.", code="not_in_review")
    return job


def _remember(job: Job, message: str, **values: Any) -> None:
    Job.objects.filter(pk=job.pk).update(memo={**job.memo, **values}, message=message)
