"""`manage.py up`: everything, with one command."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from influencer.config import PROJECT
from influencer.jobs.supervisor import startup


class Command(BaseCommand):
    help = "Start everything: web server, workers, clock and the sandbox. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, then become the supervisor: the same process, without Django in it."""
        plan = startup.prepare(settings.INFLUENCER, self.stdout.write)
        self.stdout.flush()
        os.chdir(PROJECT)
        arguments = [sys.executable, "-m", "influencer.jobs.supervisor", str(plan.hand_over())]
        os.execv(sys.executable, arguments)  # noqa: S606
