"""`manage.py character`: the same forms and services as the API."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from characters.models import Character, Narrative
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jobs import services as jobs
from tests.characters.people import INSTAGRAM, someone

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command("character", *words, stdout=out)
    return out.getvalue()


def as_json(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def test_a_character_is_added_with_any_field() -> None:
    added = as_json(
        *("add", "--name", "Luna", "--personality", "Dreamy", "--steps", "12", "--style", "oil"),
        *(
            "--set",
            "triggerWord=luna",
            "--set",
            "promptSettings.mood=calm",
            "--set",
            "ai_label=false",
            "--set",
            "ai_label_reason=By hand",
        ),
    )
    assert added == Character.objects.get().as_json()
    assert (added["steps"], added["triggerWord"], added["aiLabel"]) == (12, "luna", False)
    assert added["promptSettings"] == {
        "basePrompt": "",
        "negativePrompt": "",
        "style": "oil",
        "mood": "calm",
    }


def test_without_json_a_sentence_says_what_was_done() -> None:
    assert run("add", "--name", "Luna", "--personality", "Dreamy").startswith("Added Luna, char_")
    assert run("edit", "Luna", "--mood", "calm").startswith("Saved Luna, char_")


def test_the_list_shows_each_one_by_name_and_can_be_narrowed() -> None:
    someone("Nova", is_active=False)
    someone("Luna")
    assert [line.split()[1] for line in run("list").splitlines()] == ["Luna", "Nova"]
    assert [one["name"] for one in as_json("list", "--q", "nov")] == ["Nova"]
    assert [one["name"] for one in as_json("list", "--show", "active")] == ["Luna"]


def test_an_empty_list_says_the_next_step() -> None:
    assert "seed_sample_data" in run("list")
    assert as_json("list") == []


def test_one_character_is_shown_without_its_secrets() -> None:
    luna = someone("Luna", **INSTAGRAM)
    Narrative.objects.create(character=luna, title="The Quest")
    shown = run("show", "Luna")
    assert f"id: {luna.pk}\n" in shown
    assert "narratives.0.title: The Quest" in shown
    assert "instagramApiKey: ********" in shown
    assert INSTAGRAM["instagram_api_key"] not in shown + run("show", "Luna", "--json")


def test_editing_changes_what_is_named_and_nothing_else() -> None:
    luna = someone("Luna", mood="calm", steps=20, **INSTAGRAM)
    changed = as_json("edit", luna.pk, "--set", "promptSettings.style=oil", "--set", "steps=null")
    assert changed["promptSettings"]["style"] == "oil"
    assert changed["promptSettings"]["mood"] == "calm"
    assert changed["steps"] is None
    assert Character.objects.get().instagram_api_key.reveal() == INSTAGRAM["instagram_api_key"]


def test_a_secret_is_set_sealed_and_taken_away() -> None:
    luna = someone("Luna", **INSTAGRAM)
    run("edit", luna.pk, "--set", "instagramApiKey=IGAA-new")
    assert Character.objects.get().instagram_api_key.reveal() == "IGAA-new"
    run("edit", luna.pk, "--set", "instagramApiKey=null", "--set", "instagramAccountId=")
    assert not Character.objects.get().instagram_api_key


def test_a_whole_record_comes_from_a_file_and_options_win(tmp_path: Path) -> None:
    record = {
        "name": "Luna",
        "personality": "Dreamy",
        "promptSettings": {"style": "oil", "mood": "calm"},
        "narratives": [{"title": "The Quest", "startDate": "2026-01-02"}],
        "ownKey": [1, 2],
    }
    file = tmp_path / "luna.json"
    file.write_text(json.dumps(record))
    added = as_json("add", "--from", str(file), "--mood", "stormy")
    assert added["promptSettings"]["style"] == "oil"
    assert added["promptSettings"]["mood"] == "stormy"
    assert added["ownKey"] == [1, 2]
    assert added["narratives"][0]["title"] == "The Quest"


def test_a_record_can_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"name": "Luna", "personality": "Dreamy"}'))
    assert as_json("add", "--from", "-")["name"] == "Luna"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("edit", "Luna", "--set", "steps=many"), "steps: This must be a number."),
        (("edit", "Luna", "--set", "steps=900"), "steps: "),
        (("edit", "Luna", "--set", "isActive=perhaps"), "isActive: This must be true or false."),
        (("edit", "Luna", "--set", "nam=x"), "no field “nam”"),
        (("edit", "Luna", "--set", "name"), "key=value"),
        (("edit", "Luna", "--name", " "), "name: "),
        (("edit", "Luna", "--voice", "bell\x07"), "control character"),
        (("edit", "Luna", "--set", "instagramApiKey=x"), "instagramAccountId: "),
        (("edit", "Luna"), "Say what to change"),
        (("edit", "Luna", "--from", "/no/such/file"), "/no/such/file can't be read"),
        (("add", "--name", "Nova"), "personality: "),
    ],
)
def test_what_can_not_be_saved_is_said_and_nothing_changes(words: tuple[str, ...], said: str) -> None:
    before = someone("Luna").as_json()
    with pytest.raises(Invalid) as refused:
        run(*words)
    assert said in refused.value.message
    assert [one.as_json() for one in Character.objects.all()] == [before]


@pytest.mark.parametrize("content", ["[1]", "{", "nothing"])
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(Invalid, match="JSON"):
        run("add", "--from", str(file))


def test_deleting_needs_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    luna = someone("Luna")
    with pytest.raises(Conflict, match="--yes"):
        run("delete", "Luna")
    for answer, left in (("n", 1), ("", 1), ("y", 0)):
        _at_a_terminal(monkeypatch, lambda _, answer=answer: answer)
        if left:
            with pytest.raises(Conflict, match="not deleted"):
                run("delete", "Luna")
        else:
            assert "Deleted Luna" in run("delete", luna.pk)
        assert Character.objects.count() == left


def _at_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], str]) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr("builtins.input", answer)


def test_deleting_cancels_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled: list[str] = []
    monkeypatch.setattr(jobs, "cancel_for_character", lambda pk: cancelled.append(pk) or 0)
    luna = someone("Luna")
    assert as_json("delete", luna.pk, "--yes") == {}
    assert cancelled == [luna.pk]


def test_whom_nobody_knows_is_one_sentence() -> None:
    for verb in ("show", "edit", "delete"):
        with pytest.raises(NotFound, match="no character"):
            run(verb, "Nobody")


def test_a_verb_is_needed() -> None:
    with pytest.raises(CommandError):
        run()
