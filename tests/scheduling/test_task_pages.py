"""The Scheduling tab: head, list, filters, what is done from a row, history."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from characters.images.models import Image
from influencer.jobs import health
from influencer.jobs import services as jobs
from influencer.jobs.models import Beat, Job
from scheduling import runs, services, tasklist
from scheduling.models import Fired, FiredState, NextDue, Task
from tests.characters.factories import luna, signed_in
from tests.scheduling.asking import HTMX, events, toast, words
from tests.scheduling.plans import MINUTE, a_task, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in()


def shown(client: Client, query: str = "") -> list[str]:
    """The tasks of the list, by id, as they stand there."""
    return re.findall(r'<li [^>]*id="row-([^"]+)"', client.get(f"/scheduling/{query}").content.decode())


def ran(task: Task, state: str = "succeeded", **fields: Any) -> Job:
    """A run of the task that has come to this."""
    job = runs.start(task, due=timezone.now())
    runs.record(task, timezone.now(), FiredState.FIRED, job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(state=state, **fields)
    return job


def test_the_tab_stands_between_characters_and_prompts(client: Client) -> None:
    page = client.get("/scheduling/").content.decode()
    places = [page.index(f'href="/{name}/"') for name in ("characters", "scheduling", "prompts")]
    assert places == sorted(places)
    assert 'href="/scheduling/" aria-current="page"' in page


def test_a_row_says_who_what_when_and_how_it_went(client: Client) -> None:
    task = a_task("0 18 * * *", character=luna(), type="generate_and_post", timezone="Asia/Tokyo")
    ran(task, "failed", error={"step": "publish", "message": "The token has expired."})
    page = client.get("/scheduling/").content
    for said in (
        "Luna generate and post to Instagram",
        "At 18:00 every day, Tokyo time · 0 18 * * *",
        "failed at publish",
        "Pause",
        "Run now Edit History Duplicate Delete",
    ):
        assert said in words(page), said
    assert f"/scheduling/runs/{Fired.objects.get().pk}/" in page.decode()


def test_a_task_that_cant_run_says_why(client: Client) -> None:
    luna()
    write(
        {"id": "task_1", "type": "generate_only", "characterId": "char_gone", "schedule": "61 * * * *"},
        {"id": "task_2", "type": "dance", "schedule": "0 18 * * *"},
        {
            "id": "task_4",
            "type": "generate_only",
            "timezone": "Pacific/Auckland",
            "runAt": "9999-12-31T23:59:00Z",
        },
        {"id": "task_3", "type": 7, "schedule": {"a": 1}, "config": "x", "runAt": "soon"},
    )
    page = words(client.get("/scheduling/").content)
    assert "The minute can't be 61" in page and "is no type of task" in page
    assert page.count("can’t run") == 4
    assert client.get("/scheduling/task_4/").status_code == 200


def test_paused_tasks_paused_characters_and_finished_ones_are_told_apart(client: Client) -> None:
    a_task(character=luna(), active=False)
    a_task(character=luna(name="Kai", is_active=False))
    a_task("", run_at=timezone.now() - timedelta(days=1), character=luna(name="Mei"))
    page = words(client.get("/scheduling/").content)
    for said in ("Next paused", "Next character paused", "Next over"):
        assert said in page


def test_the_portrait_stands_beside_the_name(client: Client) -> None:
    owner = luna()
    kept = {"width": 4, "height": 5, "pixel_hash": "x", "file": "a.png"}
    image = Image.objects.create(character_id=owner.pk, **kept)
    a_task(character=owner)
    assert image.thumbnail_url in client.get("/scheduling/").content.decode()


def test_the_next_to_run_comes_first_and_paused_ones_last(client: Client) -> None:
    owner, now = luna(), timezone.now()
    late, soon, paused = (
        a_task(character=owner),
        a_task(character=owner),
        a_task(character=owner, active=False),
    )
    for task, minutes in ((late, 90), (soon, 5)):
        NextDue.objects.create(task_id=task.pk, digest="", due=now + minutes * MINUTE)
    assert shown(client) == [soon.pk, late.pk, paused.pk]
    assert shown(client, "?sort=newest") == [paused.pk, soon.pk, late.pk]


def test_search_and_filters_narrow_the_list_and_stand_in_the_address(client: Client) -> None:
    one, two = luna(), luna(name="Kai")
    first = a_task("0 18 * * *", character=one, config={"prompt": "by the LAKE"})
    second = a_task("30 7 * * *", character=two, type="write_prompts", active=False)
    ran(first, "failed")
    for query, hits in {
        "q=lake": [first.pk],
        "q=kai": [second.pk],
        "q=30%207": [second.pk],
        f"character={two.pk}": [second.pk],
        "state=active": [first.pk],
        "state=paused": [second.pk],
        "state=failing": [first.pk],
        "kind=write_prompts": [second.pk],
        "sort=name": [second.pk, first.pk],
        "state=nonsense": [first.pk, second.pk],
    }.items():
        assert shown(client, f"?{query}") == hits, query
    answer = client.get("/scheduling/?q=lake&state=&sort=", headers={**HTMX, "HX-Target": "tasks"})
    assert answer.headers["HX-Replace-Url"] == "/scheduling/?q=lake"
    assert b"<html" not in answer.content and b"row-" in answer.content


def test_the_list_has_pages(client: Client) -> None:
    owner = luna()
    write(
        *(
            {"id": f"task_{n}", "type": "generate_only", "characterId": owner.pk, "schedule": "0 1 * * *"}
            for n in range(45)
        )
    )
    assert len(shown(client)) == 20 and len(shown(client, "?page=3")) == 5
    assert "21 to 40 of 45 tasks" in words(client.get("/scheduling/?page=2").content)


def test_no_tasks_say_the_next_step(client: Client) -> None:
    assert "Make one first" in words(client.get("/scheduling/").content)
    owner = luna()
    assert "No tasks yet" in words(client.get("/scheduling/").content)
    a_task(character=owner)
    assert "No task fits" in words(client.get("/scheduling/?q=nowhere").content)


def test_a_page_takes_the_same_queries_for_one_task_and_twenty(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    owner = luna()
    for _ in range(20):
        ran(a_task(character=owner))
    with django_assert_max_num_queries(30):
        client.get("/scheduling/")


# --- what waits for a person -----------------------------------------------------------------


def test_the_header_keeps_the_number_beside_the_tab_current(client: Client) -> None:
    task, asked = a_task(character=luna()), reverse("jobs:header")
    before = client.get(asked, headers=HTMX).content.decode()
    assert 'id="waiting-scheduling" hx-swap-oob="true" hidden>0<' in before and "seen=0-0-0" in before
    runs.record(task, timezone.now(), FiredState.MISSED)
    assert 'id="waiting-scheduling">1<' in client.get("/characters/").content.decode()
    after = client.get(asked, {"seen": "0-0-0"}, headers=HTMX).content.decode()
    assert 'id="waiting-scheduling" hx-swap-oob="true">1<' in after
    assert client.get(asked, {"seen": "0-0-1"}, headers=HTMX).status_code == 204


# --- the pulse -------------------------------------------------------------------------------


def test_the_head_says_when_the_clock_last_looked_and_who_works(client: Client) -> None:
    health.beat("clock")
    health.beat("default")
    said = words(client.get("/scheduling/pulse/", headers=HTMX).content)
    assert said.startswith("Running last looked just now 2 workers") and re.search(r", \d\d:\d\d$", said)


def test_a_clock_that_is_silent_is_said_loudly(client: Client) -> None:
    assert "never looked yet no worker answers" in words(client.get("/scheduling/pulse/").content)
    Beat.objects.create(name="clock", seen_at=timezone.now() - 3 * MINUTE)
    said = words(client.get("/scheduling/pulse/").content)
    assert "Stopped: no task runs by itself" in said and "last looked 3 min ago" in said


def test_the_pulse_tells_the_page_that_a_task_or_a_run_has_changed(client: Client) -> None:
    def asked() -> Any:
        seen = re.search(r"\?seen=(\w+)", client.get("/scheduling/pulse/").content.decode())
        assert seen is not None
        return lambda: client.get(f"/scheduling/pulse/?seen={seen[1]}", headers=HTMX)

    task, ask = a_task(character=luna()), asked()
    again = asked()
    assert "HX-Trigger" not in again().headers
    job = ran(task, "running")
    assert events(again()) == events(ask()) == {"tasks-changed"}
    again = asked()
    Job.objects.filter(pk=job.pk).update(state="succeeded")
    assert events(again()) == {"tasks-changed"}
    again = asked()
    job = runs.start(task, due=timezone.now())
    Job.objects.filter(pk=job.pk).update(state="succeeded", finished_at=timezone.now())
    assert events(again()) == {"tasks-changed"}, "it came and went between two looks"
    again = asked()
    runs.record(task, timezone.now(), FiredState.MISSED)
    assert events(again()) == {"tasks-changed"}
    again = asked()
    runs.missed().update(state=FiredState.SKIPPED)
    assert events(again()) == {"tasks-changed"}
    again = asked()
    services.toggle_task(task.pk)
    assert events(again()) == {"tasks-changed"}


# --- what is done from a row -----------------------------------------------------------------


def test_pause_and_resume(client: Client) -> None:
    task = a_task(character=luna())
    answer = client.post(f"/scheduling/{task.pk}/active/", headers=HTMX)
    assert toast(answer) == "Luna: generate an image is paused."
    assert events(answer) == {"dialog-close", "tasks-changed"} and not services.get(task.pk).active
    assert "Resume" in words(client.get("/scheduling/").content)
    answer = client.post(f"/scheduling/{task.pk}/active/", {"active": "on"})
    assert answer.status_code == 303 and services.get(task.pk).active


def test_delete_asks_first_and_names_what_goes(client: Client) -> None:
    task = a_task(character=luna())
    asked = words(client.get(f"/scheduling/{task.pk}/delete/", headers=HTMX).content)
    assert "Delete Luna: generate an image?" in asked and "history" in asked and Task.objects.exists()
    answer = client.post(f"/scheduling/{task.pk}/delete/", headers=HTMX)
    assert toast(answer).startswith("Deleted Luna: generate an image.") and not Task.objects.exists()
    assert client.get(f"/scheduling/{task.pk}/delete/").status_code == 404


def test_a_copy_is_paused(client: Client) -> None:
    task = a_task(character=luna(), config={"prompt": "x", "mine": 1})
    client.post(f"/scheduling/{task.pk}/duplicate/", headers=HTMX)
    [copy] = Task.objects.exclude(pk=task.pk)
    assert (copy.active, copy.config, copy.schedule) == (False, task.config, task.schedule)
    assert copy.character_name == "Luna"


# --- what became of runs ---------------------------------------------------------------------


def test_the_history_of_a_task_says_when_what_why_and_how_long(client: Client) -> None:
    task, now = a_task(character=luna()), timezone.now()
    ran(
        task,
        started_at=now,
        finished_at=now + timedelta(seconds=41),
        result={"imageIds": ["a"], "permalinks": ["https://x.example/1"]},
    )
    runs.record(task, now - MINUTE, FiredState.SKIPPED, why="Luna is paused.")
    a_task(character=luna(name="Kai"))
    content = client.get(f"/scheduling/{task.pk}/history/").content
    page = words(content)
    assert b'href="https://x.example/1"' in content
    for said in ("image made", "41 s", "left out", "Luna is paused.", "on schedule"):
        assert said in page, said
    assert "Kai" not in page


def test_a_run_that_posted_to_both_platforms_leads_to_both(client: Client) -> None:
    both = {"permalinks": ["https://i.example/1", "https://x.example/1"], "postIds": ["a", "b"]}
    ran(a_task(character=luna()), result=both, memo={"posts": {"x": "b", "instagram": "a"}})
    content = client.get("/scheduling/runs/").content.decode()
    assert 'href="https://i.example/1" target="_blank" rel="noopener">See Instagram</a>' in content
    assert 'href="https://x.example/1" target="_blank" rel="noopener">See X</a>' in content


def test_before_the_first_run_the_history_of_all_says_so(client: Client) -> None:
    assert "Nothing has run yet." in words(client.get("/scheduling/runs/").content)


def test_the_history_of_a_deleted_task_can_still_be_read(client: Client) -> None:
    task = a_task(character=luna())
    ran(task)
    services.delete_task(task.pk)
    assert "History of a deleted task" in words(client.get(f"/scheduling/{task.pk}/history/").content)
    assert client.get("/scheduling/task_nowhere/history/").status_code == 404


def test_all_runs_have_pages(client: Client) -> None:
    task, now = a_task(character=luna()), timezone.now()
    for minutes in range(35):
        runs.record(task, now - minutes * MINUTE, FiredState.SKIPPED)
    assert "1 to 30 of 35 runs" in words(client.get("/scheduling/runs/").content)
    assert words(client.get("/scheduling/recent/").content).count("left out") == 8


def test_a_run_is_shown_with_its_steps(client: Client) -> None:
    task = a_task(character=luna())
    job = ran(task, "failed", error={**_failure(), "step": "image"})
    page = words(client.get(f"/scheduling/runs/{Fired.objects.get().pk}/", headers=HTMX).content)
    assert "Luna : generate an image" in page and "failed at image" in page
    assert "No server answers." in page and "Retry" in page and "Publish" in page
    assert jobs.get(job.pk) and client.get("/scheduling/runs/99/").status_code == 404


def test_a_run_that_is_looked_at_follows_its_job_to_the_end(client: Client) -> None:
    job = ran(a_task(character=luna()), "running")
    address = f"/scheduling/runs/{Fired.objects.get().pk}/"
    asks = f'id="run" hx-get="{address}?part=body"'
    opened = client.get(address, headers=HTMX).content.decode()
    assert asks in opened and "every 3s" in opened
    Job.objects.filter(pk=job.pk).update(state="failed", error={**_failure(), "step": "image"})
    body = client.get(f"{address}?part=body", headers=HTMX).content.decode()
    assert "failed at image" in words(body.encode()) and "<dialog" not in body
    assert asks in body and "every" not in body


def _failure() -> dict[str, Any]:
    return {
        "service": "ComfyUI",
        "code": "unreachable",
        "message": "No server answers.",
        "fix": "",
        "retryable": True,
    }


def test_lines_of_runs_name_deleted_tasks() -> None:
    owner = luna()
    task = a_task(character=owner)
    runs.record(task, timezone.now(), FiredState.SKIPPED)
    services.delete_task(task.pk)
    [line] = tasklist.run_lines(runs.history())
    assert (line.name, line.deed) == ("Luna", "a task that was deleted")
