"""The frame, the toasts, dialogs in both shapes, restoring a file."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from influencer import jsondb
from influencer.web import icons, tabs

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TEMPLATES = Path(django_settings.BASE_DIR) / "templates"


def test_the_frame_shows_the_registered_tabs_in_order(signed_in: Client) -> None:
    tabs.register(tabs.Tab(5, "Login", "web:login", "list"))
    content = signed_in.get("/page/").content.decode()
    assert '<a href="/page/" aria-current="page">' in content
    assert '<a href="/login/">' in content
    assert content.index('<a href="/login/">') < content.index('<a href="/page/"')


def test_a_tab_says_how_much_waits_for_a_person(signed_in: Client) -> None:
    tabs.register(tabs.Tab(11, "Three", "web:login", "list", waiting="tests.influencer.web.addresses.three"))
    content = signed_in.get("/page/").content.decode()
    assert (
        '<span class="count" id="waiting-three">3<span class="visually-hidden"> wait for you</span>'
        in content
    )
    assert content.count('class="count"') == 1


def test_the_start_page_leads_to_the_first_tab(signed_in: Client) -> None:
    assert signed_in.get("/")["Location"] == "/page/"


def test_the_sandbox_badge_names_the_stand_ins(signed_in: Client, settings: Any) -> None:
    assert "ComfyUI, Instagram and X are stand-ins" in signed_in.get("/page/").content.decode()
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="off")
    assert "stand-in" not in signed_in.get("/page/").content.decode()


def test_the_csrf_token_stands_once_on_the_body(signed_in: Client) -> None:
    content = signed_in.get("/page/").content.decode()
    headers = re.search(r"<body [^>]*hx-headers='([^']+)'", content)
    assert headers is not None
    assert len(json.loads(headers[1])["X-CSRFToken"]) == 64


def test_who_may_not_see_the_admin_gets_no_link_to_it(signed_in: Client, owner: Any) -> None:
    assert 'href="/admin/"' in signed_in.get("/page/").content.decode()
    owner.is_staff = False
    owner.save()
    assert 'href="/admin/"' not in signed_in.get("/page/").content.decode()


def test_a_message_for_the_next_page_is_a_toast_with_its_link(signed_in: Client) -> None:
    content = signed_in.get("/saved/", follow=True).content.decode()
    assert 'Saved &lt;b&gt;Luna&lt;/b&gt;. <a href="/page/">See her</a>' in content


def test_htmx_is_led_on_by_a_header(signed_in: Client) -> None:
    answer = signed_in.get("/saved/", headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/page/")


def test_a_dialog_is_a_page_of_its_own_without_htmx(signed_in: Client) -> None:
    fragment = signed_in.get("/dialog/", headers=HTMX).content.decode().strip()
    page = signed_in.get("/dialog/").content.decode()
    assert fragment.startswith('<dialog class="dialog small"')
    assert "<title>Delete Luna? · Influencer</title>" in page
    assert '<h1 id="dialog-title">Delete Luna?</h1>' in page
    for shape in (fragment, page):
        assert '<form class="body" id="confirm" method="post" action="/dialog/"' in shape
        assert "csrfmiddlewaretoken" in shape


def test_a_damaged_file_is_said_on_every_page_until_restored(signed_in: Client, data_dir: Path) -> None:
    document = jsondb.Document("settings.json")
    for zone in ("UTC", "Asia/Tokyo"):
        document.change(lambda content, zone=zone: content.update(timeZone=zone))
    (data_dir / "settings.json").write_text('{"timeZone": ')
    page = signed_in.get("/page/").content.decode()
    assert "settings.json can’t be read" in page
    assert 'href="/restore/settings.json/"' in page
    assert "Restore settings.json?" in signed_in.get("/restore/settings.json/").content.decode()
    restored = signed_in.post("/restore/settings.json/", follow=True).content.decode()
    assert "Restored settings.json." in restored
    assert "can’t be read" not in restored
    assert jsondb.Document("settings.json").read()["timeZone"]
    assert list(data_dir.glob("settings.damaged-*.json"))


def test_only_damaged_files_can_be_restored(signed_in: Client, data_dir: Path) -> None:
    secret = data_dir / "other.json"
    secret.write_text("{}")
    signed_in.post("/restore/other.json/")
    assert secret.read_text() == "{}"
    assert signed_in.post("/restore/..%2Fother.json/").status_code in {302, 303, 404}


def test_the_style_guide_exists_only_while_developing(signed_in: Client, settings: Any) -> None:
    assert signed_in.get("/styleguide/").status_code == 404
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, debug=True)
    assert signed_in.get("/styleguide/").status_code == 200


def test_no_template_has_inline_style_or_script() -> None:
    inline = re.compile(r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*\ssrc=)")
    guilty = [path.name for path in TEMPLATES.rglob("*.html") if inline.search(path.read_text())]
    assert guilty == []


def test_every_icon_a_template_names_exists() -> None:
    named = re.compile(r'{% icon "([^"]+)"')
    used = {name for path in TEMPLATES.rglob("*.html") for name in named.findall(path.read_text())}
    assert used <= set(icons.shapes())


def test_css_and_js_beside_htmx_stay_under_25_kb() -> None:
    static = Path(django_settings.BASE_DIR) / "static"
    files = [*static.glob("css/*.css"), *static.glob("js/*.js")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= 25 * 1024
