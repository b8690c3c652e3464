"""Run the plan that lies in the file descriptor named on the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from influencer.jobs.supervisor.announcing import Announcer
from influencer.jobs.supervisor.loop import Supervisor
from influencer.jobs.supervisor.plan import take_over

PROJECT = Path(__file__).resolve().parents[3]


def main() -> int:
    plan = take_over(int(sys.argv[1]))
    # They came through exec; from here on only the program that names one inherits it.
    for descriptor in (plan.lock, *(number for program in plan.programs for number in program.keeps)):
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)
    os.chdir(PROJECT)
    return Supervisor(plan, Announcer(plan)).run()


if __name__ == "__main__":
    sys.exit(main())
