"""Taking a prompt out of the library for a run: two runs never take the same one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from django.db import transaction
from django.utils import timezone

from influencer.errors import NotFound
from influencer.jobs.models import Job, JobState
from prompts.models import Prompt


class _Taken(Exception):
    """Another run was faster."""


def claim(character_id: str, *, job_id: str) -> Prompt | None:
    """The character's oldest free prompt, now the job's; None when there is none.

    A job that has one already gets the same again, so a run may start anew after a crash.
    """
    held: Prompt | None = Prompt.objects.filter(used_by=job_id).first()
    if held is not None:
        return held

    def take(record: Prompt) -> None:
        if not record.is_free:
            raise _Taken
        record.used_by = job_id

    for pk in free(character_id):
        try:
            taken: Prompt = Prompt.objects.change(pk, take)
            return taken
        except (_Taken, NotFound):
            continue
    return None


def free(character_id: str) -> list[str]:
    """The ids of the character's free prompts, oldest first."""
    found = Prompt.objects.filter(character_id=character_id, used=False, used_by="").order_by("created_at")
    return list(found.values_list("pk", flat=True))


def release(job_id: str) -> None:
    """Give back what a job has claimed and not used."""

    def give_back(record: Prompt) -> None:
        if record.used_by == job_id and not record.used:
            record.used_by = ""

    for pk in list(Prompt.objects.filter(used_by=job_id, used=False).values_list("pk", flat=True)):
        Prompt.objects.change(pk, give_back)


def mark_used(pk: str, *, by: str = "", image_ids: Sequence[str] = ()) -> Prompt:
    """Note that a prompt was used, by which job and with which images. Raises `NotFound`."""
    now = timezone.now()

    def change(record: Prompt) -> None:
        record.mark_used(by=by or record.used_by, at=now)
        record.image_ids = [*dict.fromkeys([*record.images, *image_ids])]

    changed: Prompt = Prompt.objects.change(pk, change)
    return changed


def image_made(job: Job) -> None:
    """A person had an image made from a prompt of the character: it counts as used, as after a run."""
    pk = job.request.get("from_prompt", "")
    if pk and job.state == JobState.SUCCEEDED:
        transaction.on_commit(partial(_note_images, pk, job), robust=True)


def _note_images(pk: str, job: Job) -> None:
    with suppress(NotFound):  # it may have been deleted since
        if Prompt.objects.filter(pk=pk, character_id=job.character_id).exists():
            mark_used(pk, image_ids=(job.result or {}).get("imageIds", []))


def mark_unused(pk: str) -> Prompt:
    """Put a prompt back among the free ones. Raises `NotFound`."""
    changed: Prompt = Prompt.objects.change(pk, Prompt.mark_unused)
    return changed
