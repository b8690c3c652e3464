"""The process that stays while `up` runs: it keeps the others running, and little else.

Standard library only: it is the one process that must never be the reason for trouble,
and without Django it needs a few megabytes.
"""

from __future__ import annotations

import time

from influencer.jobs.supervisor import cluster_watch
from influencer.jobs.supervisor.announcing import Announcer
from influencer.jobs.supervisor.children import Child
from influencer.jobs.supervisor.plan import Plan
from influencer.jobs.supervisor.stop_signals import StopSignals
from influencer.jobs.supervisor.write_lock import WriteLock

LOOK_EVERY = 1.0
ASK_EVERY = 5.0
STOP_WITHIN = 15.0
HEAD_START = 3.0
# A fresh cluster needs time until its first answer.
NEW = 30.0


class Supervisor:
    """Starts the planned programs, restarts what ends, stops all of them in the end."""

    def __init__(self, plan: Plan, announcer: Announcer) -> None:
        self.plan = plan
        self.announcer = announcer
        self.children = [Child(program, output=announcer.output) for program in plan.programs]
        self.write_lock = WriteLock(plan.database)
        self.asked_at = time.monotonic()

    def run(self) -> int:
        """The exit code of `up`: 0 after a stop that was asked for."""
        with StopSignals() as signals:
            try:
                self._start_first()
                while not signals.asked:
                    signals.wait(self._pause())
                    self.look()
            finally:
                self.stop(signals)
        return 0

    def _start_first(self) -> None:
        """Give the first program the machine to itself until it answers, or for HEAD_START seconds."""
        first, *others = self.children
        first.start()
        for child in others:
            child.start_again_at = child.clock() + HEAD_START

    def _start_others(self) -> None:
        for child in self.children:
            if not child.started_at and child.is_wanted:
                child.start()

    def _pause(self) -> float:
        """Seconds until there may be something to do; a child's end wakes the loop anyway."""
        starting = 0.05 if not self.announcer.announced else LOOK_EVERY
        idle = [child for child in self.children if child.process is None and child.is_wanted]
        waits = [child.start_again_at - child.clock() for child in idle]
        return max(0.0, min([starting, *waits]))

    def look(self) -> None:
        """One round: restart what ended, what is stale; say when the product answers."""
        for child in self.children:
            self._keep(child)
        if time.monotonic() - self.asked_at >= ASK_EVERY:
            self.asked_at = time.monotonic()
            self._restart_stale()
            self._free_the_database()
            self.announcer.keep_log_small()
        if self.announcer.announce_when_up():
            self._start_others()

    def _keep(self, child: Child) -> None:
        if child.is_due():
            child.start()
        elif child.process is not None and not child.is_wanted:
            self.announcer.say(f"{child.name} is switched off.")
            child.end()
        elif child.process is not None and child.has_ended():
            words = child.exit_words()
            wait = child.plan_restart()
            self.announcer.say(f"{child.name} {words}; it starts again in {wait:g} s.")

    def _restart_stale(self) -> None:
        found = cluster_watch.read(self.plan.run)
        for child in self.children:
            if child.process is None or child.age < NEW:
                continue
            if child.name in found.stale:
                self._restart(child, "has not answered for a while")
            elif child.name == self.plan.clock and found.age > cluster_watch.SILENT_AFTER:
                self._restart(child, "has stopped looking")

    def _free_the_database(self) -> None:
        """Who holds it can't be seen from outside; what each of them was doing goes on after a restart."""
        if self.write_lock.is_stuck():
            for child in self.children:
                if child.program.writes:
                    self._restart(child, "may be what keeps the database locked")

    def _restart(self, child: Child, why: str) -> None:
        self.announcer.say(f"{child.name} {why}; it is started again.")
        child.kill()

    def stop(self, signals: StopSignals) -> None:
        """Ask everything to stop, wait at most STOP_WITHIN seconds (less when asked twice), then kill."""
        self.announcer.say("Stopping …")
        asked_before = signals.asked
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_WITHIN
        while not all(child.has_ended() for child in self.children):
            if time.monotonic() > deadline or signals.asked > asked_before:
                break
            signals.wait(0.2)
        for child in self.children:
            child.kill()
            if child.process is not None:
                child.process.wait()
        self.announcer.say("Stopped.")
