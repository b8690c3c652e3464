"""`/api/scheduler`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from influencer.jobs import health
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from scheduling import runs
from scheduling.models import Fired, FiredState, Task
from tests.characters.factories import luna, signed_in
from tests.scheduling.plans import MINUTE, NOON, a_task, edit, looked, stored

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]


@pytest.fixture
def client() -> Client:
    return signed_in()


@pytest.fixture
def post(client: Client) -> Post:
    def post(action: str, *, headers: dict[str, str] | None = None, **body: Any) -> Any:
        return client.post(
            "/api/scheduler", {"action": action, **body}, content_type="application/json", headers=headers
        )

    return post


@pytest.fixture
def worker_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "require_worker", lambda cluster: None)


def new(**keys: Any) -> dict[str, Any]:
    return {"characterId": luna().pk, "type": "generate_only", "schedule": "0 18 * * *", **keys}


def test_without_signing_in_there_is_no_answer() -> None:
    assert Client().get("/api/scheduler").status_code == 401
    assert Client().post("/api/scheduler", {}, content_type="application/json").status_code == 401


def test_the_list_holds_all_there_is_to_know(client: Client) -> None:
    health.beat("clock")
    task = a_task(config={"prompt": "by the sea"})
    runs.record(task, NOON, FiredState.SKIPPED, why="Luna is paused.")
    broken = a_task()
    edit(broken.pk, schedule="61 * * * *")
    answer = client.get("/api/scheduler").json()
    assert answer["success"] is True
    first, second = answer["tasks"]
    assert first["id"] == task.pk and first["config"] == {"prompt": "by the sea"}
    assert first["description"] == "At 18:00 every day"
    assert first["nextRun"].endswith("T18:00:00.000Z")
    assert (first["lastRun"], first["lastResult"]) == ("2027-05-13T12:00:00.000Z", "skipped")
    assert (second["nextRun"], second["lastRun"]) == (None, None)
    assert "can't be 61" in second["problem"] and "can't be 61" in second["description"]
    assert answer["settings"]["timezone"] == "UTC"
    assert answer["heartbeat"]["alive"] is True


def test_without_a_clock_the_heartbeat_is_not_alive(client: Client) -> None:
    assert client.get("/api/scheduler/").json()["heartbeat"] == {"lastBeatAt": None, "alive": False}


def test_a_paused_task_has_no_next_run(client: Client) -> None:
    a_task(active=False)
    assert client.get("/api/scheduler").json()["tasks"][0]["nextRun"] is None


def test_what_the_clock_has_planned_is_shown_and_an_edit_at_once(client: Client) -> None:
    task = a_task("6h")
    looked(timezone.now())
    planned = client.get("/api/scheduler").json()["tasks"][0]["nextRun"]
    edit(task.pk, schedule="30 18 * * *")
    assert client.get("/api/scheduler").json()["tasks"][0]["nextRun"] != planned


def test_add_gives_201_and_keeps_unknown_keys(post: Post) -> None:
    answer = post("add_task", task=new(mine=[1]))
    assert answer.status_code == 201
    task = answer.json()["task"]
    assert (task["characterName"], task["active"], task["mine"]) == ("Luna", True, [1])
    assert task["nextRun"] and stored()[0]["mine"] == [1]


def test_the_same_idempotency_key_adds_once(post: Post) -> None:
    task = new()
    first, second = (post("add_task", task=task, headers={"Idempotency-Key": "k1"}).json() for _ in range(2))
    assert first["task"]["id"] == second["task"]["id"] and len(stored()) == 1


def test_update_changes_what_is_given(post: Post) -> None:
    task = a_task(config={"prompt": "by the sea"})
    answer = post("update_task", task={"id": task.pk, "schedule": "30 8 * * 1-5", "config": {"seed": 4}})
    assert answer.status_code == 200
    changed = answer.json()["task"]
    assert changed["description"] == "At 08:30 Monday to Friday"
    assert changed["config"] == {"prompt": "by the sea", "seed": 4}
    stale = post(
        "update_task", task={"id": task.pk, "active": False, "updatedAt": "2020-01-01T00:00:00.000Z"}
    )
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_since")
    assert post("update_task", task={"id": "task_gone", "active": True}).status_code == 404


def test_toggle_pauses_and_resumes(post: Post) -> None:
    task = a_task()
    assert post("toggle_task", taskId=task.pk).json()["task"]["active"] is False
    assert post("toggle_task", taskId=task.pk, active=True).json()["task"]["active"] is True
    assert post("toggle_task", taskId=task.pk, active="yes").status_code == 400
    assert post("toggle_task", taskId="task_gone").status_code == 404


def test_delete_takes_it_away(post: Post) -> None:
    task = a_task()
    assert post("delete_task", taskId=task.pk).json() == {"success": True}
    assert post("delete_task", taskId=task.pk).status_code == 404


def test_run_now_answers_with_the_jobs(post: Post, worker_there: None) -> None:
    task = a_task()
    answer = post("run_now")
    assert answer.status_code == 202
    [run] = answer.json()["runs"]
    assert run == {"taskId": task.pk, "jobId": Job.objects.get().pk, "alreadyRunning": False}
    [again] = post("run_now", taskId=task.pk).json()["runs"]
    assert again == {**run, "alreadyRunning": True}


def test_run_now_with_no_active_task_is_an_empty_list(post: Post, worker_there: None) -> None:
    a_task(active=False)
    answer = post("run_now")
    assert (answer.status_code, answer.json()["runs"]) == (202, [])


def test_run_now_twice_under_one_key_runs_once(post: Post, worker_there: None) -> None:
    a_task()
    first = post("run_now", headers={"Idempotency-Key": "k"}).json()
    Job.objects.update(state=JobState.SUCCEEDED)
    second = post("run_now", headers={"Idempotency-Key": "k"}).json()
    assert first["runs"] == second["runs"] and Job.objects.count() == 1


def test_run_now_says_who_was_left_out(post: Post, worker_there: None) -> None:
    task = a_task()
    edit(task.pk, characterId="char_gone")
    answer = post("run_now").json()
    assert (answer["runs"], answer["leftOut"][0]["why"]) == ([], "Its character is gone.")
    assert post("run_now", taskId=task.pk).status_code == 409


def test_run_now_needs_a_worker(post: Post) -> None:
    a_task()
    answer = post("run_now")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_worker")


def test_a_missed_run_is_made_up_for_or_left_out(post: Post, client: Client, worker_there: None) -> None:
    task = a_task()
    for number in range(2):
        runs.record(task, NOON + number * MINUTE, FiredState.MISSED)
    missed = client.get("/api/scheduler").json()["missed"]
    assert [one["due"] for one in missed] == ["2027-05-13T12:01:00.000Z", "2027-05-13T12:00:00.000Z"]
    answer = post("run_missed", taskId=task.pk, due=missed[0]["due"])
    assert (answer.status_code, len(answer.json()["runs"])) == (202, 1)
    assert post("skip_missed", taskId=task.pk, due=missed[1]["due"]).json()["run"]["result"] == "skipped"
    assert post("skip_missed", taskId=task.pk, due=missed[0]["due"]).status_code == 409
    assert post("run_missed", taskId=task.pk, due="2027-01-01T00:00:00Z").status_code == 404
    for due in ("yesterday", None, [1], 10**30):
        assert post("run_missed", taskId=task.pk, due=due).status_code == 400
    assert set(Fired.objects.values_list("state", flat=True)) == {"fired", "skipped"}


def test_a_preview_lists_times_in_utc(post: Post) -> None:
    answer = post("preview", schedule="0 18 * * *", timezone="Asia/Tokyo", count=3).json()
    assert len(answer["next"]) == 3 and answer["next"][0].endswith("T09:00:00.000Z")
    assert answer["description"] == "At 18:00 every day"
    assert len(post("preview", schedule="* * * * *", count=500).json()["next"]) == 500


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"schedule": "61 * * * *"}, "schedule"),
        ({"schedule": "0 0 30 2 *"}, "schedule"),
        ({"schedule": "* * * * * *"}, "schedule"),
        ({"schedule": "@reboot"}, "schedule"),
        ({"schedule": ""}, "schedule"),
        ({}, "schedule"),
        ({"schedule": 7}, "schedule"),
        ({"schedule": "6h", "timezone": "Mars/Olympus"}, "timezone"),
        ({"schedule": "6h", "timezone": 5}, "timezone"),
        ({"schedule": "6h", "count": 501}, "count"),
        ({"schedule": "6h", "count": 0}, "count"),
        ({"schedule": "6h", "count": "many"}, "count"),
        ({"schedule": "6h", "count": True}, "count"),
    ],
)
def test_a_preview_of_nonsense_names_the_field(post: Post, body: dict[str, Any], field: str) -> None:
    answer = post("preview", **body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]


@pytest.mark.parametrize("action", ["dance", "", None, 5, ["add_task"], {"a": 1}])
def test_an_unknown_action_is_refused(post: Post, action: Any) -> None:
    answer = post(action)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["action"])


@pytest.mark.parametrize("task", [None, "a task", [1], 5])
def test_a_task_that_is_no_object_is_refused(post: Post, task: Any) -> None:
    for action in ("add_task", "update_task"):
        assert post(action, task=task).status_code == 400
    assert not Task.objects.exists()


def test_a_task_with_a_prompt_of_100_kb_is_refused(post: Post) -> None:
    answer = post("add_task", task=new(config={"prompt": "x" * 100_001}))
    assert answer.status_code == 400
    assert not Task.objects.exists()


def test_the_history_of_a_task_can_be_asked_for(post: Post) -> None:
    task = a_task()
    runs.record(task, NOON, FiredState.SKIPPED, why="Luna is paused.")
    [line] = post("history", taskId=task.pk).json()["history"]
    assert (line["due"], line["result"], line["why"]) == (
        "2027-05-13T12:00:00.000Z",
        "skipped",
        "Luna is paused.",
    )


def test_a_review_is_answered(post: Post, client: Client) -> None:
    task = a_task()
    job = runs.start(task, due=NOON)
    memo = {"captions": {"x": "Hello"}, "alt_text": ""}
    Job.objects.filter(pk=job.pk).update(state=JobState.WAITING, reason="review", memo=memo)
    assert client.get("/api/scheduler").json()["review"] == [{"taskId": task.pk, "jobId": job.pk}]
    assert post("approve", jobId=job.pk, caption=5).status_code == 400
    assert post("approve", jobId=job.pk, caption="Better").json()["job"]["state"] == "queued"
    assert post("reject", jobId=job.pk).status_code == 409
    assert post("approve", jobId="job_gone").status_code == 404


def test_only_get_and_post(client: Client) -> None:
    assert client.put("/api/scheduler", {}, content_type="application/json").status_code == 405
