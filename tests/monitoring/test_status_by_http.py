"""`/api/system/status` and `/healthz`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from influencer.jobs import health
from influencer.web import tokens
from monitoring import checks
from monitoring.report import Check, Finding, State
from monitoring.watch import Watch
from tests.characters.people import someone
from tests.characters.stage import sandbox_at

pytestmark = pytest.mark.django_db(transaction=True)

STATES = {"ok", "degraded", "down", "unconfigured", "sandbox"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as a busy test machine may take, and nothing kept from one question to the next."""
    monkeypatch.setattr(checks, "everything", Watch(checks.CHECKS, keep=0, seconds=20))
    inside = (checks.DATABASE, checks.DISK, checks.SCHEDULER, checks.WORKERS)
    monkeypatch.setattr(checks, "inside", Watch(inside, keep=0, seconds=20))


@pytest.fixture
def token() -> str:
    User.objects.create_superuser("owner", password="x" * 12)
    return tokens.make("test", username="owner")


@pytest.fixture
def at_work() -> None:
    for name in (health.CLOCK, "default", "gpu"):
        health.beat(name)


@pytest.fixture
def all_well(at_work: None, data_dir: Path) -> Iterator[None]:
    with sandbox_at(data_dir):
        yield


def ask(token: str, query: str = "") -> dict[str, Any]:
    answer = Client().get(f"/api/system/status{query}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.usefixtures("all_well")
def test_the_status_has_the_documented_shape(token: str) -> None:
    someone("Luna")
    body = ask(token)
    assert (body["success"], body["overall"]) == (True, "ok")
    assert set(body["status"]) == {
        "comfyui",
        "database",
        "scheduler",
        "instagram",
        "x",
        "gemini",
        "workers",
        "disk",
    }
    for line in body["status"].values():
        assert set(line) == {"state", "message", "checkedAt", "lastOkAt", "details"}
        assert line["state"] in STATES
        assert line["message"].endswith(".")
    assert all(line["lastOkAt"] for name, line in body["status"].items() if name != "gemini")
    assert body["status"]["gemini"]["state"] == "unconfigured"
    assert body["status"]["comfyui"]["state"] == "sandbox"
    assert body["checkedAt"].endswith("Z")


def test_what_is_down_is_told_and_so_is_overall(token: str) -> None:
    body = ask(token)
    assert body["overall"] == "down"
    assert body["status"]["workers"]["state"] == "down"
    assert body["status"]["workers"]["lastOkAt"] is None


def test_it_is_kept_for_a_while_and_checked_anew_on_request(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[bool] = []

    def counted(fresh: bool) -> Finding:
        ran.append(fresh)
        return Finding(State.OK, "Fine.")

    monkeypatch.setattr(checks, "everything", Watch([Check("disk", "Disk", counted)], keep=10))
    first = ask(token)
    assert ask(token)["checkedAt"] == first["checkedAt"]
    ask(token, "?fresh=1")
    assert ran == [False, True]


def test_it_is_for_those_who_signed_in() -> None:
    assert Client().get("/api/system/status").status_code == 401


def test_it_takes_a_trailing_slash_and_only_get(token: str) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/system/status/", headers=bearer).status_code == 200
    assert Client().post("/api/system/status", headers=bearer).status_code == 405


@pytest.mark.usefixtures("at_work")
def test_healthz_needs_no_sign_in_and_says_ok() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert answer["Content-Type"].startswith("text/plain")
    assert Client().head("/healthz").status_code == 200
    assert Client().post("/healthz").status_code == 405


@pytest.mark.usefixtures("at_work")
def test_healthz_names_storage_when_a_file_is_damaged(data_dir: Path) -> None:
    someone("Luna")
    (data_dir / "characters.json").write_text("[")
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (503, b"storage")


def test_healthz_names_the_queue_without_workers_or_clock(caplog: pytest.LogCaptureFixture) -> None:
    assert Client().get("/healthz").content == b"queue"
    assert not [record for record in caplog.records if "healthz" in record.getMessage()]
    for name in ("default", "gpu"):
        health.beat(name)
    assert Client().get("/healthz").content == b"queue", "the clock is silent"
    health.beat(health.CLOCK)
    assert Client().get("/healthz").status_code == 200


def test_healthz_names_both(data_dir: Path) -> None:
    someone("Luna")
    (data_dir / "characters.json").write_text("[")
    assert Client().get("/healthz").content == b"storage, queue"


@pytest.mark.usefixtures("at_work")
def test_healthz_asks_nobody_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.checks.comfyui.check", lambda fresh: pytest.fail("it was asked"))
    monkeypatch.setattr("monitoring.checks.accounts.check", lambda *_: pytest.fail("it was asked"))
    monkeypatch.setattr("monitoring.checks.gemini.check", lambda fresh: pytest.fail("it was asked"))
    assert Client().get("/healthz").status_code == 200
