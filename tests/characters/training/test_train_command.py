"""`manage.py train`, without a running `up`: the same job, done in place against the real sandbox."""

from __future__ import annotations

import dataclasses
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from characters import services as characters
from characters.images import services as images
from characters.training.models import Training
from influencer import paths, sandbox
from influencer.errors import Invalid, NotFound, Problem
from influencer.jobs.models import Job
from tests.characters.people import someone
from tests.characters.training.lessons import BASE, blurred, png

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fast(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox_speed=200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for number in range(5):
        (made / f"{number}.png").write_bytes(png(number))
    (made / "0.txt").write_text("laughing")
    return made


def run(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("train", *words, "--base-model", BASE, "--steps", "20", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_folder_of_pictures_becomes_a_lora_in_use(folder: Path) -> None:
    luna = someone()
    (folder / "soft.png").write_bytes(blurred(9))
    out, err = run("Luna", str(folder), "--rank", "8", "--confirm-rights")
    training = Training.objects.get()
    assert training.images[0]["caption"] == "laughing"
    assert (training.rank, training.images_count, training.rights_confirmed) == (8, 6, True)
    assert out.startswith(f"{training.lora}  v1")
    assert "Warning: soft.png looks blurred." in err
    assert characters.get(luna.pk).lora == training.lora
    assert sandbox.address(paths.run()) is None, "the sandbox ended with the command"


def test_pictures_of_the_gallery_and_json(folder: Path) -> None:
    luna = someone()
    ids = [images.add(luna.pk, png(number)).pk for number in range(5, 10)]
    said = json.loads(run("Luna", "--gallery", *ids, "--no-attach", "--json")[0])
    assert (said["status"], said["attached"], said["images"]) == ("succeeded", False, 5)
    assert said["trainingId"] == Training.objects.get().pk


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--steps", "5"), "steps: "),
        (("--learning-rate", "fast"), "learningRate: "),
        (("--trigger-word", "bell\x07"), "control character"),
    ],
)
def test_what_can_not_be_asked_is_said_before_anything_starts(
    folder: Path, words: tuple[str, str], said: str
) -> None:
    someone()
    out = StringIO()
    with pytest.raises(Invalid, match=said):
        call_command("train", "Luna", str(folder), *words, stdout=out, stderr=out)
    assert not Job.objects.exists()


def test_too_few_and_missing_pictures_are_said(folder: Path, tmp_path: Path) -> None:
    someone()
    with pytest.raises(Invalid, match="at least 5 images; there are 2"):
        run("Luna", str(folder / "0.png"), str(folder / "1.png"))
    for gone in ("gone.png", "gone"):
        with pytest.raises(Invalid, match=f"There is no file or folder .*/{gone}"):
            run("Luna", str(folder), str(tmp_path / gone))
    with pytest.raises(NotFound):
        run("Luna", "--gallery", "img_0")
    assert not Training.objects.exists()


def test_a_failure_is_one_sentence(folder: Path) -> None:
    someone()
    with pytest.raises(Problem, match="family is unknown"):
        call_command("train", "Luna", str(folder), "--base-model", "who_knows.safetensors")
