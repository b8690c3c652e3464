from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from influencer.clients.errors import ServiceError
from influencer.jobs import Wait, names, services, wording, worker
from influencer.jobs.models import Job
from tests.influencer.jobs.factories import a_job, a_kind, put, running

pytestmark = pytest.mark.django_db
INSIDE = "The log says what. Then retry."


def words(job: Job) -> tuple[str, str]:
    shown = wording.shown(services.get(job.id))
    return shown.title, shown.detail


def lunas(ids: list[str]) -> dict[str, str]:
    return {pk: f"Luna {pk}" for pk in ids}


def result_link(job: Job) -> tuple[str, str]:
    return ("See the post", f"/posts/{job.id}")


def test_a_queued_job_tells_its_place() -> None:
    kind = a_kind()
    services.start(kind)
    assert words(services.start(kind)) == ("Queued at 2", "Image")


def test_a_running_job_tells_its_step_and_the_time_left() -> None:
    job = running(a_job(), step="generate", message="Step 7 of 20", seconds_left=9, progress=0.35)
    shown = wording.shown(job)
    assert (shown.title, shown.detail, shown.percent) == ("Step 7 of 20", "9\u202fs left", 35)
    assert (shown.can_cancel, shown.can_retry, shown.chip) == (
        True,
        False,
        ("running", "live", "loader-circle"),
    )


def test_a_job_that_is_asked_to_stop_says_so_and_is_asked_only_once() -> None:
    shown = wording.shown(running(a_job(), cancel_requested_at=timezone.now()))
    assert (shown.title, shown.can_cancel) == ("Cancelling", False)


def test_a_job_past_the_point_offers_no_cancel() -> None:
    assert not wording.shown(running(a_job(cancellable_until="save"), step="save")).can_cancel


def test_a_waiting_job_tells_why_and_until_when() -> None:
    until = datetime(2126, 5, 14, 16, 5, tzinfo=UTC)
    job = put(a_job(), state="waiting", reason="rate limit", until=until)
    assert words(job) == ("Waiting for the rate limit", "until 14 May, 16:05")
    soon = timezone.now() + timedelta(minutes=5)
    assert words(put(job, until=soon))[1] == f"until {soon:%H:%M}"
    assert words(put(job, message="X allows 17 posts a day.")) == (
        "Waiting for the rate limit",
        "X allows 17 posts a day.",
    )


@pytest.mark.parametrize("state", ["waiting", "queued"])
def test_work_that_goes_on_elsewhere_looks_like_running(state: str) -> None:
    job = put(a_job(), state=state, reason="following", message="Step 900 of 1800", progress=0.5)
    assert words(job)[0] == "Step 900 of 1800"
    assert (wording.shown(job).mark, wording.shown(job).spoken) == ("q2", "Image: 50 %")


def test_a_done_job_tells_what_it_made_and_how_long_it_took() -> None:
    now = timezone.now()
    job = put(a_job(), state="succeeded", progress=1, started_at=now, finished_at=now + timedelta(seconds=55))
    assert words(job) == ("Image done", "in 55\u202fs")
    assert words(put(job, message="4 images"))[0] == "4 images"


def test_a_failure_is_a_sentence_with_its_fix() -> None:
    def handler(job):
        with job.step("publish"):
            raise ServiceError(
                "Instagram refused the token.", service="Instagram", code="190", fix="Reconnect it."
            )

    job = a_job(handler, steps=("publish",))
    worker.run(job.id)
    shown = wording.shown(services.get(job.id))
    assert (shown.title, shown.detail) == ("Publish failed: Instagram refused the token.", "Reconnect it.")
    assert (shown.tone, shown.can_retry, shown.spoken) == ("bad", True, shown.title)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"message": "The card is full."}, ("Image failed: The card is full.", "")),
        ({"step": "generate", "code": None}, ("Generate failed: Something went wrong inside.", INSIDE)),
        ({}, ("Image failed: Something went wrong inside.", INSIDE)),
    ],
)
def test_a_failure_that_lacks_parts_is_still_told(error: dict[str, Any], said: tuple[str, str]) -> None:
    job = a_job()
    put(job, state="failed", error=error)
    assert words(job) == said


def test_an_unknown_outcome_is_no_plain_failure_and_offers_no_retry() -> None:
    job = put(
        a_job(),
        state="failed",
        error={"step": "", "code": "outcome_unknown", "message": "X is silent.", "fix": ""},
    )
    shown = wording.shown(job)
    assert (shown.tone, shown.icon, shown.can_retry) == ("warn", "triangle-alert", False)


def test_screen_readers_hear_the_start_each_quarter_and_the_end() -> None:
    job = running(a_job())
    marks = [wording.shown(put(job, progress=step / 20)).mark for step in range(21)]
    assert sorted(set(marks)) == ["q0", "q1", "q2", "q3", "q4"]
    assert wording.shown(put(job, progress=0.3)).spoken == "Image: 25 %"
    assert wording.shown(put(job, progress=0.1)).spoken == "Image started"
    assert wording.shown(put(job, state="succeeded")).spoken == "Image done"


def test_a_kind_may_lead_to_its_result() -> None:
    job = a_job(link=f"{__name__}.result_link")
    assert wording.shown(job).link is None
    assert wording.shown(put(job, state="succeeded")).link == ("See the post", f"/posts/{job.id}")


def test_other_apps_give_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_providers", [])
    assert names.names_of(["char_1"]) == {}
    names.register(f"{__name__}.lunas")
    assert names.names_of(["char_1", "", "char_1"]) == {"char_1": "Luna char_1"}


def test_a_wait_without_words_still_says_something() -> None:
    def handler(job):
        raise Wait(None, "review")

    job = a_job(handler)
    worker.run(job.id)
    assert words(job) == ("Waiting for review", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.94, "0.9 s"),
        (5, "5 s"),
        (41.4, "41 s"),
        (119, "119 s"),
        (181, "3 min"),
        (7200, "2 h 0 min"),
    ],
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert wording.duration(seconds) == text.replace(" ", "\u202f").replace("h\u202f", "h ")
