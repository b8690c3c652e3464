"""Runs: starting the job of a task, and what became of each due time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet
from django.db.models.fields.json import KeyTextTransform

from characters import services as characters
from influencer.jobs import services as jobs
from influencer.jobs.models import OPEN, Job, JobState, iso
from prompts import writing
from scheduling import recipe
from scheduling.models import Approval, Fired, FiredState, Task, TaskType

KIND = "run_task"
TRAINING_KIND = "train_task"
# The kinds of job of types that are not a run of the usual steps.
KINDS: dict[str, str] = {TaskType.BACKUP: "backup", TaskType.TRAIN_LORA: TRAINING_KIND}
# Those that start jobs for their parts.
WITH_PARTS = (KIND, TRAINING_KIND)
KEPT = timedelta(days=400)
# How many of a deleted task's latest runs are looked at to find those that wait.
RECENT = 50
REVIEW = "review"
DELETED = "The task was deleted."


@dataclass(frozen=True)
class Run:
    """One line of the history: the due time and, when it was started, its job."""

    fired: Fired
    job: Job | None = None

    @property
    def result(self) -> str:
        """One word: queued, running, waiting, review, succeeded, failed, cancelled, skipped, missed."""
        if self.fired.state != FiredState.FIRED:
            return str(self.fired.state)
        if self.job is None:
            return "gone"
        return REVIEW if in_review(self.job) else str(self.job.state)

    @property
    def why(self) -> str:
        """What there is to say about it beyond the word."""
        error = (self.job.error or {}) if self.job else {}
        return str(error.get("message") or self.fired.why)

    def as_json(self) -> dict[str, Any]:
        return {
            "taskId": self.fired.task_id,
            "due": iso(self.fired.due),
            "kind": str(self.fired.kind),
            "result": self.result,
            "why": self.why,
            "jobId": self.fired.job_id,
            "startedAt": iso(self.job.started_at) if self.job else None,
            "finishedAt": iso(self.job.finished_at) if self.job else None,
        }


def start(
    task: Task, *, due: datetime, not_before: datetime | None = None, user_id: int | None = None
) -> Job:
    """Queue the job of one run, as the task stands now. Belongs into the transaction that records it.

    Raises `Invalid`, `NotFound` for what could not even begin.
    """
    if task.type == TaskType.WRITE_PROMPTS:
        return _write_prompts(task, user_id)
    request = {
        "taskId": task.pk,
        "type": task.type,
        "due": iso(due),
        "config": task.config,
        # Whatever is not plainly "auto" waits for a person.
        "review": task.approval != Approval.AUTO,
    }
    kind = KINDS.get(task.type, KIND)
    return jobs.start(
        kind, character_id=task.character_id, request=request, user_id=user_id, not_before=not_before
    )


def _write_prompts(task: Task, user_id: int | None) -> Job:
    wanted, character = recipe.read(task.type, task.config), characters.get(task.character_id)
    about = {"narrative": wanted.narrative, "wish": wanted.prompt}
    return writing.start(character, count=wanted.count, **about, user_id=user_id)


def record(task: Task, due: datetime, state: FiredState, **fields: Any) -> Fired:
    """Write what became of a due time. Raises `IntegrityError` for one that is recorded already."""
    return Fired.objects.create(
        task_id=task.pk, character_id=task.character_id, due=due, state=state, **fields
    )


def going(task_id: str) -> Job | None:
    """The task's run that is still at work. One that only waits for review has done its work."""
    started = Fired.objects.filter(task_id=task_id, state=FiredState.FIRED).values("job_id")
    found = Job.objects.filter(state__in=OPEN, pk__in=started).order_by()
    return next((job for job in found if not in_review(job)), None)


def all_going() -> set[str]:
    """The tasks that have a run still at work."""
    at_work = [job.pk for job in Job.objects.filter(state__in=OPEN).order_by() if not in_review(job)]
    return set(Fired.objects.filter(job_id__in=at_work).order_by().values_list("task_id", flat=True))


def in_review(job: Job) -> bool:
    return job.state == JobState.WAITING and job.reason == REVIEW


def with_jobs(fired: Sequence[Fired]) -> list[Run]:
    """Rows of the history with their jobs, by one query."""
    found = Job.objects.in_bulk([row.job_id for row in fired if row.job_id])
    return [Run(row, found.get(row.job_id)) for row in fired]


def newest(task_ids: Sequence[str] | None = None) -> QuerySet[Fired]:
    """The newest line of each task's history; of all tasks when none are named."""
    rows = Fired.objects.order_by()
    rows = rows if task_ids is None else rows.filter(task_id__in=task_ids)
    return Fired.objects.filter(pk__in=rows.values("task_id").annotate(newest=Max("pk")).values("newest"))


def latest(task_ids: Sequence[str] | None = None) -> dict[str, Run]:
    """The same with their jobs, by task."""
    return {run.fired.task_id: run for run in with_jobs(list(newest(task_ids)))}


def jobs_of_last_runs() -> QuerySet[Any]:
    """The job of each task's latest run, which the list of tasks tells the result of."""
    return newest().exclude(job_id="").order_by().values("job_id")


def parts_of_open_runs() -> QuerySet[Any]:
    """The job that a run follows which is not over: it may wait for review for long."""
    following = KeyTextTransform("following", "memo")
    still = Job.objects.filter(kind=KIND, state__in=OPEN).annotate(part=following)
    return still.filter(part__isnull=False).order_by().values("part")


def history(task_id: str = "", *, most: int = 50) -> list[Run]:
    """What became of the latest due times, newest first; of one task or all."""
    rows = Fired.objects.filter(task_id=task_id) if task_id else Fired.objects.all()
    return with_jobs(list(rows[:most]))


def missed() -> QuerySet[Fired]:
    """The missed runs about which a person has to decide, newest first."""
    return Fired.objects.filter(state=FiredState.MISSED)


def waiting_for_review() -> QuerySet[Job]:
    """The runs that wait for someone to look at them, oldest first."""
    return Job.objects.filter(state=JobState.WAITING, reason=REVIEW, kind=KIND).order_by("created_at")


def waiting_for_someone() -> int:
    """How many want a decision, for the number beside the tab."""
    return waiting_for_review().count() + missed().count()


def drop_missed_without_task(task_ids: Collection[str]) -> None:
    """Nobody has to decide about the missed runs of a task that is none of these any more."""
    gone = set(missed().values_list("task_id", flat=True)) - set(task_ids)
    missed().filter(task_id__in=gone).update(state=FiredState.SKIPPED, why=DELETED)


def prune(now: datetime) -> None:
    """Forget the history of more than a year ago, decisions that nobody took included."""
    Fired.objects.filter(at__lt=now - KEPT).delete()
