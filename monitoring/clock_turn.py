"""The clock's part in monitoring: looking around though no page is open, and forgetting old events.

A look may take seconds, so it has a thread of its own: the clock must not wait for it.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from django.db import connections

from influencer.jobs import clock
from monitoring import checks, events, settings_watch, standing

log = logging.getLogger(__name__)

EVERY = 10.0

_settings = settings_watch.SettingsWatch()
_at_work: list[threading.Thread] = []


def connect() -> None:
    clock.register_tick(look, every=EVERY)
    clock.register_tick(events.prune, every=3600)


def look(now: datetime) -> None:
    """Look in the background, unless a look is under way, or everything may still be starting."""
    if not standing.settled() or any(thread.is_alive() for thread in _at_work):
        return
    thread = threading.Thread(target=look_around, name="monitoring look", daemon=True)
    _at_work[:] = [thread]
    thread.start()


def look_around() -> None:
    """Note what stands differently than before, and settings that were changed."""
    try:
        standing.note(checks.nearby.report(fresh=True), checks.nearby.checks)
        _settings.look()
    except Exception:  # a look that breaks must not take the next ones with it
        log.exception("the look around failed")
    finally:
        connections.close_all()
