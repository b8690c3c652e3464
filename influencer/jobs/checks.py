"""Checks at start-up: settings of the queue that would fail in silence, and the registered kinds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import ceil
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from influencer.jobs import kinds
from influencer.jobs.pace import clusters, pace


def check_queue(**_: Any) -> list[CheckMessage]:
    """django-q2 takes every value as it is; these are the ones that lose or double work."""
    return [*_check_base(), *_check_database(), *_check_name(), *_check_clusters()]


def check_kinds(**_: Any) -> list[CheckMessage]:
    """A wrong cluster name would wait for ever, a wrong step could be cancelled too late."""
    found: list[CheckMessage] = []
    for kind in kinds.registered():
        if kind.cluster not in clusters():
            found.append(Error(f"{kind.name} asks for the cluster '{kind.cluster}'.", id="jobs.E020"))
        if len(set(kind.steps)) != len(kind.steps):
            found.append(Error(f"{kind.name} has two steps of the same name.", id="jobs.E021"))
        if kind.cancellable_until and kind.cancellable_until not in kind.steps:
            found.append(Error(f"{kind.name} has no step '{kind.cancellable_until}'.", id="jobs.E022"))
    return found


def _check_base() -> Iterator[CheckMessage]:
    queue: dict[str, Any] = dict(settings.Q_CLUSTER)
    if queue.get("name") not in clusters():
        yield Error("ALT_CLUSTERS must name the base cluster and all others.", id="jobs.E001")
    if queue.get("scheduler", True):
        yield Error("django-q2's own scheduler must be off: the clock does this.", id="jobs.E002")
    if not queue.get("ack_failures"):
        yield Error("ack_failures must be on: jobs retry by themselves.", id="jobs.E003")


def _check_database() -> Iterator[CheckMessage]:
    queue: dict[str, Any] = dict(settings.Q_CLUSTER)
    alias = queue.get("orm")
    if alias != "default":
        yield Error(f"The queue is in the database '{alias}', the jobs in 'default'.", id="jobs.E004")
    databases: dict[str, Any] = dict(settings.DATABASES)
    database = databases["default"]
    immediate = database.get("OPTIONS", {}).get("transaction_mode") == "IMMEDIATE"
    if "sqlite" in database["ENGINE"] and not immediate:
        yield Error("SQLite needs transaction_mode IMMEDIATE, or writers fail as 'locked'.", id="jobs.E005")


def _check_name() -> Iterator[CheckMessage]:
    name = os.environ.get("Q_CLUSTER_NAME")
    if name and name not in clusters():
        yield Error(f"Q_CLUSTER_NAME is '{name}'; it may be {', '.join(clusters())}.", id="jobs.E006")


def _check_clusters() -> Iterator[CheckMessage]:
    for name, cluster in clusters().items():
        yield from _check_times(name, cluster)


def _check_times(name: str, cluster: dict[str, Any]) -> Iterator[CheckMessage]:
    timeout, retry, cycle = cluster["timeout"], cluster["retry"], cluster["guard_cycle"]
    if not isinstance(timeout, int) or timeout <= pace().margin:
        yield Error(f"{name}: timeout must be a whole number above {pace().margin}.", id="jobs.E010")
        return
    if (timeout + 3) % cycle:
        yield Error(f"{name}: timeout + 3 must be a multiple of guard_cycle.", id="jobs.E011")
    ahead = ceil((cluster["queue_limit"] + cluster["bulk"]) / cluster["workers"])
    if retry <= timeout * (1 + ahead):
        yield Error(f"{name}: retry must be above {timeout * (1 + ahead)} s.", id="jobs.E012")
