"""A post among dying workers and platforms that fail: out once, and the ledger says so.

The long form: `python -m tests.drills.publishing 300 --seed 1`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from influencer.config import PROJECT

pytestmark = pytest.mark.drill
CASES = 24


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    """All of them, run in a process of their own: it forks workers and kills them."""
    words = [sys.executable, "-m", "tests.drills.publishing", "--json"]
    given = {"cwd": PROJECT, "env": dict(os.environ), "timeout": 600}
    done = subprocess.run(words, capture_output=True, text=True, **given)
    assert done.stdout, done.stderr[-3000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("number", range(CASES))
def test_a_post_goes_out_once_and_the_ledger_agrees(cases: list[dict[str, Any]], number: int) -> None:
    case = cases[number]
    assert case["faults"] == [], case["name"]


def test_a_person_is_asked_only_where_x_never_shows_what_it_has(cases: list[dict[str, Any]]) -> None:
    assert len(cases) == CASES
    assert [case["name"] for case in cases if case["settled"]] == [
        "x: 503 after publish, then kill after write, timeline lags 9 rounds"
    ]
