"""kill -9 in the middle of a generation and of a post: the next worker goes on, nothing is made twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from influencer import sandbox
from influencer.config import PROJECT
from influencer.sandbox import Sandbox
from tests.environment import FREE_OF_SETTINGS

pytestmark = pytest.mark.drill

COMFY = "influencer.clients.comfyui.client:ComfyUI"
X = "influencer.clients.x:X"
GENERATION = {
    "before the prompt is sent": (COMFY, "submit", "before"),
    "after the prompt is sent": (COMFY, "submit", "after"),
    "while following": (COMFY, "listen", "after"),
    "with the image fetched": (COMFY, "fetch", "after"),
    "with the files written": ("characters.images.storage", "write_files", "after"),
    "inside the last transaction": ("characters.images.storage", "record", "after"),
}
START = """
import django; django.setup()
from characters.models import Character
from characters.images import generation, services
from characters.images.planning import Wish
from characters.publishing import posting
from characters.publishing.posting import Intention
from influencer.clients.platform import Platform
from tests.characters.stage import drawn
luna = Character.objects.create(name="Luna", personality="calm", width=128, height=128, steps=4)
image = services.add(luna.pk, drawn())
for _ in range(int(__import__("sys").argv[1])):
    print(generation.start(luna, Wish(prompt="a tree", seed=7)).pk)
for number in range(3):
    post = posting.start(luna, Intention(Platform.X, f"Post {number}", image_id=image.pk, force=True))
    print(post.job_id)
"""


@dataclass
class Scene:
    """A data folder with queued jobs, and the sandbox beside it."""

    data: Path
    sandbox: Sandbox
    generations: list[str]
    posts: list[str]

    def work(self, job: str, *fate: str) -> int:
        """One worker's attempt; its exit code."""
        words = [sys.executable, "-m", "tests.drills.mortal", job, *fate]
        return subprocess.run(words, cwd=PROJECT, env=environment(self.data), capture_output=True).returncode

    def die(self, job: str, fate: tuple[str, str, str]) -> None:
        assert self.work(job, *fate) == -signal.SIGKILL
        assert self.row("jobs_job", job)["state"] == "running"
        past = datetime.now(UTC) - timedelta(minutes=2)
        with closing(self.database()) as database, database:
            database.execute("UPDATE jobs_job SET lease_until = ? WHERE id = ?", [past, job])

    def work_to_the_end(self, job: str) -> dict[str, Any]:
        """Attempts until the job has ended; what it waits for is taken as come."""
        for _ in range(10):
            assert self.work(job) == 0
            row = self.row("jobs_job", job)
            if row["state"] not in {"waiting", "queued", "running"}:
                return row
            now = datetime.now(UTC) - timedelta(seconds=1)
            with closing(self.database()) as database, database:
                database.execute("UPDATE jobs_job SET not_before = ? WHERE id = ?", [now, job])
        raise AssertionError(str(row))

    def row(self, table: str, pk: str) -> dict[str, Any]:
        with closing(self.database()) as database:
            return dict(database.execute(f"SELECT * FROM {table} WHERE id = ?", [pk]).fetchone())

    def database(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.data / "db.sqlite3", timeout=20)
        database.row_factory = sqlite3.Row
        return database

    def ask(self, path: str) -> Any:
        headers = {"X-Sandbox-Key": self.sandbox.key}
        return requests.get(f"{self.sandbox.control}/{path}", headers=headers, timeout=20).json()

    def prompts_sent(self) -> int:
        entries = self.ask("log?service=comfyui")["requests"]
        return sum(entry["method"] == "POST" and entry["path"].endswith("/prompt") for entry in entries)

    def publish_calls(self, text: str) -> int:
        return sum(call["count"] for call in self.ask("posts?service=x")["calls"] if call["text"] == text)


def environment(data: Path) -> dict[str, str]:
    return {
        **os.environ,
        **FREE_OF_SETTINGS,
        "DJANGO_SETTINGS_MODULE": "influencer.settings",
        "INFLUENCER_DATA_DIR": str(data),
        "INFLUENCER_JOBS": json.dumps({"look": 0.1}),
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    data = tmp_path_factory.mktemp("drill") / "data"
    (data / "run").mkdir(parents=True)
    given = {"cwd": PROJECT, "env": environment(data), "check": True, "capture_output": True, "text": True}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], **given)
    words = [sys.executable, "-c", START, str(len(GENERATION))]
    jobs = subprocess.run(words, **given).stdout.split()
    with sandbox.started(data, "http://127.0.0.1:1", speed=20) as running:
        yield Scene(data, running, jobs[: len(GENERATION)], jobs[len(GENERATION) :])


@pytest.mark.parametrize("point", GENERATION)
def test_a_generation_survives_kill_9_with_one_prompt_and_one_image(scene: Scene, point: str) -> None:
    job = scene.generations[list(GENERATION).index(point)]
    sent = scene.prompts_sent()
    scene.die(job, GENERATION[point])
    ended = scene.work_to_the_end(job)
    assert (ended["state"], ended["crashes"]) == ("succeeded", 1), ended["error"]
    assert scene.prompts_sent() == sent + 1
    [image] = json.loads(ended["result"])["imageIds"]
    row = scene.row("images_image", image)
    assert row["job_id"] == job
    assert (scene.data / "media" / row["file"]).is_file()
    with closing(scene.database()) as database:
        [count] = database.execute("SELECT count(*) FROM images_image WHERE job_id = ?", [job]).fetchone()
    assert count == 1


@pytest.mark.parametrize(
    ("number", "fate", "state", "calls"),
    [
        (0, (X, "upload", "after"), "published", 1),
        (1, (X, "create_post", "after"), "published", 1),
        (2, (X, "create_post", "before"), "published", 1),
    ],
)
def test_a_post_survives_kill_9_and_never_goes_out_twice(
    scene: Scene, number: int, fate: tuple[str, str, str], state: str, calls: int
) -> None:
    job = scene.posts[number]
    scene.die(job, fate)
    ended = scene.work_to_the_end(job)
    post = scene.row("publishing_post", json.loads(ended["request"])["postId"])
    assert post["state"] == state, ended["error"]
    assert scene.publish_calls(f"Post {number}") == calls
    assert bool(post["remote_id"]) is (state == "published")
