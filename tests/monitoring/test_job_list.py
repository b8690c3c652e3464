"""The list of jobs on the Monitoring tab: filters, search, pages, timelines."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from influencer.jobs import services, worker
from influencer.jobs.models import Job
from influencer.jobs.templatetags.jobs import uncapped
from tests.characters.people import someone
from tests.influencer.jobs.factories import a_job, a_kind, put, running
from tests.monitoring.page import part, shown_jobs, whole

pytestmark = pytest.mark.django_db


def failed(**fields: Any) -> Job:
    error = {"step": "save", "service": "ComfyUI", "code": "full", "message": "The disk is full.", "fix": ""}
    return put(a_job(), **{"state": "failed", "error": error, "finished_at": timezone.now(), **fields})


def test_each_job_is_shown_with_its_timeline(owner: Client) -> None:
    def handler(job: Any) -> None:
        with job.step("queue"):
            pass
        with job.step("generate"):
            raise ZeroDivisionError

    broken = a_job(handler)
    worker.run(broken.id)
    html = whole(owner)
    assert f'id="row-{broken.id}"' in html
    assert "Generate failed: Something went wrong inside." in html
    assert html.count("Not started") == 1
    assert "Stopped here, code internal" in html
    assert "Retry from Generate" in html


def test_the_list_is_shown_anew_as_soon_as_a_row_says_something_else(owner: Client) -> None:
    job, at_work = failed(), running(a_job(), step="queue")
    mark = re.search(r"seen=(\w+)", whole(owner))[1]  # type: ignore[index]
    assert part(owner, "jobs", seen=mark) == ""
    put(job, finished_at=job.finished_at + timedelta(seconds=2))  # type: ignore[operator]
    shown = part(owner, "jobs", seen=mark)
    assert shown
    mark = re.search(r"seen=(\w+)", shown)[1]  # type: ignore[index]
    put(at_work, step="generate")
    assert part(owner, "jobs", seen=mark) != ""


@pytest.mark.parametrize(
    ("label", "said"), [("Image", "image"), ("LoRA training", "LoRA training"), ("", "")]
)
def test_a_label_in_a_line_loses_its_capital_unless_it_is_a_name(label: str, said: str) -> None:
    assert uncapped(label) == said


def test_it_can_be_narrowed_by_state(owner: Client) -> None:
    at_work = running(a_job())
    elsewhere = put(a_job(), state="waiting", reason="following")
    queued = a_job()
    planned = put(a_job(), state="waiting", reason="quota")
    broken, done, cancelled = failed(), put(a_job(), state="succeeded"), put(a_job(), state="cancelled")
    expected = {
        "running": {at_work.id, elsewhere.id},
        "waiting": {queued.id, planned.id},
        "failed": {broken.id},
        "done": {done.id, cancelled.id},
    }
    assert {state: set(shown_jobs(part(owner, "jobs", state=state))) for state in expected} == expected
    assert len(shown_jobs(part(owner, "jobs", state="nonsense"))) == 7


def test_the_choices_say_how_many_run_wait_and_failed(owner: Client) -> None:
    for job in (a_job(), a_job(), a_job()):
        put(job, state="succeeded")
    running(a_job())
    failed()
    failed()
    html = re.sub(r"<[^>]+>", " ", part(owner, "jobs").partition("<ul")[0])
    assert html.split() == ["All", "Running", "1", "Waiting", "Failed", "2", "Done"]


def test_it_can_be_narrowed_by_kind_and_character(owner: Client) -> None:
    luna, kind = someone("Luna"), a_kind()
    hers = services.start(kind, character_id=luna.pk)
    another = services.start(kind, character_id="char_gone")
    other_kind = a_job()
    assert shown_jobs(part(owner, "jobs", kind=kind)) == [another.id, hers.id]
    assert shown_jobs(part(owner, "jobs", character=luna.pk)) == [hers.id]
    assert shown_jobs(part(owner, "jobs", kind=other_kind.kind, character=luna.pk)) == []
    assert "There is none with these filters" in part(owner, "jobs", kind="nonsense")


@pytest.mark.parametrize("words", ["DISK is full", "luna", "picture of", "step 7"])
def test_search_finds_errors_characters_kinds_and_messages(owner: Client, words: str) -> None:
    luna = someone("Luna")
    put(a_job(), state="succeeded")
    job = services.start(a_kind(label="Picture of her"), character_id=luna.pk)
    error = {"step": "save", "code": "full", "message": "The disk is full.", "fix": ""}
    put(job, state="failed", error=error, message="Step 7 of 20")
    assert shown_jobs(part(owner, "jobs", q=words)) == [job.id]


def test_search_finds_an_id_and_says_when_nothing_fits(owner: Client) -> None:
    job, _ = a_job(), a_job()
    assert shown_jobs(part(owner, "jobs", q=job.id)) == [job.id]
    assert "No job holds “&lt;b&gt;”" in part(owner, "jobs", q="<b>")


def test_an_empty_list_says_the_next_step(owner: Client) -> None:
    assert "No jobs yet" in whole(owner)


def test_a_long_list_has_pages_and_few_queries(owner: Client, django_assert_max_num_queries: Any) -> None:
    kind = a_kind()
    for minute in range(25):
        put(services.start(kind), state="succeeded", created_at=timezone.now() - timedelta(minutes=minute))
    with django_assert_max_num_queries(10):
        first = part(owner, "jobs")
    assert len(shown_jobs(first)) == 20
    assert 'href="?page=2#jobs"' in first
    assert len(shown_jobs(part(owner, "jobs", page="2"))) == 5
    assert len(shown_jobs(part(owner, "jobs", page="99"))) == 5


def test_other_filters_stay_in_the_addresses(owner: Client) -> None:
    for _ in range(21):
        failed()
    html = part(owner, "jobs", state="failed", period="30d", level="bad")
    assert 'href="?state=failed&amp;period=30d&amp;level=bad&amp;page=2#jobs"' in html
    assert 'href="/monitoring/?period=30d&amp;level=bad#jobs"' in html, "All leaves out the state"
    assert '<input type="hidden" name="state" value="failed" form="show">' in html


def test_a_look_for_news_is_answered_with_nothing_until_there_is_some(owner: Client) -> None:
    job = running(a_job())
    seen = re.search(r"seen=([0-9a-f]+)", part(owner, "jobs"))
    assert seen
    assert part(owner, "jobs", seen=seen[1]) == ""
    put(job, state="succeeded")
    assert shown_jobs(part(owner, "jobs", seen=seen[1])) == [job.id]
