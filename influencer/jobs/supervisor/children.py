"""One child process of the supervisor: started, watched, asked to stop, cleared away."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from influencer.jobs.supervisor.plan import Program
from influencer.jobs.supervisor.switch import Switch

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
SETTLED = 60.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int, parent: int) -> None:
    """Ask the kernel to send this process a signal when its parent ends. See prctl(2)."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we could ask
        os._exit(1)


class Child:
    """A program that should always run. `output` is where it writes; None: where we do."""

    def __init__(
        self,
        program: Program,
        *,
        output: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.program = program
        self.output = output
        self.clock = clock
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_again_at = 0.0
        self.wait = FIRST_WAIT
        self._switch = Switch(Path(program.switch)) if program.switch else None

    @property
    def is_wanted(self) -> bool:
        """Not so while the settings have switched it off."""
        return self._switch is None or not self._switch.is_off()

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def age(self) -> float:
        """Seconds since it was last started."""
        return self.clock() - self.started_at

    def start(self) -> None:
        last_wish = signal.SIGTERM if self.program.bounded else signal.SIGKILL
        us = os.getpid()
        self.started_at = self.clock()
        self.process = subprocess.Popen(
            self.program.argv,
            env={**os.environ, **self.program.environment},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=None if self.output is None else subprocess.STDOUT,
            pass_fds=self.program.keeps,
            start_new_session=True,
            # Safe here: the supervisor has one thread only.
            preexec_fn=lambda: die_with_parent(last_wish, us),
        )

    def has_ended(self) -> bool:
        """True once its main process is gone; whatever it left behind is killed first.

        The group is cleared while the dead process still holds its number: later the
        same number could belong to a stranger.
        """
        if self.process is None:
            return True
        if self.process.returncode is None:
            gone = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if gone is None:
                return False
            self.kill()
            self.process.wait()
        return True

    def plan_restart(self) -> float:
        """Choose when it starts again and return the wait in seconds, longer each time."""
        if self.age > SETTLED:
            self.wait = FIRST_WAIT
        wait, self.wait = self.wait, min(self.wait * 2, LONGEST_WAIT)
        self.start_again_at = self.clock() + wait
        self.process = None
        return wait

    def is_due(self) -> bool:
        return self.process is None and self.clock() >= self.start_again_at and self.is_wanted

    def ask_to_stop(self) -> None:
        """SIGTERM to the main process only: in a group it would kill the running task."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to it and everything it started."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Stop it at once; it may be started again at any time."""
        self.kill()
        if self.process is not None:
            self.process.wait()
        self.process, self.wait, self.start_again_at = None, FIRST_WAIT, 0.0

    def exit_words(self) -> str:
        code = self.process.returncode if self.process else None
        return "was killed" if code == -signal.SIGKILL else f"ended with code {code}"
