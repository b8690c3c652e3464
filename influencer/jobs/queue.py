"""The hand-over to django-q2: a message carries a job's id and nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django_q.brokers import Broker, get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.status import Stat
from django_q.tasks import async_task

from influencer.jobs.models import Job

RUN = "influencer.jobs.tasks.run"
CANARY = "influencer.jobs.tasks.canary"


def deliver(job_id: str, cluster: str, now: datetime) -> None:
    """Put the job into its cluster's queue and note which row carries it.

    Belongs into the transaction that makes the job `queued`: both or none.
    """
    row = _put(cluster, RUN, job_id, task_name=job_id)
    Job.objects.filter(pk=job_id).update(delivery=row, delivered_at=now)


def ask_canary(cluster: str) -> int:
    """Put a task that does nothing into the queue; its row."""
    return _put(cluster, CANARY, task_name=f"canary {cluster}", save=False)


def offer_again(row: int, now: datetime) -> bool:
    """Let a message be taken once more, whoever took it before. False when it is answered."""
    return bool(OrmQ.objects.filter(pk=row).update(lock=now))


def taken_or_gone(rows: list[int], now: datetime) -> set[int]:
    """Those rows no idle cluster would find: in a cluster's hands, or lost."""
    free = OrmQ.objects.filter(pk__in=rows, lock__lte=now).values_list("pk", flat=True)
    return set(rows) - set(free)


def is_stopping() -> bool:
    """Whether the cluster this worker process belongs to is on its way out."""
    guard = os.getppid()
    return any(stat.sentinel == guard and str(stat.status) == str(Conf.STOPPING) for stat in Stat.get_all())


@dataclass
class _Noting:
    """A broker that remembers the row of the one message it was given."""

    broker: Broker
    row: int = 0

    @property
    def list_key(self) -> str:
        return str(self.broker.list_key)

    def enqueue(self, package: str) -> int:
        self.row = self.broker.enqueue(package)
        return self.row


def _put(cluster: str, task: str, *args: str, **options: Any) -> int:
    broker = _Noting(get_broker(cluster))
    async_task(task, *args, broker=broker, **options)
    return broker.row
