"""The clock's part in scheduling: which task is due when, and firing it exactly once."""

from __future__ import annotations

import heapq
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection, transaction

from influencer import jsondb
from influencer.errors import Invalid, Problem
from influencer.jobs import clock
from influencer.web import zone as dashboard
from scheduling import firing, recipe, runs, standstill, timetable
from scheduling.firing import Expected, Look
from scheduling.models import NextDue, Task
from scheduling.timetable import Clocks, Timetable

log = logging.getLogger(__name__)

# A task that was saved this recently is due from then on; an older one, seen for the first time, from now.
JUST_SAVED = timedelta(minutes=2)
# After a failure of our own, a task is tried again this much later; the others go on.
RETRY = timedelta(seconds=5)


@dataclass(frozen=True)
class Plan:
    """When a task is due next (None: never again), and when the clock will look at it."""

    digest: str
    timetable: Timetable | None = None
    due: datetime | None = None
    at: datetime | None = None
    problem: str = ""


class Planner:
    """Keeps every task's next due time at hand. A look costs two questions to the file system.

    Several may run at once, in any number of processes: the rows in the database decide.
    """

    def __init__(self) -> None:
        self._seen: tuple[object, ...] = ()
        self._looked: datetime | None = None
        self._plans: dict[str, Plan] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._trouble = ""

    def tick(self, now: datetime) -> int:
        """Fire what is due; how many runs were started."""
        try:
            self._notice_edits(now)
        except Problem as problem:
            self._complain(problem.message)
            return 0
        self._complain("")
        look = Look(now)
        while self._heap and self._heap[0][0] <= now:
            at, task_id = heapq.heappop(self._heap)
            plan = self._plans.get(task_id)
            if plan is not None and plan.at == at:
                self._take(task_id, plan, look)
        self._looked = now
        return look.fired

    def problems(self) -> dict[str, str]:
        """The tasks that can't be planned, each with the reason."""
        return {task_id: plan.problem for task_id, plan in self._plans.items() if plan.problem}

    # --- planning ----------------------------------------------------------------------------

    def _notice_edits(self, now: datetime) -> None:
        """Plan anew what has changed. The same content is the same object, so this is cheap."""
        tasks = jsondb.collection("scheduler.json").content()
        people = jsondb.collection("characters.json").content()
        seen = (tasks, people, dashboard.current())
        if len(self._seen) == len(seen) and all(map(_same, seen, self._seen)):
            return
        self._plan_all(now)
        self._seen = seen

    def _plan_all(self, now: datetime) -> None:
        clocks = Clocks.now()
        tasks = {task.pk: task for task in Task.objects.all()}
        active = {pk: task for pk, task in tasks.items() if task.active}
        runs.drop_missed_without_task(tasks)
        plans = {pk: _unplanned(task, clocks) for pk, task in active.items()}
        changed = {pk for pk, plan in plans.items() if not _says_the_same(self._plans.get(pk), plan)}
        if changed or set(self._plans) - set(plans) or self._looked is None:
            with transaction.atomic():
                NextDue.objects.exclude(pk__in=list(plans)).delete()
                rows = NextDue.objects.in_bulk(list(changed))
                found = {pk: self._planned(active[pk], plans[pk], rows.get(pk), now) for pk in changed}
                _store({pk: plan for pk, plan in found.items() if not _is_stored(plan, rows.get(pk))})
            plans.update(found)
        self._adopt({pk: plan if pk in changed else self._plans[pk] for pk, plan in plans.items()}, changed)

    def _adopt(self, plans: dict[str, Plan], changed: set[str]) -> None:
        self._plans = plans
        self._heap = [(plan.at, pk) for pk, plan in plans.items() if plan.at is not None]
        heapq.heapify(self._heap)
        for pk in changed:
            if plans[pk].problem:
                log.warning("task %s can't be planned: %s", pk, plans[pk].problem)

    def _planned(self, task: Task, plan: Plan, row: NextDue | None, now: datetime) -> Plan:
        """The plan with its due time: what the database knows, or the first one from here on."""
        if row is not None and row.digest == plan.digest:
            return replace(plan, due=row.due, at=row.due)
        if plan.timetable is None:
            return plan
        try:
            due = plan.timetable.next(self._beginning(task, now))
        except Exception:  # one broken task never stops the others
            log.exception("task %s can't be planned", task.pk)
            return replace(plan, problem="Its next run can't be worked out. The log says why.")
        return replace(plan, due=due, at=due)

    def _beginning(self, task: Task, now: datetime) -> datetime:
        """From when on a changed task's times count: nothing is lost between saving and looking."""
        saved = task.updated_at
        if saved is not None and timedelta() <= now - saved < JUST_SAVED:
            return saved
        return min(now, self._looked) if self._looked else now

    # --- firing ------------------------------------------------------------------------------

    def _take(self, task_id: str, plan: Plan, look: Look) -> None:
        """Fire one task; whatever goes wrong stays with it."""
        assert plan.timetable is not None and plan.due is not None
        expected = Expected(plan.timetable, plan.digest, plan.due)
        try:
            task = Task.objects.filter(pk=task_id, active=True).first()
            if task is None:  # changed since it was looked at; the next look will see it
                return
            with transaction.atomic():
                row = firing.settle(task, expected, look)
        except Exception:  # one broken task never stops the others
            log.exception("task %s could not be fired", task_id)
            if not connection.in_atomic_block:
                connection.close()
            self._expect(task_id, replace(plan, at=look.now + RETRY))
            return
        if row is None or row.digest != plan.digest:
            self._seen = ()  # planned differently elsewhere: look at all of it again
            self._plans.pop(task_id)
        else:
            self._expect(task_id, replace(plan, due=row.due, at=row.due))

    def _expect(self, task_id: str, plan: Plan) -> None:
        self._plans[task_id] = plan
        if plan.at is not None:
            heapq.heappush(self._heap, (plan.at, task_id))

    def _complain(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.error("nothing is fired: %s", trouble)
        self._trouble = trouble


_planner = Planner()


def connect() -> None:
    """Have the clock call on us, twice a second."""
    clock.register_tick(tick, every=0.4)
    clock.register_tick(standstill.note, every=standstill.NOTED_EVERY.total_seconds())
    clock.register_tick(runs.prune, every=3600)


def tick(now: datetime) -> int:
    """One look at the tasks; calls may overlap those of other processes."""
    return _planner.tick(now)


def _unplanned(task: Task, clocks: Clocks) -> Plan:
    """The task's timetable, or why it has none."""
    try:
        recipe.task_type(task.type)
        found = timetable.of(task, clocks)
    except Invalid as problem:
        return Plan(digest="", problem=problem.message)
    return Plan(digest=found.digest, timetable=found)


def _says_the_same(known: Plan | None, plan: Plan) -> bool:
    """Whether it is planned by the same times, or broken for the same reason."""
    if known is None or known.digest != plan.digest:
        return False
    return plan.timetable is not None or known.problem == plan.problem


def _is_stored(plan: Plan, row: NextDue | None) -> bool:
    return row is not None and (row.digest, row.due, row.problem) == (plan.digest, plan.due, plan.problem)


def _store(plans: dict[str, Plan]) -> None:
    rows = [
        NextDue(task_id=pk, digest=plan.digest, due=plan.due, problem=plan.problem)
        for pk, plan in plans.items()
    ]
    NextDue.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["task_id"],
        update_fields=["digest", "due", "problem"],
    )


def _same(left: object, right: object) -> bool:
    return left is right
