"""`manage.py generate`, without a running `up`: the same job, done in place against the real sandbox."""

from __future__ import annotations

import dataclasses
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from characters.images.models import Image
from influencer import paths, sandbox
from influencer.errors import Invalid, NotFound, Problem
from influencer.jobs.models import Job, JobState
from tests.characters.people import someone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fast(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox_speed=100)


def run(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(
        "generate", *words, "--width", "128", "--height", "160", "--steps", "4", stdout=out, stderr=err
    )
    return out.getvalue(), err.getvalue()


def test_an_image_is_made_shown_and_copied(tmp_path: Path) -> None:
    luna = someone(base_prompt="portrait of luna_character")
    target = tmp_path / "luna.png"
    out, err = run("Luna", "--prompt", "by the sea", "--seed", "7", "--out", str(target))
    image = Image.objects.get()
    assert image.character_id == luna.pk
    assert (image.seed, image.width, image.height, image.sandbox) == (7, 128, 160, True)
    assert target.read_bytes() == image.path.read_bytes()
    assert image.pk in out
    assert str(target) in out
    assert err.strip()
    assert Job.objects.get().state == JobState.SUCCEEDED
    assert sandbox.address(paths.run()) is None, "the sandbox ended with the command"


def test_several_are_copied_under_numbered_names_and_told_in_json(tmp_path: Path) -> None:
    someone()
    said = json.loads(run("Luna", "--count", "2", "--out", str(tmp_path / "l.png"), "--json")[0])
    assert said["files"] == [str(tmp_path / "l.png"), str(tmp_path / "l-2.png")]
    assert all(Path(file).is_file() for file in said["files"])
    assert [image["id"] for image in said["images"]] == [Path(i.file).stem for i in _in_order()]
    assert said["jobId"] == Job.objects.get().pk
    assert "base64" not in said["images"][0]


def _in_order() -> list[Image]:
    return list(Image.objects.order_by("created_at"))


def test_into_a_folder_it_keeps_its_name(tmp_path: Path) -> None:
    someone()
    run("Luna", "--out", str(tmp_path))
    assert (tmp_path / Image.objects.get().path.name).is_file()


def test_a_target_that_can_not_be_written_names_where_the_image_is(tmp_path: Path) -> None:
    someone()
    with pytest.raises(Problem, match="The image is in"):
        run("Luna", "--out", str(tmp_path / "no" / "folder.png"))
    assert Image.objects.get().path.is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seed", "-1"), "seed: "),
        (("--count", "9"), "count: "),
        (("--shape", "3:1"), "shape: "),
        (("--prompt", "bell\x07"), "control character"),
    ],
)
def test_what_can_not_be_asked_is_said_before_anything_starts(words: tuple[str, ...], said: str) -> None:
    someone()
    with pytest.raises(Invalid, match=said):
        run("Luna", *words)
    assert not Job.objects.exists()


def test_a_model_no_server_has_is_one_sentence_and_a_failed_job() -> None:
    someone()
    with pytest.raises(Problem, match=r"nobody\.safetensors") as refused:
        run("Luna", "--model", "nobody.safetensors")
    assert refused.value.code == "model_missing"
    assert Job.objects.get().state == JobState.FAILED


def test_whom_nobody_knows_is_said() -> None:
    with pytest.raises(NotFound):
        run("Nobody")


def test_without_server_and_sandbox_the_fix_is_said(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="off")
    someone()
    with pytest.raises(Problem, match="COMFYUI_URL"):
        run("Luna")
