"""`manage.py seed_sample_data` and `models`, and the samples at set-up."""

from __future__ import annotations

import dataclasses
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from characters.images import samples
from characters.images.models import Image
from characters.models import Character
from influencer.errors import Problem, Unavailable
from influencer.web import setup
from prompts.models import Prompt
from scheduling.models import Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SIZE", (64, 80))


def run(name: str, *words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(name, *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.usefixtures("small_pictures")
def test_three_characters_come_with_all_that_is_theirs() -> None:
    said, _ = run("seed_sample_data")
    assert [line.partition(",")[0] for line in said.splitlines()] == [
        "Added Luna the Mystic",
        "Added Nova Reyes",
        "Added Kai Mori",
    ]
    assert Image.objects.count() == 12
    assert Prompt.objects.count() == 4
    assert [task.active for task in Task.objects.all()] == [False, False, False]


@pytest.mark.usefixtures("small_pictures")
def test_those_that_are_there_are_kept_as_they_are() -> None:
    run("seed_sample_data")
    before = [one.as_json() for one in Character.objects.all()]
    assert "there already" in run("seed_sample_data")[0]
    assert json.loads(run("seed_sample_data", "--json")[0]) == []
    assert [one.as_json() for one in Character.objects.all()] == before


@pytest.mark.usefixtures("small_pictures")
def test_the_box_at_set_up_adds_them() -> None:
    for hook in setup.after_setup:
        hook(None)  # type: ignore[arg-type]
    assert Character.objects.count() == 3


def test_the_models_of_the_sandbox_are_listed(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox_speed=50)
    out, err = run("models", "--refresh")
    assert "sdxl_dreamshaper.safetensors" in out
    assert "luna_v3.safetensors" in out
    assert "sandbox" in err
    listed = json.loads(run("models", "--json")[0])
    assert listed["source"] == "sandbox"
    assert listed["servers"][0]["ok"] is True


def test_a_server_that_is_silent_is_one_sentence(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, comfyui_urls=("http://127.0.0.1:1",))
    with pytest.raises(Unavailable, match="No ComfyUI server answered") as refused:
        run("models")
    assert refused.value.retryable


def test_without_server_and_sandbox_the_fix_is_said(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="off")
    with pytest.raises(Problem, match="COMFYUI_URL"):
        run("models")
