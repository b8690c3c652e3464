"""What holds for every request: hosts, headers, worded failures."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from django.test import Client

from influencer.web import zone

pytestmark = pytest.mark.django_db
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def published(settings: Any) -> Any:
    """The dashboard with a public address for its media links."""

    def publish(url: str = "https://media.example.com", **more: Any) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, public_base_url=url, **more)

    publish()
    return publish


@pytest.mark.parametrize(
    "path", ["/", "/login/", "/page/", "/admin/", "/healthz", "/api/echo", "/static/css/base.css"]
)
@pytest.mark.parametrize("host", ["media.example.com", "MEDIA.example.com:8000", "media.example.com."])
def test_the_public_host_answers_only_media_links(
    published: Any, signed_in: Client, path: str, host: str
) -> None:
    answer = signed_in.get(path, headers={"Host": host})
    assert answer.status_code == 404
    assert answer["Content-Security-Policy"] == POLICY
    assert signed_in.get("/m/token", headers={"Host": host}).status_code == 200


def test_the_dashboards_own_host_is_untouched(published: Any, signed_in: Client) -> None:
    assert signed_in.get("/page/", headers={"Host": "localhost:8000"}).status_code == 200


def test_a_public_dashboard_answers_everything(published: Any, signed_in: Client) -> None:
    published(public_dashboard=True)
    assert signed_in.get("/page/", headers={"Host": "media.example.com"}).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://192.168.1.20:8000",
        "http://studio.local",
        "http://nas:8000",
        "http://[::1]:8000",
    ],
)
def test_a_public_address_on_this_network_closes_nothing(published: Any, signed_in: Client, url: str) -> None:
    published(url)
    host = url.removeprefix("http://")
    assert signed_in.get("/page/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/login/",
        "/nowhere/",
        "/bug/",
        "/admin/",
        "/api/echo",
        "/api/nowhere",
        "/static/css/base.css",
        "/m/x",
    ],
)
def test_every_answer_has_the_strict_policy(owner: Any, path: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    answer = client.get(path)
    assert answer["Content-Security-Policy"] == POLICY
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_pages_are_not_stored_and_static_files_are(signed_in: Client) -> None:
    assert signed_in.get("/page/")["Cache-Control"] == "no-store"
    assert Client().get("/login/")["Cache-Control"] == "no-store"
    assert signed_in.get("/api/echo")["Cache-Control"] == "no-store"
    assert "no-store" not in signed_in.get("/static/css/base.css")["Cache-Control"]


@pytest.mark.parametrize(("status", "shown"), [(400, 422), (404, 404), (409, 409)])
def test_a_problem_in_a_view_is_a_page_with_its_sentence(signed_in: Client, status: int, shown: int) -> None:
    answer = signed_in.get(f"/failing/{status}/")
    assert answer.status_code == shown
    assert "Choose another name." in answer.content.decode()
    assert 'aria-label="Main"' in answer.content.decode()


@pytest.mark.parametrize(("status", "shown"), [(400, 422), (404, 404), (409, 409)])
def test_for_a_fragment_it_is_a_toast_and_nothing_is_swapped(
    signed_in: Client, status: int, shown: int
) -> None:
    answer = signed_in.get(f"/failing/{status}/", headers=HTMX)
    assert (answer.status_code, answer["HX-Reswap"], answer.content) == (shown, "none", b"")
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert toast == {"message": "Choose another name.", "kind": "bad"}


def test_an_unexpected_failure_is_a_page_without_detail(owner: Any) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    answer = client.get("/bug/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/echo", "/api/nowhere", "/api"])
def test_below_api_another_hosts_refusal_is_json(signed_in: Client, settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = signed_in.get(path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer["Content-Security-Policy"] == POLICY


def test_the_bare_api_address_is_json_too(signed_in: Client) -> None:
    assert signed_in.get("/api").json()["code"] == "not_found"
    assert Client().get("/api").json()["code"] == "unauthorized"


def test_a_missing_page_has_the_frame_and_a_way_on(signed_in: Client) -> None:
    content = signed_in.get("/nowhere/").content.decode()
    assert "There is nothing at this address." in content
    assert 'aria-label="Main"' in content


def test_times_are_shown_in_the_chosen_zone(signed_in: Client, settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, fixed=frozenset())
    zone.choose("Asia/Tokyo")
    assert 'title="14 May 2026, 21:00:00 Asia/Tokyo"' in signed_in.get("/moment/").content.decode()
