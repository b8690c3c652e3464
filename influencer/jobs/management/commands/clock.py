"""`manage.py clock`: the process that starts what is due and picks up what was dropped."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from influencer.jobs import clock


class Command(BaseCommand):
    help = "Starts what is due and picks up what was dropped. One at a time; a second one stands by."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        clock.run(stop)
