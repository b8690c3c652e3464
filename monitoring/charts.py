"""The charts of the Monitoring tab: each drawn, in a sentence, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from influencer.jobs.wording import SPACE, duration
from influencer.web.charts import Chart, Series, curves, stacked
from monitoring import trends
from monitoring.trends import Failures, Period, Posts, Times


@dataclass(frozen=True)
class Charts:
    """One period. A chart is None where nothing happened; rows are the tables behind."""

    period: Period
    posts: Posts
    posts_chart: Chart | None
    posts_rows: Sequence[tuple[str, int, int, int]]
    times: Times
    times_chart: Chart | None
    times_rows: Sequence[tuple[str, str, str]]
    failures: Failures
    mark: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.posts.total or self.times.count or self.failures.jobs)

    @property
    def most_failures(self) -> int:
        """The length of the longest bar."""
        return max((cause.count for cause in self.failures.causes), default=1)


def charts(name: str, now: datetime) -> Charts:
    during = trends.period(name, now)
    posts, times, failures = trends.posts(during), trends.times(during), trends.failed(during)
    return Charts(
        during,
        posts,
        _posts_chart(during, posts) if posts.total else None,
        list(zip(during.labels, posts.on_time, posts.late, posts.failed, strict=True)),
        times,
        _times_chart(during, times) if times.count else None,
        [
            (label, duration(half), duration(most))
            for label, half, most in zip(during.labels, times.half, times.most, strict=True)
        ],
        failures,
        f"{hash(str((during.labels, posts, times, failures))) & 0xFFFFFFFF:x}",
    )


def _posts_chart(during: Period, posts: Posts) -> Chart:
    says = (
        f"Posts in {during.words}: {sum(posts.on_time)} on time, {sum(posts.late)} late, "
        f"{sum(posts.failed)} failed"
    )
    series = [Series(posts.on_time), Series(posts.late, "late"), Series(posts.failed, "fail")]
    return stacked(says, during.labels, series)


def _times_chart(during: Period, times: Times) -> Chart:
    says = (
        f"Generation time in {during.words}: half of the images took less than {duration(times.median)}, "
        f"95 % less than {duration(times.p95)}"
    )
    series = [Series(times.most, "faint"), Series(times.half)]
    return curves(says, during.labels, series, unit=f"{SPACE}s")
