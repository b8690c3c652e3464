"""What is to happen at a due time: run, or be left out with a reason; decided once, written at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from characters.models import Character
from influencer.errors import Invalid, NotFound
from influencer.jobs.wording import duration
from scheduling import runs
from scheduling.models import Fired, FiredKind, FiredState, MissedPolicy, NextDue, Task, TaskType
from scheduling.spacing import Slots
from scheduling.timetable import Timetable

# A run that starts within this of its time is on time.
GRACE = timedelta(seconds=90)
# So many missed runs are written down one by one; of more, the last of them.
MOST_RECORDED = 20


@dataclass(frozen=True)
class Verdict:
    """What becomes of one due time, and why."""

    state: FiredState
    kind: FiredKind = FiredKind.SCHEDULED
    why: str = ""


@dataclass(frozen=True)
class Expected:
    """What the clock believes of a task: its times, and when it is due."""

    timetable: Timetable
    digest: str
    due: datetime


@dataclass
class Look:
    """One look of the clock at its tasks: its time, what it started, and the room between late posts."""

    now: datetime
    fired: int = 0
    slots: Slots = field(init=False)

    def __post_init__(self) -> None:
        self.slots = Slots(self.now)


def settle(task: Task, expected: Expected, look: Look) -> NextDue | None:
    """Record what becomes of a task's due times up to now, queue its run, plan the next one.

    Belongs into one transaction. When someone else was faster, nothing happens. Returns what
    the clock should expect from now on; None when there is no plan for the task any more.
    """
    row = NextDue.objects.select_for_update().filter(pk=task.pk).first()
    if row is None or (row.digest, row.due) != (expected.digest, expected.due):
        return row
    dues = expected.timetable.latest(expected.due, look.now, MOST_RECORDED)[-MOST_RECORDED:]
    known = set(Fired.objects.filter(task_id=task.pk, due__in=dues).values_list("due", flat=True))
    dues = [due for due in dues if due not in known]
    if dues:
        _pass_over(task, dues[:-1], since=expected.due)
        _carry_out(task, dues[-1], look)
    row.due = expected.timetable.next(look.now)
    row.save(update_fields=["due"])
    return row


def judge(task: Task, due: datetime, now: datetime) -> Verdict:
    """What becomes of the latest due time, as task and character stand now."""
    if why := not_now(task):
        return Verdict(FiredState.SKIPPED, why=why)
    late = now - due
    if late > GRACE and (missed := _missed(task, late)):
        return missed
    if runs.going(task.pk) is not None:
        return Verdict(FiredState.SKIPPED, why="The run before it was still going.")
    kind = FiredKind.LATE if late > GRACE else FiredKind.SCHEDULED
    why = f"Started {duration(late.total_seconds())} late." if late > GRACE else ""
    return Verdict(FiredState.FIRED, kind, why)


def not_now(task: Task) -> str:
    """Why the task does not run by itself at the moment; empty when it does."""
    if task.type == TaskType.BACKUP:
        return ""
    character = Character.objects.filter(pk=task.character_id).first()
    if character is None:
        return "Its character is gone."
    return "" if character.is_active else f"{character.name} is paused."


def _missed(task: Task, late: timedelta) -> Verdict | None:
    """What the task says about a run that was missed; None to run it all the same."""
    said = f"Missed by {duration(late.total_seconds())}"
    if task.missed_policy == MissedPolicy.SKIP:
        return Verdict(FiredState.SKIPPED, why=f"{said}; missed runs are left out.")
    if task.missed_policy != MissedPolicy.LATE:
        # Also for a policy nobody knows: nothing is done that nobody asked for.
        return Verdict(FiredState.MISSED, FiredKind.LATE, f"{said}.")
    if late > timedelta(hours=task.late_hours):
        return Verdict(FiredState.SKIPPED, why=f"{said}; it may be {task.late_hours} h late.")
    return None


def _carry_out(task: Task, due: datetime, look: Look) -> None:
    verdict = judge(task, due, look.now)
    job_id = ""
    if verdict.state == FiredState.FIRED:
        try:
            job_id = runs.start(task, due=due, not_before=_start_of(task, verdict, look)).pk
        except (Invalid, NotFound) as problem:
            verdict = Verdict(FiredState.SKIPPED, why=problem.message)
    runs.record(task, due, verdict.state, kind=verdict.kind, why=verdict.why, job_id=job_id)
    look.fired += verdict.state == FiredState.FIRED


def _start_of(task: Task, verdict: Verdict, look: Look) -> datetime | None:
    """Late runs of one account don't come all at once; what is on time starts on time."""
    if verdict.kind != FiredKind.LATE:
        return None
    return look.slots.take(task, Character.objects.filter(pk=task.character_id).first())


def _pass_over(task: Task, dues: list[datetime], *, since: datetime) -> None:
    """Of several missed runs only the latest counts; the others are written down."""
    more = len(dues) == MOST_RECORDED - 1 and dues[0] > since
    for place, due in enumerate(dues):
        why = "Missed; a later run took its place."
        if more and place == 0:
            why = f"Missed, like all before it since {since:%Y-%m-%d %H:%M} UTC."
        runs.record(task, due, FiredState.SKIPPED, why=why)
