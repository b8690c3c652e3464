"""A running product as its owner uses it over the JSON API, for drills."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from influencer import sandbox
from influencer.config import PROJECT
from tests.running import Running, children_of, until


@dataclass(frozen=True)
class Product:
    """One running `up` with a token for its API."""

    running: Running
    token: str = field(repr=False)

    def call(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return call(self.running.url + path, method, headers, body)

    def add_character(self, name: str = "Luna") -> str:
        status, answer = self.call("POST", "/api/characters", {"name": name, "personality": "calm"})
        assert status == 201, answer
        return str(answer["character"]["id"])

    def generate(self, character: str, *, steps: int = 20) -> str:
        """Start an image and come back at once; the job's id."""
        wish = {"characterId": character, "prompt": "a forest", "steps": steps, "wait": False}
        status, answer = self.call("POST", "/api/generate-image", wish)
        assert status == 202, answer
        return str(answer["jobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/api/jobs/{job_id}")[1]["job"])

    def row(self, job_id: str) -> dict[str, Any]:
        """The job as it lies in the database, with what the API does not tell."""
        with closing(sqlite3.connect(self.running.data / "db.sqlite3", timeout=20)) as database:
            database.row_factory = sqlite3.Row
            found = database.execute("SELECT * FROM jobs_job WHERE id = ?", [job_id]).fetchone()
        return dict(found) if found else {}

    def until_generating(self, job_id: str) -> None:
        """Wait until the server has reported a few steps of the job's image."""
        until(lambda: 0.02 < self.job(job_id)["progress"] < 0.9, 30, lambda: str(self.job(job_id)))

    def until_state(self, job_id: str, *states: str, seconds: float) -> str:
        until(lambda: self.row(job_id)["state"] in states, seconds, lambda: str(self.row(job_id)))
        return str(self.row(job_id)["state"])

    def stand_ins(self) -> sandbox.Sandbox | None:
        return sandbox.address(self.running.data / "run")

    def prompts_sent(self) -> int:
        """How many prompts the ComfyUI stand-in has been given since it started."""
        until(self.stand_ins, 30, self.running.said)  # one that was killed is on its way back
        found = self.stand_ins()
        assert found
        headers = {"X-Sandbox-Key": found.key}
        _, answer = call(f"{found.control}/log?service=comfyui", "GET", headers)
        return sum(
            entry["method"] == "POST" and entry["path"].endswith("/prompt") for entry in answer["requests"]
        )

    def forks(self, cluster: str) -> list[int]:
        """The cluster's processes in the order they were made: workers, then monitor, then pusher."""
        guards = children_of(self.running.children()[cluster])
        return children_of(guards[0]) if guards else []

    def last_answer(self, cluster: str) -> str:
        """When every process of the cluster last did its part."""
        with closing(sqlite3.connect(self.running.data / "db.sqlite3", timeout=20)) as database:
            found = database.execute("SELECT seen_at FROM jobs_beat WHERE name = ?", [cluster]).fetchone()
        return str(found[0]) if found else ""


def of(running: Running) -> Product:
    """Wait until workers answer, and get a token."""
    done = subprocess.run(
        [sys.executable, "manage.py", "api_token", f"drill-{os.urandom(4).hex()}"],
        cwd=PROJECT,
        env={**os.environ, "INFLUENCER_DATA_DIR": str(running.data)},
        capture_output=True,
        text=True,
        check=True,
    )
    product = Product(running, done.stdout.split()[-1])
    until(lambda: len(running.children()) == 5, said=running.said)
    until(lambda: product.forks("gpu")[2:] and product.forks("default")[3:], said=running.said)
    return product


def call(url: str, method: str, headers: dict[str, str], body: object = None) -> tuple[int, dict[str, Any]]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
