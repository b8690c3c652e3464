"""How it went: posts, generation times, failures of a day, a week, a month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from characters.images.models import Image
from characters.publishing.models import Post
from monitoring import charts, trends
from tests.influencer.jobs.factories import a_job, put
from tests.monitoring.page import part, words

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 14, 15, 30, tzinfo=UTC)


def post(ago: timedelta, state: str = "published", *, late: float = 1) -> None:
    due = NOW - ago
    published = due + timedelta(minutes=late) if state == "published" else None
    number = Post.objects.count()
    Post.objects.create(
        key=str(number), character_id="c", platform="x", state=state, due_at=due, published_at=published
    )


def image(ago: timedelta, seconds: float | None, **fields: Any) -> None:
    about = {"width": 4, "height": 5, "pixel_hash": "x", "file": "a.png", "mime_type": "image/png"}
    milliseconds = round(seconds * 1000) if seconds is not None else None
    made = Image.objects.create(character_id="c", duration_ms=milliseconds, **about, **fields)
    Image.objects.filter(pk=made.pk).update(created_at=NOW - ago)


def failure(ago: timedelta, code: str = "190", message: str = "Refused.") -> None:
    error = {"step": "publish", "service": "Instagram", "code": code, "message": message, "fix": ""}
    put(a_job(), state="failed", error=error, created_at=NOW - ago)


def week() -> trends.Period:
    return trends.period("", NOW)


def test_a_week_is_seven_days_of_the_persons_own_clock() -> None:
    with timezone.override("Europe/Madrid"):
        during = week()
    assert during.labels == ["Fri 8", "Sat 9", "Sun 10", "Mon 11", "Tue 12", "Wed 13", "Thu 14"]
    assert during.starts[0].isoformat() == "2026-05-08T00:00:00+02:00"
    assert during.marks[0] == "2026-05-07 22:00:00"


def test_a_day_with_a_change_of_the_clock_still_begins_at_midnight() -> None:
    with timezone.override("Europe/Madrid"):
        starts = trends.period("", datetime(2026, 3, 30, 12, tzinfo=UTC)).starts
    assert {start.strftime("%H:%M") for start in starts} == {"00:00"}
    assert [start.utcoffset() for start in starts[-3:]] == [timedelta(hours=hours) for hours in (1, 1, 2)]


def test_a_day_is_24_hours_and_a_month_30_days() -> None:
    assert len(trends.period("24h", NOW).starts) == 24
    assert trends.period("24h", NOW).labels[-1] == timezone.localtime(NOW).strftime("%H:00")
    assert len(trends.period("30d", NOW).starts) == 30


def test_posts_are_on_time_late_or_failed_on_their_day() -> None:
    for late in (0, 1, 9, 11, 300):
        post(timedelta(days=1), late=late)
    post(timedelta(hours=1), "failed")
    post(timedelta(hours=1), "unknown")
    post(timedelta(hours=1), "publishing")
    post(timedelta(days=8))
    found = trends.posts(week())
    assert (found.on_time, found.late, found.failed) == (
        [0, 0, 0, 0, 0, 3, 0],
        [0, 0, 0, 0, 0, 2, 0],
        [0, 0, 0, 0, 0, 0, 2],
    )
    assert (found.total, found.share) == (7, 43)


def test_times_are_the_middle_and_what_95_of_100_keep() -> None:
    for seconds in range(1, 101):
        image(timedelta(hours=2), seconds)
    image(timedelta(days=2), 7.25)
    image(timedelta(hours=2), 900, source="upload")
    image(timedelta(hours=2), None)
    image(timedelta(days=9), 900)
    found = trends.times(week())
    assert (found.half[-1], found.most[-1]) == (50.5, 95)
    assert (found.half[-3], found.most[-3], found.half[0]) == (7.2, 7.2, None)
    assert found.count == 101


def test_failures_are_counted_by_service_and_code_in_the_newest_words() -> None:
    failure(timedelta(days=3), message="Refused the token of @a.")
    failure(timedelta(days=2), "9004", "Could not fetch the image.")
    failure(timedelta(days=1), message="Refused the token of @b.")
    failure(timedelta(days=9), "old")
    put(a_job(), state="succeeded", created_at=NOW)
    found = trends.failed(week())
    assert [(cause.words, cause.where, cause.count) for cause in found.causes] == [
        ("Refused the token of @b.", "Instagram 190", 2),
        ("Could not fetch the image.", "Instagram 9004", 1),
    ]
    assert (found.count, found.jobs) == (3, 4)


def test_a_failure_without_a_word_is_one_of_our_own() -> None:
    put(a_job(), state="failed", error=None, created_at=NOW)
    assert trends.failed(week()).causes[0].words == "Something went wrong inside."


def test_every_query_has_an_index_and_a_bound() -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        charts.charts("30d", NOW)
    for query in captured:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql'].replace('%', '%%')}")
            assert not [row[3] for row in cursor.fetchall() if row[3].startswith("SCAN")], query["sql"]


def test_nothing_at_all_is_said_in_words(owner: Client) -> None:
    assert "Nothing in these 7 days" in part(owner, "charts")
    assert "Nothing in these 24 hours" in part(owner, "charts", period="24h")


def test_the_charts_say_the_same_in_a_sentence_and_in_tables(owner: Client) -> None:
    now = timezone.now()
    due = now - timedelta(hours=1)
    Post.objects.create(
        key="1", character_id="c", platform="x", state="published", due_at=due, published_at=due
    )
    put(a_job(), state="succeeded")
    html = part(owner, "charts", period="24h")
    assert "Posts in 24 hours: 1 on time, 0 late, 0 failed" in html
    assert "100% on time" in words(html)
    assert words(html).count("As a table") == 1
    assert "No images in these 24 hours." in html
    assert "No job failed." in html
    assert "half are faster 95 % are faster" in words(html)


def test_a_look_for_news_is_answered_with_nothing_until_there_is_some(owner: Client) -> None:
    put(a_job(), state="succeeded")
    first = part(owner, "charts")
    seen = first.partition("seen=")[2].partition('"')[0].partition("&")[0]
    assert part(owner, "charts", seen=seen) == ""
    put(a_job(), state="failed")
    assert "1 of 2 jobs" in words(part(owner, "charts", seen=seen))
