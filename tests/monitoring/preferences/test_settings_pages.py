"""The Settings page over HTTP: who may, what is stored, what is never shown."""

from __future__ import annotations

import dataclasses
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from influencer import config, effective, vault
from influencer.config import SETTABLE
from monitoring.preferences import forms
from monitoring.preferences.sections import SECTIONS
from tests.monitoring.preferences.stage import (
    HTMX,
    KEY,
    client_of,
    free_of_fixed,
    save,
    seen,
    stored,
    words,
    write,
)

pytestmark = pytest.mark.django_db
LOGIN = "http://ann:open-sesame@192.168.1.20:8188"
MASKED = "http://********@192.168.1.20:8188"


@pytest.fixture(autouse=True)
def nothing_fixed(settings: Any) -> None:
    free_of_fixed(settings)


@pytest.fixture
def owner() -> Client:
    return client_of("owner", is_superuser=True, is_staff=True)


# Who may


def test_the_owner_sees_every_section_and_finds_the_link(owner: Client) -> None:
    page = owner.get("/settings/").content.decode()
    for section in SECTIONS.values():
        assert f'id="{section.name}-h">{section.title}<' in page
    assert 'href="/settings/"' in owner.get("/characters/").content.decode()


def test_what_only_the_environment_sets_is_named_with_whether_it_is_set(owner: Client, settings: Any) -> None:
    told = words(owner.get("/settings/"))
    assert "MEDIA_S3_URL (not set)" in told
    assert "INSTAGRAM_APP_ID , INSTAGRAM_APP_SECRET (not set)" in told
    app = {"INSTAGRAM_APP_ID": "1", "INSTAGRAM_APP_SECRET": "hush-hush"}
    settings.INFLUENCER = dataclasses.replace(
        settings.INFLUENCER,
        credentials=app,
        media_s3_url="https://key:hush-hush@host/bucket",
        c2pa_cert="a.pem",
    )
    page = owner.get("/settings/")
    assert words(page).count("(set)") == 3
    assert "hush-hush" not in page.content.decode()


def test_others_get_a_clear_page_and_no_link() -> None:
    staff = client_of("editor", is_staff=True)
    answer = staff.get("/settings/")
    assert answer.status_code == 403
    assert "This account may not do that." in words(answer)
    assert "/settings/" not in staff.get("/characters/").content.decode()


@pytest.mark.parametrize("path", ["x/", "x/test/", "gemini/models/"])
def test_others_can_neither_save_nor_test(path: str, data_dir: Path) -> None:
    answer = client_of("editor", is_staff=True).post(f"/settings/{path}", {"x_api_url": "https://a.example"})
    assert answer.status_code == 403
    assert not stored(data_dir)


def test_without_a_sign_in_it_leads_there() -> None:
    assert Client().get("/settings/")["Location"].startswith("/login/")


def test_there_are_no_other_sections(owner: Client) -> None:
    assert owner.post("/settings/secrets/").status_code == 404
    assert owner.post("/settings/backups/test/").status_code == 404


def test_every_field_that_can_be_set_has_one_place_and_a_label() -> None:
    placed = [name for section in SECTIONS.values() for name in section.all_fields]
    assert sorted(placed) == sorted(SETTABLE)
    assert set(forms.LABELS) == set(SETTABLE)


# Saving


@pytest.mark.parametrize(
    ("section", "values", "kept"),
    [
        (
            "comfyui",
            {"comfyui_urls": "http://a:8188/\r\n\r\n http://b:8188 "},
            {"comfyuiUrls": ["http://a:8188", "http://b:8188"]},
        ),
        ("gemini", {"gemini_model": "gemini-3.5-pro"}, {"geminiModel": "gemini-3.5-pro"}),
        (
            "gemini",
            {"gemini_api_url": "http://127.0.0.1:9", "gemini_sdk": "google-generativeai"},
            {"geminiApiUrl": "http://127.0.0.1:9", "geminiSdk": "google-generativeai"},
        ),
        ("public", {"public_base_url": "https://m.example.org"}, {"publicBaseUrl": "https://m.example.org"}),
        ("instagram", {"instagram_api_version": "v24.0"}, {"instagramApiVersion": "v24.0"}),
        ("x", {"x_api_url": "https://x.example.org"}, {"xApiUrl": "https://x.example.org"}),
        ("sandbox", {"sandbox": "off"}, {"sandbox": "off"}),
        ("dashboard", {"time_zone": "Europe/Madrid"}, {"timeZone": "Europe/Madrid"}),
        ("backups", {"backups_kept": "3"}, {"backupsKept": 3}),
    ],
)
def test_a_saved_section_is_stored_and_counts_at_once(
    owner: Client, data_dir: Path, section: str, values: dict[str, str], kept: dict[str, Any]
) -> None:
    answer = save(owner, section, **{"gemini_sdk": "google-genai", **values})
    assert answer.status_code == 200
    assert f"Saved {SECTIONS[section].title}." in answer["HX-Trigger"]
    assert stored(data_dir) == kept
    assert effective.config() != effective.settings.INFLUENCER
    assert not effective.faults()


def test_without_htmx_a_save_leads_back_to_its_section(owner: Client, data_dir: Path) -> None:
    answer = owner.post("/settings/backups/", {"seen": seen("backups"), "backups_kept": "3"})
    assert (answer.status_code, answer["Location"]) == (303, "/settings/#backups")
    assert "Saved Backups." in words(owner.get("/settings/"))
    assert stored(data_dir) == {"backupsKept": 3}


def test_an_emptied_field_falls_back_to_the_default(owner: Client, data_dir: Path) -> None:
    write(data_dir, geminiModel="gemini-3.5-pro", theirs=1)
    save(owner, "gemini", gemini_model="", gemini_sdk="google-genai")
    assert stored(data_dir) == {"theirs": 1}
    assert effective.config().gemini_model == "gemini-3.5-flash-lite"


def test_what_was_not_changed_is_not_written(owner: Client, data_dir: Path) -> None:
    write(data_dir, comfyuiUrls="http://a:8188,http://b:8188")
    before = (data_dir / "settings.json").stat().st_mtime_ns
    answer = save(owner, "comfyui", comfyui_urls="http://a:8188\r\nhttp://b:8188")
    assert answer.status_code == 200
    assert (data_dir / "settings.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("section", "values", "sentence"),
    [
        ("comfyui", {"comfyui_urls": "192.168.1.20:8188"}, "An address starts with http:// or https://"),
        ("comfyui", {"comfyui_urls": "http://a:8188\nftp://b"}, "An address starts with"),
        ("comfyui", {"comfyui_urls": "http://169.254.169.254"}, "nothing is sent there"),
        ("comfyui", {"comfyui_urls": "http://a\nhttp://[fe80::1]:8188"}, "nothing is sent there"),
        ("comfyui", {"comfyui_headers": "Bearer x"}, "Extra headers must be a JSON object"),
        ("gemini", {"gemini_api_key": "two words"}, "Key holds a character no key has"),
        ("gemini", {"gemini_model": "a b"}, "Model is 'a b'; it must look like gemini-3.5-flash-lite"),
        ("gemini", {"gemini_api_url": "http://2852039166/"}, "nothing is sent there"),
        ("gemini", {"gemini_sdk": "vertex"}, "not one of the available choices"),
        ("public", {"public_base_url": "studio.local"}, "An address starts with"),
        ("public", {"public_base_url": "https://a:b@studio.example.org"}, "may hold no user, password"),
        ("instagram", {"instagram_graph_url": "javascript:alert(1)"}, "An address starts with"),
        ("instagram", {"instagram_api_version": "25"}, "API version is '25'; it must look like v25.0"),
        ("x", {"x_api_url": "http://metadata.google.internal"}, "nothing is sent there"),
        ("sandbox", {"sandbox": "maybe"}, "not one of the available choices"),
        ("dashboard", {"time_zone": "Mars/Olympus"}, "not one of the available choices"),
        ("backups", {"backups_kept": "0"}, "Backups to keep is '0'; it must be a number from 1 to 999"),
        ("backups", {"backups_kept": "³"}, "it must be a number"),
    ],
)
def test_what_can_not_be_used_is_said_at_the_field_and_nothing_is_stored(
    owner: Client, data_dir: Path, section: str, values: dict[str, str], sentence: str
) -> None:
    answer = save(owner, section, **{"gemini_sdk": "google-genai", **values})
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not stored(data_dir)


# Locked


def test_what_the_environment_fixes_is_shown_locked_with_its_variable(owner: Client, settings: Any) -> None:
    settings.INFLUENCER = config.load(
        {
            "INFLUENCER_SECRET_KEY": settings.INFLUENCER.master_key,
            "COMFYUI_URL": f"{LOGIN},http://b:8188",
            "GEMINI_API_KEY": KEY,
            "COMFYUI_HEADERS": '{"Authorization": "Bearer open-sesame"}',
            "INFLUENCER_SANDBOX": "auto",
        }
    )
    page = owner.get("/settings/").content.decode()
    for variable in ("COMFYUI_URL", "GEMINI_API_KEY", "COMFYUI_HEADERS", "INFLUENCER_SANDBOX"):
        assert f"Fixed by <code>{variable}</code>" in page
    assert f"{MASKED}\nhttp://b:8188" in page
    assert KEY not in page
    assert "open-sesame" not in page


def test_a_locked_field_is_not_changed_by_who_sends_it_all_the_same(
    owner: Client, data_dir: Path, settings: Any
) -> None:
    settings.INFLUENCER = dataclasses.replace(
        settings.INFLUENCER, fixed=frozenset({"gemini_model", "gemini_api_key"})
    )
    write(data_dir, geminiApiKey=vault.seal(KEY))
    before = stored(data_dir)
    sent = {"gemini_model": "gemini-3.5-pro", "gemini_api_key": "other", "gemini_api_key_remove": "on"}
    assert save(owner, "gemini", gemini_sdk="google-genai", **sent).status_code == 200
    assert stored(data_dir) == before


# Secrets


def test_a_secret_is_sealed_dated_and_never_shown(owner: Client, data_dir: Path, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    answer = save(owner, "gemini", gemini_api_key=KEY, gemini_sdk="google-genai")
    file = data_dir / "settings.json"
    assert KEY not in file.read_text()
    assert effective.config().gemini_api_key == KEY
    today = datetime.now(UTC)
    assert f"Set on {today.day} {today:%B}. Leave empty to keep it." in words(answer)
    assert stored(data_dir)["setAt"]["geminiApiKey"].startswith(f"{today:%Y-%m-%d}")
    for text in (answer.content.decode(), owner.get("/settings/").content.decode(), caplog.text):
        assert KEY not in text


def test_an_empty_field_keeps_a_secret_and_the_box_removes_it(owner: Client, data_dir: Path) -> None:
    save(owner, "gemini", gemini_api_key=KEY, gemini_sdk="google-genai")
    save(owner, "gemini", gemini_model="gemini-3.5-pro", gemini_sdk="google-genai")
    assert effective.config().gemini_api_key == KEY
    save(
        owner,
        "gemini",
        gemini_model="gemini-3.5-pro",
        gemini_sdk="google-genai",
        gemini_api_key_remove="on",
    )
    assert stored(data_dir) == {"geminiModel": "gemini-3.5-pro"}


def test_a_refused_secret_is_not_sent_back_either(owner: Client) -> None:
    answers = [
        save(owner, "gemini", gemini_api_key=f"{KEY} {KEY}", gemini_sdk="google-genai"),
        save(owner, "comfyui", comfyui_headers=f'{{"Authorization": "{KEY}"'),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert KEY not in answer.content.decode()


def test_headers_are_sealed_as_a_whole(owner: Client, data_dir: Path) -> None:
    save(owner, "comfyui", comfyui_headers='{"Authorization": "Bearer open-sesame"}')
    assert vault.is_sealed(stored(data_dir)["comfyuiHeaders"])
    assert effective.config().comfyui_headers == {"Authorization": "Bearer open-sesame"}


def test_a_secret_typed_into_the_file_is_set_without_a_date(owner: Client, data_dir: Path) -> None:
    write(data_dir, geminiApiKey=KEY, setAt="nonsense")
    page = owner.get("/settings/")
    assert "Set. Leave empty to keep it." in words(page)
    assert KEY not in page.content.decode()


def test_a_password_in_an_address_is_masked_and_kept(owner: Client, data_dir: Path) -> None:
    answer = save(owner, "comfyui", comfyui_urls=LOGIN)
    assert MASKED in answer.content.decode()
    assert "open-sesame" not in answer.content.decode() + (data_dir / "settings.json").read_text()
    save(owner, "comfyui", comfyui_urls=f"http://b:8188\n{MASKED}")
    assert effective.config().comfyui_urls == ("http://b:8188", LOGIN)


@pytest.mark.parametrize(
    "moved", ["http://********@10.0.0.9:8188", "http://********@192.168.1.20:9", MASKED + "/x"]
)
def test_a_masked_password_never_goes_to_another_address(owner: Client, data_dir: Path, moved: str) -> None:
    save(owner, "comfyui", comfyui_urls=LOGIN)
    answer = save(owner, "comfyui", comfyui_urls=moved)
    assert answer.status_code == 422
    assert "Type user and password again" in words(answer)
    assert effective.config().comfyui_urls == (LOGIN,)


def test_the_log_names_who_changed_which_keys_and_no_value(owner: Client, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    save(owner, "gemini", gemini_api_key=KEY, gemini_model="gemini-3.5-pro", gemini_sdk="google-genai")
    assert "settings changed by owner: geminiApiKey, geminiModel" in caplog.text
    assert KEY not in caplog.text
    assert "gemini-3.5-pro" not in caplog.text


# Two at once, and hand edits


def test_the_second_of_two_who_save_is_told_and_nothing_is_lost(owner: Client, data_dir: Path) -> None:
    before = seen("gemini")
    save(owner, "gemini", gemini_model="gemini-theirs", gemini_sdk="google-genai")
    mine = {"gemini_model": "gemini-mine", "gemini_sdk": "google-genai"}
    answer = owner.post("/settings/gemini/", {"seen": before, **mine}, headers=HTMX)
    assert answer.status_code == 422
    assert "Someone saved Gemini while you were editing." in words(answer)
    assert "Model: now gemini-theirs" in words(answer)
    assert 'value="gemini-mine"' in answer.content.decode()
    assert stored(data_dir) == {"geminiModel": "gemini-theirs"}
    again = owner.post("/settings/gemini/", {"seen": seen("gemini"), **mine}, headers=HTMX)
    assert again.status_code == 200
    assert stored(data_dir) == {"geminiModel": "gemini-mine"}


def test_who_is_told_of_a_changed_secret_does_not_learn_it(owner: Client, data_dir: Path) -> None:
    before = seen("gemini")
    write(data_dir, geminiApiKey=KEY)
    answer = owner.post("/settings/gemini/", {"seen": before, "gemini_sdk": "google-genai"}, headers=HTMX)
    assert "Key: changed" in words(answer)
    assert KEY not in answer.content.decode()


def test_a_plain_secret_that_another_save_has_sealed_is_no_change(owner: Client, data_dir: Path) -> None:
    write(data_dir, geminiApiKey=KEY)
    before = seen("gemini")
    save(owner, "backups", backups_kept="3")
    assert vault.is_sealed(stored(data_dir)["geminiApiKey"])
    mine = {"seen": before, "gemini_model": "gemini-mine", "gemini_sdk": "google-genai"}
    assert owner.post("/settings/gemini/", mine, headers=HTMX).status_code == 200
    assert effective.config().gemini_api_key == KEY


def test_two_who_save_different_sections_are_not_in_each_others_way(owner: Client, data_dir: Path) -> None:
    before = seen("backups")
    save(owner, "x", x_api_url="https://x.example.org")
    owner.post("/settings/backups/", {"seen": before, "backups_kept": "3"}, headers=HTMX)
    assert stored(data_dir) == {"xApiUrl": "https://x.example.org", "backupsKept": 3}


def test_without_htmx_the_second_is_told_on_the_whole_page(owner: Client) -> None:
    answer = owner.post("/settings/backups/", {"seen": "older", "backups_kept": "3"})
    assert answer.status_code == 409
    assert "Someone saved Backups while you were editing." in words(answer)
    assert 'value="3"' in answer.content.decode()


NONSENSE = {
    "comfyuiUrls": {"a": ["http://ann:open-sesame@b"]},
    "comfyuiHeaders": 7,
    "geminiApiKey": ["open-sesame"],
    "geminiModel": None,
    "geminiApiUrl": True,
    "geminiSdk": "vertex",
    "instagramGraphUrl": "graph",
    "instagramApiVersion": 25,
    "xApiUrl": "https://ann:open-sesame@x.example.org",
    "publicBaseUrl": [],
    "sandbox": "maybe",
    "timeZone": 3,
    "backupsKept": "many",
    "setAt": [1],
    "theirs": {"kept": True},
}


def test_hand_edited_nonsense_is_named_and_breaks_no_page(owner: Client, data_dir: Path) -> None:
    write(data_dir, **NONSENSE)
    answer = owner.get("/settings/")
    assert answer.status_code == 200
    said = words(answer)
    assert "settings.json: sandbox is 'maybe'; it may be auto, on, off." in said
    assert "settings.json: backupsKept is 'many'" in said
    assert "open-sesame" not in answer.content.decode()
    assert owner.get("/characters/").status_code == 200


def test_saving_a_section_mends_its_nonsense_and_leaves_the_rest(owner: Client, data_dir: Path) -> None:
    write(data_dir, **NONSENSE)
    assert save(owner, "sandbox", sandbox="auto").status_code == 200
    now = stored(data_dir)
    assert now["sandbox"] == "auto"
    assert {**now, "sandbox": "maybe"} == {
        **NONSENSE,
        "xApiUrl": now["xApiUrl"],
        "geminiApiKey": now["geminiApiKey"],
        "comfyuiHeaders": now["comfyuiHeaders"],
        "setAt": [1],
    }
    assert vault.is_sealed(now["xApiUrl"])


def test_what_another_key_sealed_stays_until_something_new_is_typed(
    owner: Client, data_dir: Path, settings: Any
) -> None:
    write(data_dir, comfyuiUrls=[vault.seal(LOGIN)], geminiApiKey=vault.seal(KEY))
    before = stored(data_dir)
    free_of_fixed(settings, master_key="another" * 8)
    assert "INFLUENCER_OLD_SECRET_KEYS" in words(owner.get("/settings/"))
    for section in ("comfyui", "gemini"):
        assert save(owner, section, gemini_sdk="google-genai").status_code == 200
    assert stored(data_dir) == before
    save(owner, "comfyui", comfyui_urls="http://a:8188, http://b:8188")
    assert stored(data_dir)["comfyuiUrls"] == ["http://a:8188", "http://b:8188"]


def test_a_damaged_file_can_be_seen_and_not_written(owner: Client, data_dir: Path) -> None:
    (data_dir / "settings.json").write_text('{"sandbox": ')
    assert owner.get("/settings/").status_code == 200
    answer = save(owner, "backups", backups_kept="3")
    assert answer.status_code == 503
    assert "settings.json" in json.loads(answer["HX-Trigger"])["toast"]["message"]
    assert (data_dir / "settings.json").read_text() == '{"sandbox": '


def test_the_sandbox_chip_follows(owner: Client) -> None:
    page = owner.get("/settings/")
    assert "are stand-ins on this computer" in words(page)
    assert 'href="/settings/#sandbox"' in page.content.decode()
    save(owner, "sandbox", sandbox="off")
    assert "stand-ins on this computer" not in words(owner.get("/settings/"))
