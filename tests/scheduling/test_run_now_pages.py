"""Run Now on the page: what it asks first, what it starts, and what it says about it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from characters.models import Character
from influencer.errors import Unavailable
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from scheduling import intended, services
from scheduling.models import Fired, Task
from scheduling.run_views import said
from tests.characters.factories import luna, signed_in
from tests.characters.people import INSTAGRAM
from tests.scheduling.asking import HTMX, events, toast, words
from tests.scheduling.plans import a_task, write

pytestmark = pytest.mark.django_db
ALL = "/scheduling/run-now/"


@pytest.fixture(autouse=True)
def working(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "require_worker", lambda cluster: None)


@pytest.fixture
def client() -> Client:
    return signed_in()


def posting(character: Character, **fields: Any) -> Task:
    return a_task(character=character, type="generate_and_post", **fields)


def seen(client: Client, address: str = ALL) -> dict[str, str]:
    """What the question carries along."""
    found = re.search(r'name="seen" value="(\w+)"', client.get(address, headers=HTMX).content.decode())
    assert found is not None
    return {"seen": found[1]}


def test_the_question_lists_every_task_by_name_and_deed(client: Client) -> None:
    posting(luna())
    a_task(character=luna(name="Kai"), type="write_prompts")
    a_task(character=luna(name="Mei"), active=False)
    a_task(type="backup", character_id="")
    asked = words(client.get(ALL, headers=HTMX).content)
    assert "Run all 3 active tasks now?" in asked and "Run 3 tasks" in asked
    for line in (
        "Luna : generate and post to Instagram",
        "Kai : write 5 prompts",
        "The data folder : back up",
    ):
        assert line in asked
    assert "Mei" not in asked and "at least 60 s apart" in asked and "real" not in asked
    assert not Job.objects.exists()


def test_real_accounts_are_marked(client: Client) -> None:
    posting(luna(instagram_handle="@luna", **INSTAGRAM))
    a_task(character=luna(name="Kai"))
    asked = words(client.get(ALL, headers=HTMX).content)
    assert "One of them posts to a real account." in asked and "real account @luna" in asked
    assert asked.count("real account") == 2


def test_two_posts_of_one_account_are_a_minute_apart(client: Client) -> None:
    owner = luna()
    posting(owner)
    posting(owner)
    asked = words(client.get(ALL, headers=HTMX).content)
    assert "in 60 s" in asked and "the last one in 60 s" in asked


def test_what_cant_run_is_named_with_the_reason(client: Client) -> None:
    a_task(character=luna())
    a_task(character=luna(name="Kai", is_active=False))
    asked = words(client.get(ALL, headers=HTMX).content)
    assert "1 left out" in asked and "Kai is paused." in asked and "Run the one active task now?" in asked


def test_the_answer_starts_them_and_says_so(client: Client) -> None:
    posting(luna())
    a_task(character=luna(name="Kai"))
    a_task(character=luna(name="Mei", is_active=False))
    answer = client.post(ALL, seen(client), headers=HTMX)
    assert toast(answer) == "Started 2 runs. 1 left out."
    assert events(answer) == {"dialog-close", "tasks-changed", "job-started"}
    assert Job.objects.count() == 2 and Fired.objects.filter(kind="run_now").count() == 2


def test_without_scripts_it_leads_back_to_the_list(client: Client) -> None:
    a_task(character=luna())
    answer = client.post(ALL, seen(client), follow=True)
    assert "Started 1 run." in words(answer.content)


def test_tasks_that_changed_since_are_asked_about_anew(client: Client) -> None:
    a_task(character=luna())
    before = seen(client)
    a_task(character=luna(name="Kai"))
    answer = client.post(ALL, before, headers=HTMX)
    assert answer.status_code == 409 and "Nothing was started." in words(answer.content)
    assert not Job.objects.exists()
    assert client.post(ALL, seen(client), headers=HTMX).status_code == 204


def test_with_no_active_task_there_is_nothing_to_run(client: Client) -> None:
    a_task(character=luna(), active=False)
    asked = client.get(ALL, headers=HTMX).content
    assert "There is no active task." in words(asked) and b'type="submit"' not in asked
    write()
    assert client.post(ALL, {"seen": intended.all_active().mark}, headers=HTMX).status_code == 409


def test_one_task_runs_by_itself_also_while_it_is_paused(client: Client) -> None:
    task = a_task(character=luna(), active=False)
    address = f"/scheduling/{task.pk}/run/"
    assert "It is paused, and stays so." in words(client.get(address, headers=HTMX).content)
    assert toast(client.post(address, seen(client, address), headers=HTMX)) == "Started 1 run."
    assert Fired.objects.get().task_id == task.pk and not services.get(task.pk).active


def test_one_that_is_still_going_is_said_so_and_not_started_twice(client: Client) -> None:
    task = a_task(character=luna())
    address = f"/scheduling/{task.pk}/run/"
    client.post(address, seen(client, address), headers=HTMX)
    assert "Still going: it is not started again." in words(client.get(address, headers=HTMX).content)
    assert toast(client.post(address, seen(client, address), headers=HTMX)) == "Its run is still going."
    assert toast(client.post(ALL, seen(client), headers=HTMX)) == "Its run is still going."
    assert Job.objects.count() == 1


def test_without_a_worker_nothing_starts(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(cluster: str) -> None:
        raise Unavailable("No worker answers.", code="no_worker")

    monkeypatch.setattr(jobs, "require_worker", refuse)
    a_task(character=luna())
    answer = client.post(ALL, seen(client), headers=HTMX)
    assert answer.status_code == 503 and toast(answer) == "No worker answers." and not Job.objects.exists()


def test_a_hundred_are_listed_and_of_more_the_number(client: Client) -> None:
    owner = luna()
    write(
        *(
            {
                "id": f"task_{n}",
                "type": "generate_only",
                "characterId": owner.pk,
                "schedule": "0 1 * * *",
                "active": True,
            }
            for n in range(130)
        )
    )
    asked = words(client.get(ALL, headers=HTMX).content)
    assert "Run all 130 active tasks now?" in asked and "And 30 more." in asked
    assert asked.count("generate an image") == 100


def test_nothing_at_all_is_said_too() -> None:
    assert said([]) == "There was nothing to run."
