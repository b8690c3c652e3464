"""The library, writing and captions from the command line."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from characters.models import Narrative
from influencer.errors import Invalid, NotFound
from prompts.models import Prompt
from tests.characters.factories import luna
from tests.prompts.library import prompt, rows

pytestmark = pytest.mark.django_db(transaction=True)


def said(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue()


def told(*words: str) -> Any:
    return json.loads(said(*words, "--json"))


def test_a_prompt_is_added_listed_changed_used_and_deleted() -> None:
    luna()
    pk = told("prompts", "add", "Luna", "by the sea", "--caption", "The tide.")["id"]
    assert pk in said("prompts", "list", "--character", "Luna", "--unused")
    assert "by the sea" in said("prompts", "show", pk)
    assert told("prompts", "edit", pk, "--x-caption", "Tide.")["captions"] == {"x": "Tide."} | {
        "instagram": ""
    }
    assert told("prompts", "use", pk)["used"] is True
    assert said("prompts", "list", "--unused").startswith("No prompts.")
    assert said("prompts", "delete", pk) == "Deleted 1.\n"
    assert rows() == []


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(NotFound):
        said("prompts", "delete", "prompt_none")
    with pytest.raises(Invalid, match="Say what to change"):
        said("prompts", "edit", prompt().pk)
    luna()
    with pytest.raises(Invalid, match="Say what the image shows"):
        said("caption", "Luna")
    with pytest.raises(Invalid, match="from 1 to 50"):
        said("write_prompts", "Luna", "--count", "51")


def test_prompts_are_written_without_a_running_up_and_without_a_key() -> None:
    owner = luna(trigger_word="luna_character")
    Narrative.objects.create(character=owner, title="The Crystal Quest", description="A legendary crystal.")
    content = told("write_prompts", "Luna", "--count", "5", "--narrative", "the crystal quest")
    assert len(content["prompts"]) == 5
    assert {one["source"] for one in content["prompts"]} == {"templates"}
    assert Prompt.objects.count() == 5


def test_a_caption_is_written_for_a_prompt_and_for_words() -> None:
    owner = luna()
    one = prompt("by the sea at dusk", character_id=owner.pk)
    assert told("caption", one.pk)["caption"] == rows()[0]["caption"] != ""
    content = told("caption", "Luna", "--prompt", "by the sea", "--platform", "x")
    assert content["platform"] == "x" and len(content["caption"]) <= 280
    assert "Written without AI" in said("caption", "Luna", "--prompt", "by the sea")
