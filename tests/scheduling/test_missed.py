"""Runs missed while the product stood still: late, left out or asked about; never a burst."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from characters import services as characters
from influencer.errors import Conflict, NotFound
from influencer.jobs import services
from influencer.jobs.models import Job, JobState
from scheduling import hand, runs
from scheduling import services as scheduling
from scheduling.clock_turn import Planner
from scheduling.firing import GRACE
from scheduling.models import Fired, FiredState, Task
from tests.characters.people import someone
from tests.scheduling.plans import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    a_task,
    at,
    edit,
    fired,
    jobs_of,
    looked,
    why,
)

pytestmark = pytest.mark.django_db


def test_within_the_grace_it_is_on_time() -> None:
    task = a_task(missed_policy="skip")
    looked()
    assert Planner().tick(at("18:00") + GRACE) == 1
    assert Fired.objects.get().kind == "scheduled" and why(task) == ""


def test_late_makes_up_for_it_and_says_how_late() -> None:
    task = a_task()
    looked()
    assert Planner().tick(at("20:30:00")) == 1
    assert fired(task) == [("13 18:00", "fired")]
    assert Fired.objects.get().kind == "late"
    assert why(task) == "Started 2\u202fh 30\u202fmin late."


def test_late_has_an_end() -> None:
    task = a_task(late_hours=2)
    looked()
    assert Planner().tick(at("20:30:00")) == 0
    assert fired(task) == [("13 18:00", "skipped")]
    assert why(task) == "Missed by 2\u202fh 30\u202fmin; it may be 2 h late."


def test_skip_leaves_it_out() -> None:
    task = a_task(missed_policy="skip")
    looked()
    assert Planner().tick(at("18:05:00")) == 0
    assert (fired(task), why(task)) == (
        [("13 18:00", "skipped")],
        "Missed by 5\u202fmin; missed runs are left out.",
    )


def test_ask_waits_for_a_person() -> None:
    task = a_task(missed_policy="ask")
    looked()
    assert Planner().tick(at("18:05:00")) == 0
    assert fired(task) == [("13 18:00", "missed")]
    assert [row.task_id for row in runs.missed()] == [task.pk]


def test_nobody_is_asked_about_a_task_that_was_taken_out_of_the_file() -> None:
    gone, rests = a_task(missed_policy="ask"), a_task(missed_policy="ask")
    looked()
    planner = Planner()
    planner.tick(at("18:05:00"))
    edit(rests.pk, active=False)
    planner.tick(at("18:05:10"))
    assert runs.waiting_for_someone() == 2
    Task.objects.get(pk=gone.pk).delete()
    planner.tick(at("18:05:20"))
    assert runs.waiting_for_someone() == 1
    assert (fired(gone), why(gone)) == ([("13 18:00", "skipped")], "The task was deleted.")
    assert [row.task_id for row in runs.missed()] == [rests.pk]


def test_a_policy_nobody_knows_is_asked_about() -> None:
    task = a_task()
    edit(task.pk, missedPolicy="whatever")
    looked()
    Planner().tick(at("18:05:00"))
    assert fired(task) == [("13 18:00", "missed")]


def test_of_many_missed_runs_only_the_latest_counts() -> None:
    task = a_task("0 * * * *")
    looked()
    assert Planner().tick(at("15:30:00")) == 1
    assert fired(task) == [
        ("13 13:00", "skipped"),
        ("13 14:00", "skipped"),
        ("13 15:00", "fired"),
    ]
    assert Fired.objects.get(due=at("13:00")).why == "Missed; a later run took its place."


def test_a_year_of_missed_minutes_is_no_burst_and_no_novel() -> None:
    task = a_task("* * * * *", late_hours=1)
    looked(NOON - 365 * DAY)
    assert Planner().tick(NOON + 30 * SECOND) == 1
    rows = fired(task)
    assert len(rows) == 20
    assert [state for _, state in rows] == ["skipped"] * 19 + ["fired"]
    assert "all before it since 2026-05-13 12:01 UTC" in Fired.objects.order_by("due")[0].why
    services.cancel(jobs_of(task)[0].pk)
    assert Planner().tick(NOON + 90 * SECOND) == 1


def test_a_late_run_of_a_paused_character_is_left_out() -> None:
    task = a_task(missed_policy="ask")
    looked()
    characters.set_active(task.character_id, active=False)
    Planner().tick(at("20:00:00"))
    assert (fired(task), why(task)) == ([("13 18:00", "skipped")], "Luna is paused.")


def test_late_posts_of_one_account_start_a_minute_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    luna, kai = someone(), someone("Kai")
    posting = {"type": "generate_and_post_to_twitter"}
    tasks = [a_task(character=whose, **posting) for whose in (luna, luna, luna, kai)]
    looked()
    now = at("19:00:00")
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert Planner().tick(now) == 4
    starts = sorted(
        (job.character_id == kai.pk, (job.not_before or now) - now) for task in tasks for job in jobs_of(task)
    )
    # What may start at once is queued at once.
    apart = [start for is_kai, start in starts if not is_kai]
    assert apart == [timedelta(), MINUTE, 2 * MINUTE]
    assert [start for is_kai, start in starts if is_kai] == [timedelta()]


# --- what a person decides ---------------------------------------------------------------------


def missed(**fields: object) -> Fired:
    a_task(missed_policy="ask", **fields)
    looked()
    Planner().tick(at("18:05:00"))
    return Fired.objects.get(state=FiredState.MISSED)


def test_a_missed_run_can_be_made_up_for_once() -> None:
    row = missed()
    first = hand.run_missed(row.task_id, row.due)
    again = hand.run_missed(row.task_id, row.due)
    assert first.job_id == again.job_id and again.already_running
    assert Job.objects.count() == 1
    row.refresh_from_db()
    assert (row.state, row.job_id, row.why) == ("fired", first.job_id, "Missed; started by hand.")
    with pytest.raises(Conflict, match="started already"):
        hand.skip_missed(row.task_id, row.due)


def test_a_missed_run_can_be_left_out() -> None:
    row = missed()
    assert hand.skip_missed(row.task_id, row.due).state == FiredState.SKIPPED
    assert hand.skip_missed(row.task_id, row.due).state == FiredState.SKIPPED
    assert not runs.missed()
    with pytest.raises(Conflict, match="left out already"):
        hand.run_missed(row.task_id, row.due)


def test_nobody_decides_about_a_run_that_never_was() -> None:
    row = missed()
    for decide in (hand.run_missed, hand.skip_missed):
        with pytest.raises(NotFound):
            decide(row.task_id, row.due + HOUR)


def test_while_a_run_is_going_the_missed_one_stays_to_be_decided() -> None:
    row = missed()
    going = hand.run_now(row.task_id)[0]
    found = hand.run_missed(row.task_id, row.due)
    assert (found.job_id, found.already_running) == (going.job_id, True)
    assert len(runs.missed()) == 1


def test_everything_missed_can_be_made_up_for_a_minute_apart() -> None:
    luna = someone()
    for _ in range(3):
        a_task(missed_policy="ask", type="generate_and_post_to_twitter", character=luna)
    looked()
    Planner().tick(at("18:05:00"))
    started = hand.run_all_missed()
    moments = sorted(job.not_before for job in Job.objects.filter(state=JobState.WAITING))
    assert len(started) == 3 and len(moments) == 2
    assert moments[1] - moments[0] == MINUTE


def test_the_missed_runs_of_a_deleted_task_are_settled() -> None:
    row = missed()
    scheduling.delete_task(row.task_id)
    row.refresh_from_db()
    assert (row.state, row.why) == ("skipped", "The task was deleted.")
