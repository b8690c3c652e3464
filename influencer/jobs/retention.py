"""Old jobs are forgotten, but for those that something still refers to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from influencer.jobs import references
from influencer.jobs.models import FINAL, Job

log = logging.getLogger(__name__)

KEEP = timedelta(days=30)
# However young: a list nobody can read any more helps no one.
MOST = 20_000
AT_ONCE = 1000


def forget(now: datetime) -> int:
    """Forget jobs that ended more than 30 days ago, and the oldest beyond 20,000; how many went.

    At most `AT_ONCE` in one go, so that nobody waits for the database meanwhile.
    """
    old = _forgettable().filter(finished_at__lt=_limit(now)).order_by("finished_at")
    chosen = list(old.values_list("pk", flat=True)[:AT_ONCE])
    Job.objects.filter(pk__in=chosen, state__in=FINAL).delete()
    if chosen:
        log.info("%d old jobs forgotten", len(chosen))
    return len(chosen)


def _limit(now: datetime) -> datetime:
    """Who ended before that may go."""
    ended = Job.objects.filter(state__in=FINAL, finished_at__isnull=False).order_by("-finished_at")
    beyond = ended.values_list("finished_at", flat=True)[MOST - 1 : MOST].first()
    return max(now - KEEP, beyond) if beyond else now - KEEP


def _forgettable() -> QuerySet[Job]:
    found = Job.objects.filter(state__in=FINAL)
    for dotted in references.registered():
        users: Callable[[], QuerySet[Any]] = import_string(dotted)
        found = found.exclude(pk__in=users())
    return found
