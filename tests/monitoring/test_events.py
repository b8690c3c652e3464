"""The log of events: what is written down, how it is read, when it is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from influencer.clients.errors import ServiceError
from influencer.jobs import services, worker
from monitoring import events
from monitoring.models import Event, Kind, Level
from scheduling import backup
from tests.characters.people import someone
from tests.influencer.jobs.factories import a_job, a_kind
from tests.monitoring.page import part, words

pytestmark = pytest.mark.django_db(transaction=True)


def last() -> Event:
    return Event.objects.latest("pk")


def test_a_job_that_ends_well_is_a_line_with_its_character_and_time() -> None:
    luna = someone("Luna")
    job = services.start(a_kind(), character_id=luna.pk)
    worker.run(job.pk)
    event = last()
    assert (event.kind, event.level, event.subject) == (Kind.JOB, Level.OK, job.pk)
    assert event.text == "Image for Luna: Image done"
    assert event.seconds is not None


def test_a_job_that_fails_tells_step_service_and_code() -> None:
    def refused(job: Any) -> None:
        with job.step("save"):
            raise ServiceError("ComfyUI is full.", service="ComfyUI", code="full", fix="Free 4 GB.")

    worker.run(a_job(refused).pk)
    event = last()
    assert (event.level, event.service) == (Level.BAD, "ComfyUI full")
    assert event.text == "Image: Save failed: ComfyUI is full."


def test_a_jobs_line_leads_to_its_steps(owner: Client) -> None:
    job = a_job()
    worker.run(job.pk)
    events.record(Kind.SERVICE, "X: It is down.", Level.BAD, subject="x")
    html = part(owner, "events")
    assert f'href="/monitoring/?q={job.pk}#jobs"' in html
    assert html.count("?q=") == 1


def test_an_unknown_outcome_is_a_warning_and_a_cancel_a_note() -> None:
    def unsure(job: Any) -> None:
        raise ServiceError("X did not answer.", service="X", outcome_unknown=True)

    worker.run(a_job(unsure).pk)
    assert last().level == Level.WARN
    services.cancel(a_job().pk)
    assert (last().level, last().text) == (Level.NOTE, "Image: Cancelled")


def test_a_backup_is_told_once_whoever_made_it() -> None:
    made = backup.make()
    assert (last().kind, last().text) == (Kind.BACKUP, f"Backup made and checked: {made.name}")
    worker.run(services.start("backup", request={"config": {}}).pk)
    assert Event.objects.filter(kind=Kind.BACKUP).count() == 2


def test_a_long_text_is_cut() -> None:
    assert len(events.record(Kind.JOB, "x" * 5000).text) == events.LONGEST + 1


def test_old_events_are_forgotten() -> None:
    now = timezone.now()
    for days in (1, 59, 61, 400):
        events.record(Kind.JOB, f"{days} days", at=now - timedelta(days=days))
    events.prune(now)
    assert [event.text for event in Event.objects.all()] == ["1 days", "59 days"]


@pytest.fixture
def log() -> None:
    for level in Level:
        events.record(Kind.POST if level is Level.BAD else Kind.JOB, f"it was {level.value}", level)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["bad", "warn", "note", "ok"]),
        ({"level": "warn"}, ["bad", "warn"]),
        ({"level": "bad"}, ["bad"]),
        ({"about": "job"}, ["warn", "note", "ok"]),
        ({"about": "job", "level": "bad"}, []),
        ({"about": "nonsense", "level": "nonsense"}, ["bad", "warn", "note", "ok"]),
    ],
)
def test_the_log_is_filtered_newest_first(
    owner: Client, log: None, query: dict[str, str], expected: list[str]
) -> None:
    shown = words(part(owner, "events", **query)).split()
    assert [shown[place + 2] for place, word in enumerate(shown) if word == "it"] == expected


def test_errors_and_warnings_are_named_for_those_who_do_not_see_the_icon(owner: Client, log: None) -> None:
    shown = words(part(owner, "events"))
    assert "Error: it was bad" in shown
    assert "Warning: it was warn" in shown


def test_a_long_log_has_pages_and_one_that_is_empty_says_what_will_stand_there(owner: Client) -> None:
    assert "Nothing has happened yet" in part(owner, "events")
    assert "Nothing like that has happened" in part(owner, "events", level="bad")
    for number in range(20):
        events.record(Kind.JOB, f"line {number}")
    first = part(owner, "events")
    assert first.count("line ") == 15
    assert 'href="/monitoring/?events=2#events"' in first
    assert part(owner, "events", events="2").count("line ") == 5
    assert "1 to 15 of 20 events" in words(first)


def test_a_look_for_news_is_answered_with_nothing_until_there_is_some(owner: Client) -> None:
    events.record(Kind.JOB, "line 1")
    seen = f"{last().pk}-1"
    assert f"seen={seen}" in part(owner, "events")
    assert part(owner, "events", seen=seen) == ""
    events.record(Kind.JOB, "line 2")
    assert "line 2" in part(owner, "events", seen=seen)
