"""The same journey as in the browser, by the JSON API and by commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from influencer.config import PROJECT
from tests.environment import FREE_OF_SETTINGS
from tests.running import Running

pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("up_server")]


def command(running: Running, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **FREE_OF_SETTINGS, "INFLUENCER_DATA_DIR": str(running.data)}
    environment["INFLUENCER_PORT"] = running.url.rpartition(":")[2]
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def output(running: Running, *words: str) -> str:
    done = command(running, *words)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


class Api:
    """The product as a program sees it: a token, JSON in and out."""

    def __init__(self, running: Running) -> None:
        self.base = f"{running.url}/api"
        token = output(running, "api_token", f"journey {os.getpid()}").split()[-1]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
        answer = self.session.request(method, f"{self.base}/{path}", json=body, timeout=120)
        assert answer.status_code == status, answer.text[:500]
        content: dict[str, Any] = answer.json()
        assert content["success"] is (status < 400)
        return content


@pytest.fixture
def api(up_server: Running) -> Iterator[Api]:
    api = Api(up_server)
    yield api
    api.session.close()


def test_the_journey_by_the_api(api: Api, up_server: Running) -> None:
    made = api(
        "POST",
        "characters",
        {
            "name": "Api Journey",
            "personality": "terse",
            "triggerWord": "api_character",
            "promptSettings": {"basePrompt": "portrait of api_character"},
            "narratives": [{"title": "Beginning", "startDate": "2026-01-01"}],
            "myOwnKey": {"kept": True},
        },
        status=201,
    )["character"]
    assert api("GET", f"characters?id={made['id']}")["total"] == 1
    changed = api("PUT", "characters", {"id": made["id"], "promptSettings": {"mood": "calm"}})["character"]
    assert changed["promptSettings"]["basePrompt"] == "portrait of api_character"

    models = api("GET", "models?show=all")
    assert models["source"] == "sandbox" and models["models"] and models["servers"][0]["ok"]

    generated = api(
        "POST", "generate-image", {"characterId": made["id"], "prompt": "by the sea", "seed": 7, "steps": 4}
    )
    image = generated["images"][0]
    assert image["seed"] == 7 and generated["sandbox"] is True
    assert generated["prompt"].count("api_character") == 1

    posted = api(
        "POST",
        "post-to-instagram",
        {"characterId": made["id"], "imageId": image["id"], "caption": f"by program {made['id']}"},
    )
    assert posted["status"] == "published" and posted["sandbox"] is True
    assert requests.get(posted["permalink"], timeout=10).status_code == 200
    tweeted = api(
        "POST",
        "post-to-twitter",
        {
            "characterId": made["id"],
            "image": generated["image"],
            "caption": f"x by program {made['id']}",
            "force": True,
        },
    )
    assert requests.get(tweeted["permalink"], timeout=10).status_code == 200

    listed = api("GET", f"posts?characterId={made['id']}")
    assert {post["platform"] for post in listed["posts"]} == {"instagram", "x"}
    job = api("GET", f"jobs/{posted['jobId']}")["job"]
    assert job["state"] == "succeeded" and job["progress"] == 1

    _the_file_is_as_documented_and_survives_a_hand_edit(api, up_server.data / "characters.json", made["id"])

    api("DELETE", f"characters?id={made['id']}")
    api("GET", f"characters?id={made['id']}", status=404)
    assert api("GET", f"posts?characterId={made['id']}")["total"] == 2


def _the_file_is_as_documented_and_survives_a_hand_edit(api: Api, file: Path, pk: str) -> None:
    records = json.loads(file.read_text())
    record = next(record for record in records if record["id"] == pk)
    assert record["myOwnKey"] == {"kept": True}
    assert record["promptSettings"] == {"basePrompt": "portrait of api_character", "mood": "calm"}
    assert record["narratives"][0]["title"] == "Beginning"
    assert {"name", "personality", "isActive", "createdAt", "updatedAt", "triggerWord"} <= set(record)
    record["personality"] = "edited by hand"
    record["anotherKey"] = [1, 2]
    file.write_text(json.dumps(records, indent=2))
    assert api("GET", f"characters?id={pk}")["characters"][0]["personality"] == "edited by hand"
    api("PUT", "characters", {"id": pk, "backstory": "written after the edit"})
    after = next(record for record in json.loads(file.read_text()) if record["id"] == pk)
    assert (after["personality"], after["anotherKey"]) == ("edited by hand", [1, 2])
    assert after["myOwnKey"] == {"kept": True} and after["backstory"] == "written after the edit"


def test_the_journey_by_commands(up_server: Running, tmp_path: Path) -> None:
    added = json.loads(
        output(up_server, "character", "add", "--name", "Command Journey", "--personality", "brief", "--json")
    )
    pk = added["id"]
    output(up_server, "character", "edit", pk, "--set", "triggerWord=command_character")
    assert (
        json.loads(output(up_server, "character", "show", pk, "--json"))["triggerWord"] == "command_character"
    )
    assert "safetensors" in output(up_server, "models", "--refresh")
    picture = tmp_path / "picture.png"
    output(up_server, "generate", "Command Journey", "--prompt", "by the sea", "--out", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    for platform in ("instagram", "x"):
        said = output(
            up_server, "post", pk, "--to", platform, "--new", "--caption", f"by command {pk} on {platform}"
        )
        assert "http://127.0.0.1" in said
    assert "omfyui" in output(up_server, "status").lower()
    output(up_server, "check_data")
    output(up_server, "character", "delete", pk, "--yes")
    assert command(up_server, "character", "show", pk).returncode == 1
