"""The documented example files as they are, put into an empty data folder: everything shows and works."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from characters.images import services as images
from characters.images.models import Image
from characters.publishing.models import Post
from influencer.clients.comfyui import Pace
from influencer.clients.comfyui import follow as following
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from tests.characters.publishing.conftest import stage
from tests.characters.stage import Stage, see_through

__all__ = ["stage"]

pytestmark = pytest.mark.django_db

DOCUMENTED = Path(__file__).parent / "documented"
FILES = ("characters.json", "scheduler.json", "prompts.json")
LUNA = "char_1754528276811_4suaz8mqv"


@pytest.fixture(autouse=True)
def files(data_dir: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.JOBS = {"look": 0, "progress": 0}
    monkeypatch.setattr(following, "Pace", lambda: Pace(tick=0.02, look=0.05, look_while_live=0.1))
    for name in FILES:
        shutil.copyfile(DOCUMENTED / name, data_dir / name)


@pytest.fixture
def owner() -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_superuser("owner", password="x" * 12))
    return client


def page(owner: Client, address: str) -> str:
    answer = owner.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def ask(owner: Client, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = owner.post(f"/api/{path}", json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.content.decode()
    found: dict[str, Any] = answer.json()
    return found


def stored(data_dir: Path, name: str) -> Any:
    return json.loads((data_dir / name).read_text())


def test_every_page_shows_them(owner: Client, stage: Stage) -> None:
    assert "Luna the Mystic" in page(owner, "/characters/")
    sections = page(owner, f"/characters/{LUNA}/")
    assert "The Crystal Quest" in sections
    assert "a beautiful portrait of luna_character" in sections
    assert "0 18 * * *" in page(owner, "/scheduling/")
    assert "Exploring the enchanted woods today!" in page(owner, "/prompts/")
    assert "ComfyUI" in page(owner, "/monitoring/")


@pytest.mark.parametrize(
    "address", ["characters/character", "scheduling/task", "prompts/prompt"], ids=lambda path: path
)
def test_the_admin_shows_them(owner: Client, address: str) -> None:
    assert "Luna" in page(owner, f"/admin/{address}/")


def test_credentials_that_name_unset_variables_are_said_so(owner: Client, stage: Stage) -> None:
    sections = page(owner, f"/characters/{LUNA}/")
    assert "INSTAGRAM_API_KEY names a variable that is not set." in sections
    assert "TWITTER_APP_KEY names a variable that is not set." in sections
    character = owner.get(f"/api/characters?id={LUNA}").json()["characters"][0]
    assert character["instagramApiKey"] == "********"


def test_an_image_is_made_of_the_character(owner: Client, stage: Stage) -> None:
    job = ask_for_image(owner)
    image = Image.objects.get(pk=jobs.result_of(job)["imageIds"][0])
    assert image.prompt.count("luna_character") == 1
    assert image.recipe["model"] == "sdxl_dreamshaper.safetensors"


def ask_for_image(owner: Client) -> Job:
    wish = {"characterId": LUNA, "steps": 4, "width": 128, "height": 160, "wait": False}
    with jobs.working_here():
        answer = ask(owner, "generate-image", wish, 202)
    job = see_through(answer["jobId"])
    assert job.state == JobState.SUCCEEDED, job.error
    return job


def test_the_task_runs_and_posts_to_the_sandbox(owner: Client, stage: Stage, data_dir: Path) -> None:
    with jobs.working_here():
        run = ask(owner, "scheduler", {"action": "run_now", "taskId": "task_1"}, 202)["runs"][0]
    job = see_through(run["jobId"])
    assert job.state == JobState.SUCCEEDED, job.error
    post = Post.objects.get()
    assert (post.platform, post.sandbox, post.state) == ("instagram", True, "published")
    assert images.get(post.image_id).prompt.count("luna_character") == 1
    assert stored(data_dir, "scheduler.json") == stored(DOCUMENTED, "scheduler.json")


def test_the_prompt_gets_its_caption_and_the_files_keep_their_shape(owner: Client, data_dir: Path) -> None:
    written = ask(owner, "generate-caption", {"promptId": "prompt_1", "characterId": LUNA})
    assert written["caption"] and written["writer"] == "template"
    before, after = stored(DOCUMENTED, "prompts.json")[0], stored(data_dir, "prompts.json")[0]
    assert after["caption"] != before["caption"]
    assert {**after, "caption": ""} == {**after, **before, "caption": ""}


def test_an_edit_leaves_what_it_does_not_touch(owner: Client, data_dir: Path) -> None:
    answer = owner.put(
        "/api/characters", json.dumps({"id": LUNA, "personality": "Calm"}), content_type="application/json"
    )
    assert answer.status_code == 200
    before, after = stored(DOCUMENTED, "characters.json")[0], stored(data_dir, "characters.json")[0]
    changed = {key for key, value in before.items() if after[key] != value}
    assert changed == {"personality", "updatedAt"}
