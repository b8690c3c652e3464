"""What happens inside django-q2's own processes."""

from __future__ import annotations

import ctypes
import logging
import signal
from typing import Any

from django.db import DatabaseError
from django_q.conf import Conf
from django_q.signals import post_execute, post_spawn

from influencer.jobs import health

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1


def connect() -> None:
    post_spawn.connect(die_with_the_guard, dispatch_uid="jobs.die_with_the_guard")
    post_execute.connect(heard, dispatch_uid="jobs.heard")


def die_with_the_guard(**_: Any) -> None:
    """A worker whose guard was killed ends too, or it would work on beside its successor."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (AttributeError, OSError):
        log.info("workers can't be tied to their guard on this system")


def heard(**_: Any) -> None:
    """The cluster's monitor has put a task away: every one of its processes did its part."""
    try:
        health.beat(Conf.CLUSTER_NAME)
    except DatabaseError as error:
        log.warning("no sign of life written for %s: %s", Conf.CLUSTER_NAME, error)
