"""Start what is due now, and see it through."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from characters import commands
from influencer.jobs.models import iso
from scheduling import attending, clock_turn, runs
from scheduling.models import Fired, FiredState


class Command(commands.Command):
    help = "Start every task that is due now and see it through; for a machine without a running `up`."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--no-wait", action="store_true", help="leave the runs to the workers of `up`")

    def handle(self, *args: Any, **options: Any) -> None:
        last = Fired.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        clock_turn.Planner().tick(timezone.now())
        new = list(Fired.objects.filter(pk__gt=last).order_by("pk"))
        if not options["no_wait"]:
            attending.see_through([row.job_id for row in new if row.state == FiredState.FIRED], self.tell)
        shown = runs.with_jobs(new)
        rows = [(run.fired.task_id, iso(run.fired.due), run.result, run.why) for run in shown]
        lines = commands.columns(rows) if rows else ["Nothing is due."]
        self.answer(options, [run.as_json() for run in shown], lines)
