"""Adding, changing, pausing, deleting tasks, and running them by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters import services as characters
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from scheduling import hand, payload, runs, services
from scheduling.models import Fired, FiredState, Task
from tests.characters.people import someone
from tests.scheduling.plans import MINUTE, NOON, a_task, edit, fired, looked, stored

pytestmark = pytest.mark.django_db
TO_X = "generate_and_post_to_twitter"


def add(**body: Any) -> Task:
    given = payload.read(body)
    form = given.form()
    if not form.is_valid():
        raise payload.form_problem(form)
    return services.add_task(form, extra=given.extra)


def change(task: Task, **body: Any) -> Task:
    given = payload.read({"id": task.pk, **body})
    form = given.form(task)
    if not form.is_valid():
        raise payload.form_problem(form)
    return services.update_task(task.pk, form, still=given.is_current, extra=given.extra, config=given.config)


# --- adding -------------------------------------------------------------------------------------


def test_a_task_is_added_as_it_is_documented() -> None:
    luna = someone()
    config = {"prompt": "luna_character in a magical forest", "postToInstagram": True}
    task = add(
        characterId=luna.pk, type="generate_and_post", schedule="0 18 * * *", config=config, mine={"a": 1}
    )
    [row] = stored()
    assert list(row)[:6] == ["id", "characterId", "type", "schedule", "active", "config"]
    assert row["config"] == config and row["mine"] == {"a": 1}
    assert (row["active"], row["characterName"]) == (True, "Luna")
    assert (task.missed_policy, task.late_hours, task.approval) == ("late", 6, "auto")


def test_a_moment_without_an_offset_is_meant_by_the_tasks_clock() -> None:
    luna = someone(timezone="Europe/Madrid")
    common = {"characterId": luna.pk, "type": "generate_only"}
    assert add(**common, runAt="2099-07-01T15:00").run_at.isoformat() == "2099-07-01T13:00:00+00:00"
    tokyo = add(**common, runAt="2099-07-01T15:00", timezone="Asia/Tokyo")
    assert tokyo.run_at.isoformat() == "2099-07-01T06:00:00+00:00"
    assert add(**common, runAt="2099-07-01T15:00:00Z").run_at.hour == 15


def test_a_backup_needs_no_character() -> None:
    assert add(type="backup", schedule="1d").character_id == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"schedule": "61 * * * *"}, "schedule"),
        ({"schedule": "0 0 30 2 *"}, "schedule"),
        ({"schedule": "0 0 18 * * *"}, "schedule"),
        ({"schedule": "@reboot"}, "schedule"),
        ({"schedule": ""}, "schedule"),
        ({"schedule": 5}, "schedule"),
        ({"schedule": "x" * 100_000}, "schedule"),
        ({"schedule": None, "runAt": "2020-01-01T00:00:00Z"}, "runAt"),
        ({"schedule": None, "runAt": "tomorrow"}, "runAt"),
        ({"runAt": "2099-01-01T00:00:00Z"}, "schedule"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"type": "dance"}, "type"),
        ({"type": None}, "type"),
        ({"characterId": "char_gone"}, "characterId"),
        ({"characterId": None}, "characterId"),
        ({"characterId": ["a"]}, "characterId"),
        ({"active": "yes"}, "active"),
        ({"missedPolicy": "panic"}, "missedPolicy"),
        ({"approval": "maybe"}, "approval"),
        ({"lateHours": 0}, "lateHours"),
        ({"lateHours": 10_000}, "lateHours"),
        ({"lateHours": "six"}, "lateHours"),
        ({"lateHours": True}, "lateHours"),
        ({"config": "by the sea"}, "config"),
        ({"config": [1]}, "config"),
        ({"config": {"prompt": 5}}, "config"),
        ({"config": {"promptSource": "dream"}}, "config"),
        ({"config": {"postToInstagram": "yes"}}, "config"),
        ({"config": {"width": 7}}, "config"),
        ({"config": {"steps": [20]}}, "config"),
        ({"config": {"imageIds": "img_1"}}, "config"),
        ({"type": "write_prompts", "config": {"count": 51}}, "config"),
        ({"updatedAt": "yesterday"}, "updatedAt"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_key(body: dict[str, Any], field: str) -> None:
    good = {"characterId": someone().pk, "type": "generate_only", "schedule": "0 18 * * *"}
    with pytest.raises(Invalid) as refusal:
        add(**{**good, **body})
    assert field in refusal.value.fields, refusal.value.fields
    assert not Task.objects.exists()


def test_what_the_product_works_out_itself_is_not_taken_from_a_body() -> None:
    task = add(
        characterId=someone().pk,
        type="generate_only",
        schedule="6h",
        nextRun="2020-01-01T00:00:00Z",
        lastResult="succeeded",
        description="never",
        characterName="Somebody",
    )
    assert not {"nextRun", "lastResult", "description"} & set(stored()[0])
    assert task.character_name == "Luna"


# --- changing -----------------------------------------------------------------------------------


def test_only_what_is_given_changes() -> None:
    task = a_task(config={"prompt": "by the sea", "steps": 20, "mine": [1]})
    changed = change(task, config={"steps": None, "seed": 4}, approval="review")
    assert changed.config == {"prompt": "by the sea", "mine": [1], "seed": 4}
    assert (changed.approval, changed.schedule) == ("review", "0 18 * * *")


def test_schedule_and_moment_take_each_others_place() -> None:
    task = a_task()
    once = change(task, runAt="2099-01-01T10:00:00Z")
    assert (once.schedule, once.run_at.year) == ("", 2099)
    again = change(once, schedule="6h")
    assert (again.schedule, again.run_at) == ("6h", None)


def test_a_broken_task_can_be_paused_and_mended() -> None:
    task = a_task()
    edit(task.pk, schedule="61 * * * *", timezone="Mars/Olympus")
    assert change(services.get(task.pk), active=False).active is False
    assert services.toggle_task(task.pk).active is True
    mended = change(services.get(task.pk), schedule="0 18 * * *", timezone="Europe/Madrid")
    assert mended.timezone == "Europe/Madrid"


def test_the_task_of_a_character_that_is_gone_can_be_given_to_another() -> None:
    task = a_task()
    characters.delete(task.character_id)
    kai = someone("Kai")
    assert change(services.get(task.pk), active=True).active
    assert change(services.get(task.pk), characterId=kai.pk).character_name == "Kai"


def test_a_stale_change_is_refused() -> None:
    task = a_task()
    seen = task.as_json()["updatedAt"]
    change(task, approval="review", updatedAt=seen)
    with pytest.raises(Conflict) as refusal:
        change(task, approval="auto", updatedAt=seen)
    assert refusal.value.code == "changed_since"
    assert services.get(task.pk).approval == "review"


def test_pause_and_resume() -> None:
    task = a_task()
    assert services.toggle_task(task.pk).active is False
    assert services.toggle_task(task.pk).active is True
    assert services.toggle_task(task.pk, active=True).active is True
    with pytest.raises(NotFound):
        services.toggle_task("task_gone")


def test_a_deleted_task_ends_what_has_not_begun_and_keeps_its_history() -> None:
    task = a_task()
    begun, waits, reviewed = (runs.start(task, due=NOON) for _ in range(3))
    for number, job in enumerate((begun, waits, reviewed)):
        runs.record(task, NOON + number * MINUTE, FiredState.FIRED, job_id=job.pk)
    Job.objects.filter(pk=waits.pk).update(state=JobState.WAITING, reason="scheduled")
    Job.objects.filter(pk=reviewed.pk).update(state=JobState.WAITING, reason="review")
    services.delete_task(task.pk)
    states = [str(jobs.get(job.pk).state) for job in (begun, waits, reviewed)]
    assert states == ["queued", "cancelled", "cancelled"]
    assert len(fired(task)) == 3 and not Task.objects.exists()
    with pytest.raises(NotFound):
        services.delete_task(task.pk)


# --- by hand ------------------------------------------------------------------------------------


def test_run_now_starts_every_active_task_and_no_paused_one() -> None:
    active, paused = a_task(), a_task(active=False)
    started = hand.run_now()
    assert [one.task_id for one in started] == [active.pk]
    assert (fired(active)[0][1], fired(paused)) == ("fired", [])
    assert Fired.objects.get().kind == "run_now"


def test_run_now_without_an_active_task_starts_nothing() -> None:
    a_task(active=False)
    assert hand.run_now() == []


def test_a_run_that_is_going_is_listed_with_its_job() -> None:
    task = a_task()
    [first], [second] = hand.run_now(), hand.run_now(task.pk)
    assert (second.job_id, second.already_running) == (first.job_id, True)
    assert Job.objects.count() == 1


def test_posts_of_one_account_start_a_minute_apart() -> None:
    luna, kai = someone(), someone("Kai")
    for whose in (luna, luna, luna, kai):
        a_task(type=TO_X, character=whose)
    a_task(type="generate_and_post", character=luna)
    a_task(character=luna)
    before = timezone.now()
    started = hand.run_now()
    waits = [one.starts_at - before if one.starts_at else timedelta() for one in started]
    assert [round(wait.total_seconds() / 60) for wait in waits] == [0, 1, 2, 0, 0, 0]
    states = [str(jobs.get(one.job_id).state) for one in started]
    assert states == ["queued", "waiting", "waiting", "queued", "queued", "queued"]


def test_two_characters_who_share_an_account_share_its_minutes() -> None:
    from tests.characters.people import X

    for name in ("Luna", "Kai"):
        a_task(type=TO_X, character=someone(name, **X))
    assert [bool(one.starts_at) for one in hand.run_now()] == [False, True]


def test_all_at_once_leaves_out_who_is_paused_or_gone_with_the_reason() -> None:
    luna = someone()
    paused, gone, odd = a_task(character=luna), a_task(character=luna), a_task(type="backup", character_id="")
    edit(gone.pk, characterId="char_gone")
    edit(odd.pk, type="dance")
    characters.set_active(luna.pk, active=False)
    why = {one.task_id: one.why for one in hand.run_now() if not one.job_id}
    assert why == {
        paused.pk: "Luna is paused.",
        gone.pk: "Its character is gone.",
        odd.pk: "“dance” is no type of task.",
    }
    assert not Job.objects.exists()


def test_a_one_off_that_is_over_is_not_among_all_but_runs_by_name() -> None:
    task = a_task("", run_at=timezone.now() - MINUTE)
    assert [one.why for one in hand.run_now()] == ["Its one run is over."]
    assert hand.run_now(task.pk)[0].job_id


def test_one_task_runs_by_hand_also_while_it_and_its_character_are_paused() -> None:
    task = a_task(active=False)
    characters.set_active(task.character_id, active=False)
    assert hand.run_now(task.pk)[0].job_id


def test_one_task_that_cannot_run_says_why() -> None:
    task = a_task()
    edit(task.pk, characterId="char_gone")
    with pytest.raises(Conflict, match="is gone"):
        hand.run_now(task.pk)
    with pytest.raises(NotFound):
        hand.run_now("task_gone")
    bad = a_task(type="write_prompts", config={"count": 99})
    with pytest.raises(Invalid):
        hand.run_now(bad.pk)


def test_what_one_run_now_started_can_be_told_again() -> None:
    luna = someone()
    for _ in range(2):
        a_task(type=TO_X, character=luna)
    batches: list[str] = []
    started = hand.run_now(bind=batches.append)
    told = hand.started_in(batches[0])
    assert [one.job_id for one in told] == [one.job_id for one in started]


def test_running_by_hand_moves_no_due_time() -> None:
    task = a_task()
    planner = looked()
    hand.run_now(task.pk)
    jobs.cancel(Job.objects.get().pk)
    assert planner.tick(NOON.replace(hour=18)) == 1


# --- looking ahead --------------------------------------------------------------------------------


def test_a_preview_lists_the_next_times() -> None:
    found = services.preview("0 18 * * *", "Europe/Madrid", 3, after=NOON)
    assert [f"{due:%d %H:%M}" for due in found] == ["13 16:00", "14 16:00", "15 16:00"]
    assert len(services.preview("* * * * *", count=500)) == 500
    for given in (("61 * * * *", "", 1), ("* * * * *", "Mars", 1), ("* * * * *", "", 501)):
        with pytest.raises(Invalid):
            services.preview(*given)
