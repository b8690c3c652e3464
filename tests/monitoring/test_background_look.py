"""What the clock looks at by itself, and settings that were changed."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from django.utils import timezone

from influencer.jobs.pace import pace
from monitoring import checks, clock_turn, settings_watch, standing
from monitoring.models import Event
from monitoring.report import Check, Finding, State
from monitoring.watch import Watch

pytestmark = pytest.mark.django_db(transaction=True)


def texts() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("text", flat=True))


def look_and_wait() -> None:
    clock_turn.look(timezone.now())
    for thread in clock_turn._at_work:
        thread.join(20)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    down = Check("comfyui", "ComfyUI", lambda fresh: Finding(State.DOWN, "It does not answer."))
    monkeypatch.setattr(checks, "nearby", Watch([down], keep=0))


def test_it_notes_what_is_down_though_nobody_looks(broken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "_awake_since", standing._awake_since - pace().silence - 1)
    look_and_wait()
    look_and_wait()
    assert texts() == ["ComfyUI: It does not answer."]


def test_while_everything_starts_nothing_is_noted(broken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "_awake_since", standing.time.monotonic())
    look_and_wait()
    assert texts() == []


def test_a_look_that_breaks_is_logged_and_that_is_all(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checks, "nearby", None)
    clock_turn.look_around()
    assert "the look around failed" in caplog.text


def test_nobody_is_asked_who_counts_or_charges_for_it() -> None:
    assert not set(checks.nearby.checks) & set(checks.OUTSIDE)


def write(folder: Path, content: object) -> None:
    (folder / "settings.json").write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))


def test_changed_settings_are_named_but_not_what_they_hold(data_dir: Path) -> None:
    watch = settings_watch.SettingsWatch()
    watch.look()
    first = {"geminiApiKey": "AIza-secret", "geminiModel": "a", "setAt": {"geminiApiKey": "2026-05-14"}}
    write(data_dir, first)
    watch.look()
    write(data_dir, {**first, "geminiApiKey": "AIza-another", "setAt": {"geminiApiKey": "2026-05-15"}})
    watch.look()
    watch.look()
    assert texts() == ["Settings changed: geminiApiKey, geminiModel", "Settings changed: geminiApiKey"]


def test_the_first_look_only_learns(data_dir: Path) -> None:
    write(data_dir, {"timeZone": "Europe/Madrid"})
    settings_watch.SettingsWatch().look()
    assert texts() == []


def test_a_file_that_can_not_be_read_is_passed_over(data_dir: Path) -> None:
    watch = settings_watch.SettingsWatch()
    write(data_dir, {"timeZone": "Europe/Madrid"})
    watch.look()
    for content in (b"{", b"[1]"):
        write(data_dir, content)
        watch.look()
    write(data_dir, {"timeZone": "Asia/Tokyo"})
    watch.look()
    assert texts() == ["Settings changed: timeZone"]
