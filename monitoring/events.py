"""Writing the log of events, and reading it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from characters.publishing import accounts
from influencer.jobs import failures, names, wording
from influencer.jobs.models import Job, JobState
from monitoring.models import Event, Kind, Level

KEEP = timedelta(days=60)
AT_ONCE = 5000
LONGEST = 600
KINDS = {"publish_post": Kind.POST, "backup": Kind.BACKUP}
LEVELS = {JobState.SUCCEEDED: Level.OK, JobState.FAILED: Level.BAD, JobState.CANCELLED: Level.NOTE}
# What a person picks in the log's filter: how grave at least.
GRAVE = {"warn": (Level.WARN, Level.BAD), "bad": (Level.BAD,)}


def record(kind: Kind, text: str, level: Level = Level.OK, **more: Any) -> Event:
    """Write one line; `more` are further fields. The text holds no secret."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    return Event.objects.create(kind=kind, level=level, text=text, **more)


def search(*, kind: str = "", level: str = "") -> QuerySet[Event]:
    """The log, newest first; `level` warn or bad leaves out what is less grave."""
    found = Event.objects.all()
    if kind in Kind.values:
        found = found.filter(kind=kind)
    return found.filter(level__in=GRAVE[level]) if level in GRAVE else found


def job_ended(job: Job) -> None:
    """A job has ended, however it did (`jobs.services.on_finished`)."""
    if job.kind == "backup" and job.state == JobState.SUCCEEDED:
        return  # `backup_made` tells it, also of one made by the command
    error = job.error or {}
    unsure = error.get("code") == failures.UNKNOWN
    took = job.finished_at - job.started_at if job.finished_at and job.started_at else None
    record(
        KINDS.get(job.kind, Kind.JOB),
        _said_of(job),
        Level.WARN if unsure else LEVELS[JobState(job.state)],
        service=" ".join(filter(None, (error.get("service"), error.get("code")))),
        subject=job.pk,
        seconds=took.total_seconds() if took is not None else None,
    )


def _said_of(job: Job) -> str:
    """ "Post for Luna: Publish failed: Instagram refused the token"."""
    name = names.names_of([job.character_id]).get(job.character_id)
    return f"{job.spec.label}{f' for {name}' if name else ''}: {wording.shown(job).title}"


def backup_made(file: Path, **_: object) -> None:
    """A backup was made and checked (`scheduling.backup.made`)."""
    record(Kind.BACKUP, f"Backup made and checked: {file.name}")


def account_happened(account: str, level: str, text: str, code: str, **_: object) -> None:
    """Something happened to an account, wherever that was (`publishing.happenings.happened`)."""
    record(
        Kind.ACCOUNT,
        f"{accounts.called(account)}: {text}",
        Level(level),
        service=" ".join(filter(None, (accounts.platform_of(account), code)))[:80],
        subject=account[:80],
    )


def prune(now: datetime) -> None:
    """Forget what is older than two months, a part at a time."""
    old = Event.objects.filter(at__lt=now - KEEP).order_by("at").values("pk")[:AT_ONCE]
    Event.objects.filter(pk__in=old).delete()
