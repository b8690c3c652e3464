"""How it went: posts, generation times and failures of the last day, week or month.

Each is one query over an index, bounded by `MOST` rows; the counting is done here, as days are
those of the person's own clock.
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from django.db.models import Count, Max, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from characters.images.models import Image, Source
from characters.publishing.models import Post, PostState
from influencer.jobs import failures
from influencer.jobs.models import Job, JobState

MOST = 20_000
MOST_CAUSES = 6
# Making the image belongs to a run: only what takes longer is late.
LATE = timedelta(minutes=10)
FAILED = frozenset(map(str, (PostState.FAILED, PostState.UNKNOWN)))


@dataclass(frozen=True)
class Period:
    """A stretch of time in equal parts; `labels` name them."""

    name: str
    words: str
    starts: Sequence[datetime]
    labels: Sequence[str]

    @cached_property
    def marks(self) -> Sequence[str]:
        """The starts as the database writes them, for moments that are left as texts."""
        return [start.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") for start in self.starts]

    def place(self, text: str) -> int:
        """Which part a moment falls into that is not before the first."""
        return max(bisect_right(self.marks, text) - 1, 0)


@dataclass(frozen=True)
class Posts:
    """Per part of the period."""

    on_time: Sequence[int]
    late: Sequence[int]
    failed: Sequence[int]

    @property
    def total(self) -> int:
        return sum(self.on_time) + sum(self.late) + sum(self.failed)

    @property
    def share(self) -> int:
        """Percent that came out on time."""
        return round(100 * sum(self.on_time) / self.total) if self.total else 0


@dataclass(frozen=True)
class Times:
    """Seconds per image: half of them took no longer, 95 of 100 took no longer."""

    half: Sequence[float | None]
    most: Sequence[float | None]
    count: int
    median: float | None
    p95: float | None


@dataclass(frozen=True)
class Cause:
    """Why jobs failed; `where` is service and code."""

    words: str
    where: str
    count: int
    latest: datetime


@dataclass(frozen=True)
class Failures:
    causes: Sequence[Cause]
    count: int
    jobs: int


def period(name: str, now: datetime) -> Period:
    """ "24h" in hours, "30d" and anything else (a week) in days, the current one included."""
    local = timezone.localtime(now)
    if name == "24h":
        first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
        starts = [first + timedelta(hours=hour) for hour in range(24)]
        return Period(name, "24 hours", starts, [f"{timezone.localtime(start):%H:%M}" for start in starts])
    days = 30 if name == "30d" else 7
    today = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    # By the wall: a day may have 23 or 25 hours.
    starts = [today - timedelta(days=days - 1 - day) for day in range(days)]
    pattern = "%a {}" if days == 7 else "{} %b"
    return Period(name, f"{days} days", starts, [f"{start:{pattern.format(start.day)}}" for start in starts])


def posts(during: Period) -> Posts:
    found = Post.objects.filter(due_at__gte=during.starts[0], state__in=[PostState.PUBLISHED, *FAILED])
    counts, parsed = [[0] * len(during.starts) for _ in range(3)], datetime.fromisoformat
    rows = found.order_by("-due_at").values_list(_text("due_at"), _text("published_at"), "state")[:MOST]
    for due, published, state in rows:
        late = published is not None and parsed(published) - parsed(due) > LATE
        counts[2 if state in FAILED else late][during.place(due)] += 1
    return Posts(*counts)


def _text(field: str) -> Cast:
    """As it is stored, in UTC: ten thousand moments are read ten times as fast that way."""
    return Cast(field, TextField())


def times(during: Period) -> Times:
    found = Image.objects.filter(created_at__gte=during.starts[0], source=Source.GENERATED)
    rows = found.filter(duration_ms__isnull=False).order_by("-created_at")
    parts: list[list[float]] = [[] for _ in during.starts]
    for made, milliseconds in rows.values_list(_text("created_at"), "duration_ms")[:MOST]:
        parts[during.place(made)].append((milliseconds or 0) / 1000)
    every = [seconds for part in parts for seconds in part]
    halves, most = [_median(part) for part in parts], [_p95(part) for part in parts]
    return Times(halves, most, len(every), _median(every), _p95(every))


def failed(during: Period) -> Failures:
    jobs = Job.objects.filter(created_at__gte=during.starts[0])
    broken = jobs.filter(state=JobState.FAILED)
    return Failures(list(_causes(broken)), broken.count(), jobs.count())


def _causes(broken: QuerySet[Job]) -> Iterator[Cause]:
    """The most frequent ones, each in the words of its newest job (ids begin with their time)."""
    groups = broken.order_by().values("error__service", "error__code")
    counted = groups.annotate(number=Count("pk"), newest=Max("pk")).order_by("-number", "-newest")
    chosen = list(counted[:MOST_CAUSES])
    newest = Job.objects.in_bulk([group["newest"] for group in chosen])
    for group in chosen:
        job = newest[group["newest"]]
        error = failures.of_job(job.error, job.step)
        where = " ".join(filter(None, (error.get("service"), error.get("code"))))
        yield Cause(error.get("message") or where, where, group["number"], job.created_at)


def _median(values: Sequence[float]) -> float | None:
    return round(statistics.median(values), 1) if values else None


def _p95(values: Sequence[float]) -> float | None:
    """The least value that 95 of 100 do not exceed."""
    return round(sorted(values)[-(-len(values) * 95 // 100) - 1], 1) if values else None
