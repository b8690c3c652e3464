"""`manage.py status`: a table, and an exit code for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from monitoring import checks, watch
from monitoring.report import Check, Finding, State
from monitoring.watch import Watch


def use(monkeypatch: pytest.MonkeyPatch, **states: State) -> None:
    lines = [_line(name, state) for name, state in states.items()]
    monkeypatch.setattr(checks, "CHECKS", tuple(lines))
    monkeypatch.setattr(checks, "everything", Watch(lines, keep=0))


def _line(name: str, state: State) -> Check:
    return Check(name, name.upper(), lambda fresh: Finding(state, f"{name} says so."))


def run(*words: str) -> str:
    out = StringIO()
    call_command("status", *words, stdout=out)
    return out.getvalue()


def lines(*words: str) -> Sequence[str]:
    return run(*words).splitlines()


def test_each_check_is_a_line_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, disk=State.OK, x=State.SANDBOX)
    assert lines() == ["DISK  ok       disk says so.", "X     sandbox  x says so.", "Overall: ok"]


def test_something_down_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, disk=State.DOWN)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("status", stdout=out)
    assert ended.value.code == 1
    assert "DISK  down  disk says so." in out.getvalue()
    assert "Overall: down" in out.getvalue()


@pytest.mark.parametrize("state", [State.DEGRADED, State.UNCONFIGURED, State.SANDBOX])
def test_anything_less_ends_with_0(monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    use(monkeypatch, disk=state)
    assert str(state) in run()


def test_it_tells_when_it_was_last_well(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, disk=State.OK)
    run()
    use(monkeypatch, disk=State.DEGRADED)
    now = watch.timezone.now
    monkeypatch.setattr(watch.timezone, "now", lambda: now() + timedelta(minutes=3))
    assert "(last well: 3 min ago)" in run()


def test_in_json_it_is_the_body_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, disk=State.OK)
    body = json.loads(run("--json"))
    assert set(body) == {"status", "overall", "checkedAt"}
    assert body["status"]["disk"]["state"] == "ok"
