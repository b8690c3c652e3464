"""What django-q2 calls: ids in, one call."""

from __future__ import annotations

from django_q.conf import Conf

from influencer.jobs import worker


def run(job_id: str) -> None:
    """One attempt at the job; a copy of a message that was delivered before does nothing."""
    worker.run(job_id, where=Conf.CLUSTER_NAME, seconds=Conf.TIMEOUT)


def canary() -> None:
    """Nothing: that it came through the whole cluster is the news (see `signals.heard`)."""
