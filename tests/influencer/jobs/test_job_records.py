"""The tables at 10 000 jobs, and the record as the API shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from influencer.jobs import figures, health, retention, services, sweep, worker
from influencer.jobs.models import Job, JobState, iso, new_id
from tests.influencer.jobs.factories import a_job

pytestmark = pytest.mark.django_db


def plans_of(ask: Callable[[], object]) -> list[str]:
    """How SQLite would go about each query over the jobs' table."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        ask()
    queries = [query["sql"] for query in captured if '"jobs_job"' in query["sql"]]
    plans: list[str] = []
    for sql in queries:
        if sql.startswith(("SELECT", "UPDATE")):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
                plans += [row[3] for row in cursor.fetchall()]
    return plans


@pytest.fixture
def many() -> None:
    now = timezone.now()
    jobs = [
        Job(
            id=f"job_{number:05}_x",
            kind="generate_image",
            cluster="gpu",
            state=JobState.SUCCEEDED if number % 20 else JobState.FAILED,
            character_id=f"char_{number % 50}",
            created_at=now - timedelta(minutes=number),
        )
        for number in range(10_000)
    ]
    Job.objects.bulk_create(jobs)


def test_no_query_reads_ten_thousand_jobs(many: None) -> None:
    newest = [
        lambda: list(Job.objects.all()[:30]),
        lambda: list(Job.objects.filter(state=JobState.FAILED)[:30]),
        lambda: list(Job.objects.filter(kind="generate_image")[:30]),
        lambda: list(Job.objects.filter(character_id="char_7").order_by("-created_at")[:5]),
    ]
    others = [
        figures.for_header,
        lambda: sweep.dispatch_due(timezone.now()),
        lambda: sweep.sweep(timezone.now()),
        lambda: retention.forget(timezone.now()),
        lambda: worker.run("job_00001_x"),
        lambda: health.last_sign("gpu"),
        lambda: services.cancel_for_character("char_7"),
        lambda: figures.queue_position(services.get("job_00001_x")),
    ]
    for ask in [*newest, *others]:
        plans = plans_of(ask)
        assert plans
        assert not [plan for plan in plans if plan.startswith("SCAN jobs_job") and "INDEX" not in plan], plans
    assert not [plan for ask in newest for plan in plans_of(ask) if "TEMP B-TREE" in plan]


def test_ids_are_unique_and_tell_what_they_are() -> None:
    ids = {new_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert all(len(pk) <= 40 and pk.startswith("job_") for pk in ids)


def test_moments_are_utc_with_milliseconds() -> None:
    assert iso(datetime(2026, 5, 14, 12, 0, 1, 234567, tzinfo=UTC)) == "2026-05-14T12:00:01.234Z"
    assert iso(None) is None


def test_the_api_shows_the_documented_fields_and_nothing_internal() -> None:
    def handler(job):
        job.remember(prompt_id="p1")
        with job.step("generate"):
            return {"imageIds": ["img_1"]}

    job = a_job(handler, request={"prompt": "a forest"})
    worker.run(job.id)
    shown = services.get(job.id).as_json()
    assert (shown["state"], shown["progress"], shown["result"]) == ("succeeded", 1.0, {"imageIds": ["img_1"]})
    assert [step["state"] for step in shown["steps"]] == ["skipped", "succeeded", "skipped"]
    assert set(shown["steps"][0]) == {"name", "state", "startedAt", "finishedAt", "error"}
    for documented in ("id", "kind", "step", "message", "until", "reason", "error"):
        assert documented in shown
    assert not {"memo", "owner", "request", "delivery"} & set(shown)
