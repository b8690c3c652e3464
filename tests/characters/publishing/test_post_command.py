"""`manage.py post` without a running `up`: stand-ins, hands and media links for the time of the command."""

from __future__ import annotations

import dataclasses
import io
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image as Picture

from characters.images import services as images
from characters.images.models import Image
from characters.publishing.models import MediaLink, Post, PostState
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jobs.models import Job
from tests.characters.people import INSTAGRAM, X, someone
from tests.running import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def alone(settings: Any) -> None:
    """A port of its own, where no `up` listens."""
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, port=free_port(), sandbox_speed=100)


def run(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("post", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def a_picture(colour: str = "teal") -> bytes:
    file = io.BytesIO()
    Picture.new("RGB", (200, 250), colour).save(file, "PNG")
    return file.getvalue()


def test_a_picture_of_the_gallery_reaches_instagrams_stand_in() -> None:
    luna = someone()
    image = images.add(luna.pk, a_picture())
    out, err = run("Luna", "--to", "instagram", "--image", image.pk, "--caption", "Hello")
    post = Post.objects.get()
    assert (post.state, post.sandbox, post.image_id) == (PostState.PUBLISHED, True, image.pk)
    assert out == f"Posted in the sandbox: {post.permalink}\n"
    assert "Post: " in err
    assert MediaLink.objects.get().revoked_at is not None


def test_an_empty_reason_and_a_file_that_is_not_there_are_told(tmp_path: Path) -> None:
    image = images.add(someone().pk, a_picture())
    with pytest.raises(Invalid, match="Say why"):
        run("Luna", "--to", "x", "--image", image.pk, "--no-ai-label", " ")
    for gone in (str(tmp_path / "gone"), "gone.png"):
        with pytest.raises(NotFound, match=f"There is no file .*{Path(gone).name}"):
            run("Luna", "--to", "x", "--image", gone)
    assert not Post.objects.exists()


def test_a_file_is_taken_into_the_gallery_once(tmp_path: Path) -> None:
    luna = someone()
    file = tmp_path / "own.png"
    file.write_bytes(a_picture())
    said = json.loads(run("Luna", "--to", "x", "--image", str(file), "--caption", "One", "--json")[0])
    assert (said["status"], said["sandbox"]) == ("published", True)
    assert said["postId"] == Post.objects.get().pk
    run("Luna", "--to", "x", "--image", str(file), "--caption", "Two", "--force")
    assert Image.objects.filter(character_id=luna.pk).count() == 1
    assert Post.objects.count() == 2


def test_a_new_image_is_made_first() -> None:
    someone(width=128, height=160, steps=4)
    out, err = run("Luna", "--to", "x", "--new", "--prompt", "by the sea", "--caption", "New")
    image = Image.objects.get()
    assert "by the sea" in image.prompt
    assert Post.objects.get().image_id == image.pk
    assert "Image: " in err
    assert "Post: " in err
    assert set(Job.objects.values_list("kind", flat=True)) == {"generate_image", "publish_post"}


def test_the_same_again_is_refused_unless_meant() -> None:
    image = images.add(someone().pk, a_picture())
    run("Luna", "--to", "x", "--image", image.pk, "--caption", "One")
    with pytest.raises(Conflict, match="30 days"):
        run("Luna", "--to", "x", "--image", image.pk, "--caption", "Other words")
    run("Luna", "--to", "x", "--image", image.pk, "--caption", "Other words", "--force")
    assert Post.objects.count() == 2


def test_the_label_and_alt_text_are_as_asked() -> None:
    image = images.add(someone(ai_label=True).pk, a_picture())
    run(
        "Luna", "--to", "x", "--image", image.pk, "--alt-text", "A teal wall", "--no-ai-label", "A photograph"
    )
    post = Post.objects.get()
    assert (post.ai_label, post.ai_label_reason) == (False, "A photograph")
    assert post.alt_text == "A teal wall"


def test_a_caption_that_is_too_long_is_said_before_an_image_is_made() -> None:
    someone()
    with pytest.raises(Invalid, match="too long for X"):
        run("Luna", "--to", "x", "--new", "--caption", "long " * 100)
    assert not Job.objects.exists()


def test_a_sandbox_image_is_refused_for_a_real_account() -> None:
    luna = someone(**X)
    image = images.add(luna.pk, a_picture())
    image.sandbox = True
    image.save()
    with pytest.raises(Conflict) as refused:
        run("Luna", "--to", "x", "--image", image.pk, "--caption", "Hi")
    assert refused.value.code == "sandbox_image"
    assert not Post.objects.exists()


def test_without_an_account_nothing_is_tried() -> None:
    someone("Real", **INSTAGRAM)
    image = images.add(someone("Luna").pk, a_picture())
    with pytest.raises(Conflict) as refused:
        run("Luna", "--to", "instagram", "--image", image.pk, "--caption", "Hi")
    assert refused.value.code == "no_credentials"


def test_an_image_of_someone_else_is_not_found(tmp_path: Path) -> None:
    someone("Luna")
    other = images.add(someone("Nova").pk, a_picture())
    for image in (other.pk, str(tmp_path / "missing.png")):
        with pytest.raises(NotFound):
            run("Luna", "--to", "x", "--image", image, "--caption", "Hi")


def test_a_file_that_is_no_image_is_said(tmp_path: Path) -> None:
    someone()
    file = tmp_path / "words.png"
    file.write_text("no picture")
    with pytest.raises(Invalid, match="not an image"):
        run("Luna", "--to", "x", "--image", str(file))


@pytest.mark.parametrize(
    "words",
    [
        ("--to", "x"),
        ("--to", "x", "--new", "--image", "img_1"),
        ("--to", "myspace", "--new"),
    ],
)
def test_it_must_be_said_where_to_and_with_what(words: tuple[str, ...]) -> None:
    someone()
    with pytest.raises(CommandError):
        run("Luna", *words)


def test_a_prompt_is_only_for_a_new_image() -> None:
    someone()
    with pytest.raises(Invalid, match="--prompt"):
        run("Luna", "--to", "x", "--image", "img_1", "--prompt", "by the sea")
