"""Tasks in the admin: the same records, through the same form and services; the history to look at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from scheduling import runs, services
from scheduling.models import Fired, FiredState, Task
from tests.characters.factories import filled, luna
from tests.scheduling.asking import words
from tests.scheduling.plans import a_task, edit, stored

pytestmark = pytest.mark.django_db
HOME = "/admin/scheduling/task/"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


def form_of(client: Client, address: str, **fields: str) -> dict[str, str]:
    """What the page sends; choices are not read from it."""
    answer = client.get(address)
    assert answer.status_code == 200
    chosen = {"type": "generate_only", "missed_policy": "late", "approval": "auto"}
    return {**filled(answer.content, "task_form"), **chosen, **fields}


def test_the_list_says_what_and_when_and_filters(client: Client) -> None:
    one, two = luna(), luna(name="Kai")
    a_task("0 18 * * *", character=one, character_name="Luna")
    a_task("0 7 * * 1", character=two, character_name="Kai", type="write_prompts", active=False)
    page = words(client.get(HOME).content)
    assert "generate an image" in page and "At 07:00 on Monday" in page
    for query, hits in {
        "?q=kai": {"Monday"},
        "?active__exact=1": {"every day"},
        f"?character={one.pk}": {"every day"},
        "?type=write_prompts": {"Monday"},
    }.items():
        text = client.get(HOME + query).content.decode()
        assert {said for said in ("Monday", "every day") if said in text} == hits, query


def test_a_task_is_added_and_changed_and_unknown_keys_stay(client: Client) -> None:
    owner = luna()
    fields = {"character_id": owner.pk, "schedule": "0 18 * * *", "config": '{"prompt": "x"}'}
    client.post(f"{HOME}add/", form_of(client, f"{HOME}add/", **fields))
    [row] = stored()
    assert (row["characterName"], row["config"]) == ("Luna", {"prompt": "x"})
    edit(row["id"], mine=1)
    address = f"{HOME}{row['id']}/change/"
    answer = client.post(address, form_of(client, address, schedule="30 7 * * *"))
    assert answer.status_code == 302
    assert stored()[0]["schedule"] == "30 7 * * *" and stored()[0]["mine"] == 1


def test_a_fault_is_told_in_the_same_words(client: Client) -> None:
    form = form_of(client, f"{HOME}add/", character_id=luna().pk, schedule="61 * * * *")
    assert "The minute can't be 61" in words(client.post(f"{HOME}add/", form).content)


def test_one_moment_stays_the_same_moment(client: Client) -> None:
    moment = datetime(2031, 5, 16, 6, 0, 30, tzinfo=UTC)
    task = a_task("", run_at=moment, character=luna(timezone="Asia/Tokyo"))
    address = f"{HOME}{task.pk}/change/"
    assert client.post(address, form_of(client, address, late_hours="9")).status_code == 302
    after = services.get(task.pk)
    assert (after.run_at, after.late_hours) == (moment, 9)


def test_a_stale_form_is_refused(client: Client) -> None:
    task = a_task(character=luna())
    address = f"{HOME}{task.pk}/change/"
    form = form_of(client, address, schedule="1 1 * * *")
    edit(task.pk, schedule="2 2 * * *")
    assert "Someone saved this task" in words(client.post(address, form).content)
    assert services.get(task.pk).schedule == "2 2 * * *"


def test_actions_pause_resume_run_and_delete(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "require_worker", lambda cluster: None)
    ids = [a_task(character=luna()).pk for _ in range(3)]

    def act(action: str, *pks: str) -> str:
        data = {"action": action, "_selected_action": list(pks), "post": "yes"}
        return words(client.post(HOME, data, follow=True).content)

    act("pause", *ids[:2])
    assert [row["active"] for row in stored()] == [False, False, True]
    act("resume", ids[0])
    assert [row["active"] for row in stored()] == [True, False, True]
    assert "runs: job job_" in act("run_now", ids[0]) and Job.objects.count() == 1
    assert "is still going" in act("run_now", ids[0]) and Job.objects.count() == 1
    act("delete_selected", *ids[:2])
    assert [row["id"] for row in stored()] == ids[2:]


def test_without_a_worker_run_now_says_so(client: Client) -> None:
    task = a_task(character=luna())
    data = {"action": "run_now", "_selected_action": [task.pk]}
    assert "No worker answers" in words(client.post(HOME, data, follow=True).content)


def test_the_history_can_be_looked_at_and_nothing_else(client: Client) -> None:
    task = a_task(character=luna())
    fired = runs.record(task, timezone.now(), FiredState.SKIPPED, why="Luna is paused.")
    home = "/admin/scheduling/fired/"
    assert "left out" in words(client.get(home).content)
    assert "Luna is paused." in words(client.get(f"{home}{fired.pk}/change/").content)
    for address in (f"{home}add/", f"{home}{fired.pk}/delete/"):
        assert client.get(address).status_code == 403
    assert client.post(f"{home}{fired.pk}/change/", {"why": "x"}).status_code == 403
    assert Fired.objects.get().why == "Luna is paused." and Task.objects.count() == 1
