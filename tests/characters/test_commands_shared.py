"""What all commands share: whom they mean, what they start, how they talk."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest
import requests

from characters import commands
from influencer import paths, sandbox
from influencer.errors import Conflict, Invalid, NotFound, Unavailable
from tests.characters.people import someone


def test_a_character_is_named_by_id_or_by_name() -> None:
    luna = someone("Luna")
    assert commands.named(luna.pk).pk == luna.pk
    assert commands.named("Luna").pk == luna.pk
    assert commands.named("luna").pk == luna.pk


def test_of_two_names_that_differ_in_capitals_the_exact_one_is_meant() -> None:
    someone("LUNA")
    assert commands.named("Luna" if someone("Luna") else "").name == "Luna"


def test_a_name_two_characters_have_is_refused_with_their_ids() -> None:
    first, second = someone("Luna"), someone("Luna")
    with pytest.raises(Conflict) as refused:
        commands.named("Luna")
    assert first.pk in refused.value.message
    assert second.pk in refused.value.message


def test_a_name_nobody_has_is_not_found() -> None:
    with pytest.raises(NotFound, match="Nobody"):
        commands.named("Nobody")


def test_the_sandbox_runs_only_as_long_as_it_is_needed(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox_speed=50)
    with commands.stand_ins("ComfyUI"):
        running = sandbox.address(paths.run())
        assert running is not None
        assert requests.get(f"{running.comfyui}/system_stats", timeout=5).status_code == 200
    assert sandbox.address(paths.run()) is None


def test_one_that_runs_already_is_used_and_left_alone(data_dir: Path) -> None:
    with sandbox.started(data_dir, "http://127.0.0.1:8000") as running:
        with commands.stand_ins("X"):
            assert sandbox.address(paths.run()) == running
        assert sandbox.address(paths.run()) == running


@pytest.mark.parametrize("names", [(), ("ComfyUI",)])
def test_nothing_is_started_for_services_of_ones_own(settings: Any, names: tuple[str, ...]) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, comfyui_urls=("http://127.0.0.1:1",))
    with commands.stand_ins(*names):
        assert sandbox.address(paths.run()) is None


def test_a_sandbox_that_does_not_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise sandbox.SandboxFailed("The sandbox did not start. No memory.")

    monkeypatch.setattr(sandbox, "started", fail)
    with pytest.raises(Unavailable, match="No memory"), commands.stand_ins("X"):
        pytest.fail("the block was entered")


def test_texts_follow_the_rules_of_requests() -> None:
    commands.check_texts({"prompt": "two\nlines", "count": 3})
    for given in ({"prompt": "bell\x07"}, {"narratives": [{"title": "bell\x07"}]}):
        with pytest.raises(Invalid, match="control character"):
            commands.check_texts(given)
    with pytest.raises(Invalid, match="surrogate"):
        commands.check_texts({"ownKey": ["\ud800"]})


def test_cells_of_a_column_stand_below_each_other() -> None:
    assert commands.columns([("a", 1, ""), ("long", 22, "end")]) == ["a     1", "long  22  end"]


def test_only_warnings_are_logged_while_a_command_talks() -> None:
    before = logging.getLogger().level
    levels: list[int] = []

    class Talking(commands.Command):
        def handle(self, *args: Any, **options: Any) -> None:
            levels.append(logging.getLogger().level)

    for verbosity in (1, 2):
        Talking().execute(verbosity=verbosity, force_color=False, no_color=True, skip_checks=True)
    assert levels == [max(before, logging.WARNING), before]
    assert logging.getLogger().level == before
