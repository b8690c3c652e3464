"""What the settings say about the sandbox, as the supervisor reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from influencer.jobs.supervisor.switch import Switch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


@pytest.mark.parametrize(
    ("content", "off"),
    [
        ('{"sandbox": "off"}', True),
        ('{"sandbox": "auto"}', False),
        ('{"sandbox": ["off"]}', False),
        ('{"timeZone": "UTC"}', False),
    ],
)
def test_only_the_word_off_switches_it_off(file: Path, content: str, off: bool) -> None:
    file.write_text(content)
    assert Switch(file).is_off() is off


def test_without_a_file_it_is_on(file: Path) -> None:
    assert not Switch(file).is_off()


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_file_nobody_can_read_changes_nothing(file: Path, content: str) -> None:
    switch = Switch(file)
    file.write_text('{"sandbox": "off"}')
    assert switch.is_off()
    file.write_text(content)
    assert switch.is_off()
    file.write_text('{"sandbox": "on"}')
    assert not switch.is_off()


def test_it_is_read_only_when_it_has_changed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('{"sandbox": "off"}')
    switch = Switch(file)
    assert switch.is_off()
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("It was read again."))
    assert switch.is_off()
