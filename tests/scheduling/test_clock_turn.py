"""The clock: what is due fires once, edits are noticed, one broken task stops no other."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from characters import services as characters
from characters.models import Character
from influencer.jobs import clock, services
from influencer.jobs.models import Job, JobState
from influencer.web import zone
from scheduling import clock_turn, firing, runs
from scheduling import services as scheduling
from scheduling.clock_turn import Planner
from scheduling.models import Fired, FiredState, NextDue, Task
from tests.characters.people import someone
from tests.scheduling.plans import (
    DAY,
    MINUTE,
    NOON,
    SECOND,
    a_task,
    at,
    edit,
    fired,
    jobs_of,
    looked,
    stored,
    why,
    write,
)

pytestmark = pytest.mark.django_db


# --- the plain success ------------------------------------------------------------------------


def test_a_task_is_fired_at_its_time_and_not_before() -> None:
    task, planner = a_task(), looked()
    assert planner.tick(at("17:59:59")) == 0
    assert planner.tick(at("18:00:00")) == 1
    assert fired(task) == [("13 18:00", "fired")]
    [job] = jobs_of(task)
    assert (job.kind, job.character_id, job.state) == ("run_task", task.character_id, JobState.QUEUED)
    assert job.request["taskId"] == task.pk
    assert job.request["due"] == "2027-05-13T18:00:00.000Z"


def test_each_due_time_is_fired_once_however_often_it_looks() -> None:
    task, planner = a_task(), looked()
    assert [planner.tick(at("18:00:00") + SECOND * n) for n in range(5)] == [1, 0, 0, 0, 0]
    services.cancel(jobs_of(task)[0].pk)
    assert planner.tick(at("14 18:00:01")) == 1
    assert fired(task) == [("13 18:00", "fired"), ("14 18:00", "fired")]


def test_another_clock_goes_on_where_the_first_one_stopped() -> None:
    task, planner = a_task(), looked()
    planner.tick(at("18:00:00"))
    successor = Planner()
    assert successor.tick(at("18:00:01")) == 0
    services.cancel(jobs_of(task)[0].pk)
    assert successor.tick(at("14 18:00:00")) == 1


def test_a_clock_that_comes_back_in_time_misses_nothing() -> None:
    task = a_task()
    looked(at("17:59:00"))
    assert Planner().tick(at("18:01:00")) == 1
    assert fired(task) == [("13 18:00", "fired")]
    assert Fired.objects.get().kind == "scheduled"


def test_every_task_follows_its_own_zone() -> None:
    tokyo, madrid = a_task(timezone="Asia/Tokyo"), a_task(timezone="Europe/Madrid")
    planner = looked()
    planner.tick(at("16:00:00"))
    assert (fired(madrid), fired(tokyo)) == ([("13 16:00", "fired")], [])
    planner.tick(at("14 09:00:00"))
    assert fired(tokyo) == [("14 09:00", "fired")]


def test_a_one_off_runs_once() -> None:
    task, planner = a_task("", run_at=at("15:00")), looked()
    assert planner.tick(at("15:00:00")) == 1
    assert NextDue.objects.get().due is None
    assert Planner().tick(at("20 15:00:00")) == 0
    assert fired(task) == [("13 15:00", "fired")]


def test_an_interval_runs_on() -> None:
    task, planner = a_task("6h"), looked()
    for moment in (at("18:00:01"), at("14 00:00:01")):
        assert planner.tick(moment) == 1
        services.cancel(jobs_of(task)[-1].pk)
    assert fired(task) == [("13 18:00", "fired"), ("14 00:00", "fired")]


def test_the_job_and_its_history_are_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    task, planner = a_task(), looked()

    def broken(*_: Any, **__: Any) -> None:
        raise DatabaseError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(runs, "record", broken)
        assert planner.tick(at("18:00:00")) == 0
    assert not Job.objects.exists() and not Fired.objects.exists()
    assert NextDue.objects.get().due == at("18:00")
    planner.tick(at("18:00:06"))
    assert fired(task) == [("13 18:00", "fired")]


# --- edits ------------------------------------------------------------------------------------


def test_an_edit_by_hand_holds_from_the_next_look() -> None:
    task, planner = a_task(), looked()
    edit(task.pk, schedule="30 12 * * *")
    assert planner.tick(NOON + SECOND) == 0
    assert planner.tick(at("12:30:00")) == 1
    assert planner.tick(at("18:00:00")) == 0


def test_a_task_added_right_before_its_time_is_not_lost() -> None:
    planner = looked(at("17:59:59"))
    task = a_task()
    assert planner.tick(at("18:00:01")) == 1
    assert fired(task) == [("13 18:00", "fired")]


def test_a_task_that_was_saved_while_no_clock_looked_is_due_from_then_on() -> None:
    now = timezone.now().replace(second=30, microsecond=0)
    task = a_task("* * * * *")
    edit(task.pk, updatedAt=(now - 60 * SECOND).isoformat())
    assert Planner().tick(now) == 1
    assert Fired.objects.get().due == now - 30 * SECOND


def test_a_folder_that_was_copied_in_fires_nothing_of_the_past() -> None:
    write({"id": "task_1", "characterId": someone().pk, "type": "generate_only", "schedule": "0 18 * * *"})
    planner = looked(at("18:30:00"))
    assert not Fired.objects.exists()
    assert planner.tick(at("14 18:00:00")) == 1


def test_a_paused_task_rests_and_a_resumed_one_makes_up_for_nothing() -> None:
    task, planner = a_task(), looked()
    scheduling.toggle_task(task.pk, active=False)
    planner.tick(at("18:00:00"))
    assert fired(task) == [] and not NextDue.objects.exists()
    scheduling.toggle_task(task.pk, active=True)
    planner.tick(at("19:00:00"))
    assert fired(task) == []
    assert planner.tick(at("14 18:00:00")) == 1


def test_a_deleted_task_is_forgotten() -> None:
    task, planner = a_task(), looked()
    task.delete()
    assert planner.tick(at("18:00:00")) == 0
    assert not NextDue.objects.exists()


def test_a_task_paused_in_the_very_moment_it_is_due_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    task, planner = a_task(), looked()
    monkeypatch.setattr(planner, "_notice_edits", lambda now: None)
    scheduling.toggle_task(task.pk, active=False)
    assert planner.tick(at("18:00:00")) == 0


def test_an_edit_of_anything_else_moves_nothing() -> None:
    task, planner = a_task("6h"), looked()
    before = NextDue.objects.get()
    edit(task.pk, config={"prompt": "by the sea"}, mine=[1], lateHours=3)
    planner.tick(NOON + SECOND)
    after = NextDue.objects.get()
    assert (after.due, after.digest) == (before.due, before.digest)


def test_the_characters_and_the_dashboards_zone_are_noticed_too(settings: Any) -> None:
    settings.INFLUENCER = replace(settings.INFLUENCER, fixed=frozenset())
    character = someone()
    a_task(character=character)
    planner = looked()
    zone.choose("Asia/Tokyo")
    planner.tick(NOON + SECOND)
    assert NextDue.objects.get().due == at("14 09:00")
    Character.objects.change(character.pk, lambda record: setattr(record, "timezone", "Europe/Madrid"))
    planner.tick(NOON + 2 * SECOND)
    assert NextDue.objects.get().due == at("16:00")


def test_while_nothing_changes_nothing_is_read(django_assert_num_queries: Any) -> None:
    for _ in range(3):
        a_task()
    planner = looked()
    with django_assert_num_queries(0):
        planner.tick(NOON + SECOND)


def test_a_damaged_file_fires_by_its_last_good_copy() -> None:
    from influencer import paths

    task, planner = a_task(), looked()
    (paths.data_dir() / "scheduler.json").write_text('[{"id": "task_')
    assert planner.tick(at("18:00:00")) == 1
    assert fired(task) == [("13 18:00", "fired")]


def test_a_file_nobody_can_read_is_complained_of_once(caplog: pytest.LogCaptureFixture) -> None:
    from influencer import paths

    (paths.data_dir() / "scheduler.json").write_text("nonsense")
    planner = Planner()
    for n in range(3):
        assert planner.tick(NOON + n * SECOND) == 0
    assert caplog.text.count("nothing is fired") == 1
    (paths.data_dir() / "scheduler.json").write_text("[]")
    assert planner.tick(NOON + 4 * SECOND) == 0


# --- one broken task --------------------------------------------------------------------------


def nonsense(**keys: Any) -> dict[str, Any]:
    whose = Character.objects.first() or someone()
    return {"id": "task_bad", "characterId": whose.pk, "type": "generate_only", **keys}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"schedule": "61 * * * *"}, "can't be 61"),
        ({"schedule": 5}, "is no schedule"),
        ({"schedule": ["0 18 * * *"]}, "has 7 fields"),
        ({"schedule": None}, "no schedule"),
        ({}, "no schedule"),
        ({"schedule": "0 18 * * *", "timezone": "Mars/Olympus"}, "no time zone"),
        ({"schedule": "0 18 * * *", "type": "dance"}, "no type of task"),
    ],
)
def test_hand_written_nonsense_is_reported_and_stops_nobody(keys: dict[str, Any], said: str) -> None:
    good = a_task()
    write(*stored(), nonsense(**keys))
    planner = looked()
    assert planner.tick(at("18:00:00")) == 1
    assert fired(good) == [("13 18:00", "fired")]
    row = NextDue.objects.get(pk="task_bad")
    assert row.due is None and said in row.problem
    assert set(planner.problems()) == {"task_bad"}


def test_a_mended_task_runs() -> None:
    write(nonsense(schedule="61 * * * *"))
    planner = looked()
    write(nonsense(schedule="0 18 * * *"))
    assert planner.tick(at("18:00:00")) == 1
    assert NextDue.objects.get().problem == ""


def test_a_task_whose_config_is_nonsense_fires_and_its_run_says_so() -> None:
    task, planner = a_task(), looked()
    edit(task.pk, config="by the sea")
    planner.tick(at("18:00:00"))
    [job] = jobs_of(task)
    services.run_here(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert job.error is not None and job.error["message"] == "config must be an object."


def test_a_failure_of_our_own_stays_with_its_task(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = a_task(), a_task()
    planner = looked()
    real = firing.judge

    def broken(task: Task, due: datetime, now: datetime) -> firing.Verdict:
        if task.pk == bad.pk:
            raise RuntimeError("boom")
        return real(task, due, now)

    with monkeypatch.context() as patch:
        patch.setattr(firing, "judge", broken)
        planner.tick(at("18:00:00"))
    assert (fired(bad), fired(good)) == ([], [("13 18:00", "fired")])
    assert "could not be fired" in caplog.text
    planner.tick(at("18:00:05"))
    assert fired(bad) == [("13 18:00", "fired")]


# --- who does not run now -----------------------------------------------------------------------


def test_a_paused_characters_task_is_left_out_and_says_why() -> None:
    task, planner = a_task(), looked()
    characters.set_active(task.character_id, active=False)
    assert planner.tick(at("18:00:00")) == 0
    assert fired(task) == [("13 18:00", "skipped")]
    assert why(task) == "Luna is paused."


def test_a_task_without_its_character_is_left_out_and_says_why() -> None:
    task, planner = a_task(), looked()
    edit(task.pk, characterId="char_gone")
    planner.tick(at("18:00:00"))
    assert (fired(task), why(task)) == ([("13 18:00", "skipped")], "Its character is gone.")


def test_the_tasks_of_a_deleted_character_are_paused() -> None:
    task, planner = a_task(), looked()
    characters.delete(task.character_id)
    planner.tick(at("18:00:00"))
    assert fired(task) == []
    assert Task.objects.get().active is False


def test_a_backup_needs_no_character() -> None:
    task = a_task("0 3 * * *", type="backup", character_id="")
    planner = looked()
    planner.tick(at("14 03:00:00"))
    [job] = jobs_of(task)
    assert job.kind == "backup"


def test_a_run_that_is_still_going_is_not_started_again() -> None:
    task, planner = a_task("*/10 * * * *"), looked()
    planner.tick(at("12:10:00"))
    planner.tick(at("12:20:00"))
    assert fired(task) == [("13 12:10", "fired"), ("13 12:20", "skipped")]
    assert why(task) == "The run before it was still going."
    services.cancel(jobs_of(task)[0].pk)
    planner.tick(at("12:30:00"))
    assert fired(task)[-1] == ("13 12:30", "fired")


def test_a_run_that_only_waits_for_review_has_done_its_work() -> None:
    task, planner = a_task("*/10 * * * *"), looked()
    planner.tick(at("12:10:00"))
    [job] = jobs_of(task)
    Job.objects.filter(pk=job.pk).update(state=JobState.WAITING, reason="review")
    planner.tick(at("12:20:00"))
    assert fired(task)[-1] == ("13 12:20", "fired")


def test_prompts_are_written_by_their_own_kind_of_job() -> None:
    good = a_task(type="write_prompts", config={"count": 7})
    bad = a_task(type="write_prompts", config={"count": 99})
    planner = looked()
    planner.tick(at("18:00:00"))
    [job] = jobs_of(good)
    assert (job.kind, job.request["count"]) == ("write_prompts", 7)
    assert fired(bad) == [("13 18:00", "skipped")] and "1 to 50" in why(bad)


# --- several clocks -----------------------------------------------------------------------------


def test_two_clocks_in_turns_fire_each_due_time_once() -> None:
    tasks = [a_task("* * * * *") for _ in range(3)]
    first, second = looked(), looked()
    for minute in range(1, 6):
        now = NOON + minute * MINUTE
        assert first.tick(now) + second.tick(now) == 3
        for job in Job.objects.exclude(state=JobState.CANCELLED):
            services.cancel(job.pk)
    assert all(len(fired(task)) == 5 for task in tasks)


@pytest.mark.django_db(transaction=True)
def test_three_clocks_at_the_same_time_fire_each_due_time_once() -> None:
    tasks = [a_task("* * * * *") for _ in range(4)]
    start, failures = threading.Barrier(3), list[BaseException]()

    def be_a_clock() -> None:
        try:
            planner = looked()
            for minute in range(1, 11):
                start.wait(20)
                planner.tick(NOON + minute * MINUTE)
        except BaseException as failure:  # noqa: BLE001 - told in the test's own thread
            failures.append(failure)
            start.abort()
        finally:
            connection.close()

    clocks = [threading.Thread(target=be_a_clock) for _ in range(3)]
    for one in clocks:
        one.start()
    for one in clocks:
        one.join(60)
    assert not failures
    for task in tasks:
        rows = fired(task)
        assert [due for due, _ in rows] == [f"13 12:{minute:02}" for minute in range(1, 11)]
    started = Fired.objects.filter(state=FiredState.FIRED)
    assert Job.objects.count() == started.count() == len(set(started.values_list("job_id", flat=True)))


def test_a_row_planned_by_someone_else_is_adopted() -> None:
    task, planner = a_task(), looked()
    NextDue.objects.update(due=at("14 18:00"))
    assert planner.tick(at("18:00:00")) == 0
    assert planner.tick(at("14 18:00:00")) == 1
    assert fired(task) == [("14 18:00", "fired")]


def test_a_due_time_that_is_on_record_is_never_fired_again() -> None:
    task, planner = a_task(), looked()
    runs.record(task, at("18:00"), FiredState.FIRED)
    assert planner.tick(at("18:00:00")) == 0
    assert NextDue.objects.get().due == at("14 18:00")


def test_rows_that_were_lost_are_planned_anew() -> None:
    a_task()
    planner = looked()
    NextDue.objects.all().delete()
    planner.tick(at("18:00:00"))
    planner.tick(at("18:00:01"))
    assert NextDue.objects.get().due in (at("18:00"), at("14 18:00"))
    assert planner.tick(at("14 18:00:00")) == 1


def test_a_clock_set_back_does_no_harm() -> None:
    task, planner = a_task(), looked()
    planner.tick(at("18:00:00"))
    assert planner.tick(at("17:00:00")) == 0
    assert planner.tick(at("18:00:00")) == 0
    assert fired(task) == [("13 18:00", "fired")]


# --- the product's clock --------------------------------------------------------------------------


def test_the_products_clock_calls_on_us() -> None:
    called = {turn.do for turn in clock._ticks}
    assert {clock_turn.tick, runs.prune} <= called


def test_the_history_of_long_ago_is_forgotten() -> None:
    task = a_task()
    for days in (1, 399, 401):
        runs.record(task, NOON - days * DAY, FiredState.SKIPPED, at=NOON - days * DAY)
    runs.prune(NOON)
    assert Fired.objects.count() == 2
