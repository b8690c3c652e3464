"""The public address counts as it is now, without a restart."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from influencer.web.hosts import AllowedHosts

pytestmark = pytest.mark.django_db
PUBLIC = {"Host": "media.example.org"}


@pytest.fixture(autouse=True)
def live(settings: Any) -> None:
    settings.ALLOWED_HOSTS = AllowedHosts(["localhost", "testserver"])


def publish(data_dir: Path, url: str) -> None:
    (data_dir / "settings.json").write_text(json.dumps({"publicBaseUrl": url}))


def test_a_name_nobody_named_is_refused(signed_in: Client) -> None:
    assert signed_in.get("/m/token", headers=PUBLIC).status_code == 400


def test_a_public_address_set_on_the_way_answers_media_links_alone(signed_in: Client, data_dir: Path) -> None:
    publish(data_dir, "https://media.example.org")
    assert signed_in.get("/m/token", headers=PUBLIC).status_code == 200
    assert signed_in.get("/page/", headers=PUBLIC).status_code == 404
    assert signed_in.get("/page/", headers={"Host": "localhost"}).status_code == 200


def test_an_address_that_was_given_up_answers_nothing_any_more(signed_in: Client, data_dir: Path) -> None:
    publish(data_dir, "https://media.example.org")
    publish(data_dir, "https://elsewhere.example.org")
    assert signed_in.get("/m/token", headers=PUBLIC).status_code == 400
    assert signed_in.get("/page/", headers=PUBLIC).status_code == 400


@pytest.mark.parametrize(("public", "status"), [(True, 200), (False, 403)])
def test_forms_come_from_the_public_address_only_when_the_dashboard_is_public(
    settings: Any, owner: Any, data_dir: Path, public: bool, status: int
) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, public_dashboard=public)
    publish(data_dir, "https://media.example.org")
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    headers = {"Host": "localhost", "Origin": "https://media.example.org", "X-CSRFToken": "a" * 32}
    assert client.post("/page/", headers=headers).status_code == status
