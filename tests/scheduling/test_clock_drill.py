"""Three clocks at once, killed while they fire: every due time fires exactly once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from influencer.config import PROJECT


@pytest.mark.drill
def test_three_clocks_that_are_killed_at_random_double_nothing_and_lose_nothing(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "influencer.settings",
        "INFLUENCER_DATA_DIR": str(tmp_path),
        "INFLUENCER_LOG_LEVEL": "ERROR",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.scheduling.clock_drill"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout)
    assert counts["fired"] == counts["rows"] == counts["jobs"] == counts["distinct"] == counts["due"], counts
    assert counts["kills"] >= 20, counts
