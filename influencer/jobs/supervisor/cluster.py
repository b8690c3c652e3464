"""A queue cluster's main process: django-q2's own, made to leave nothing behind."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType

import django

from influencer.jobs.supervisor.children import die_with_parent

STOP_WITHIN = 14


def main() -> int:
    """Run the cluster named on the command line until SIGTERM.

    django-q2 waits for a running task however long it takes; here it has STOP_WITHIN
    seconds. Then the main process ends, and the kernel ends what it forked.
    """
    os.environ["Q_CLUSTER_NAME"] = sys.argv[1]
    django.setup()
    from django_q.cluster import Cluster  # noqa: PLC0415  reads the name when it is imported

    _tie_forks_to_their_parent()
    cluster = Cluster()

    def stop(number: int, frame: FrameType | None) -> None:
        signal.alarm(STOP_WITHIN)
        cluster.sig_handler(number, frame)

    signal.signal(signal.SIGTERM, stop)
    gc.collect()
    gc.freeze()
    cluster.start()
    return 0


def _tie_forks_to_their_parent() -> None:
    """Sentinel, workers, pusher and monitor end when the process that forked them does."""
    forking: list[int] = []
    os.register_at_fork(
        before=lambda: forking.append(os.getpid()),
        after_in_parent=forking.clear,
        after_in_child=lambda: die_with_parent(signal.SIGKILL, forking.pop()),
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "influencer.settings")
    sys.exit(main())
