"""What counts: the environment, else settings.json, else the default, seen at once by everyone."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from influencer import config, effective, endpoints, jsondb, vault
from influencer.clients.comfyui.address import Address
from influencer.config import PROJECT, SETTABLE, Config
from influencer.web import zone

KEY = "AIza-key-of-the-tests"


@pytest.fixture(autouse=True)
def nothing_fixed(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, fixed=frozenset())


@pytest.fixture
def file(data_dir: Path) -> Path:
    return data_dir / "settings.json"


def write(file: Path, **content: Any) -> None:
    file.write_text(json.dumps(content))


def test_without_a_file_the_defaults_count() -> None:
    now = effective.config()
    assert now.gemini_model == "gemini-3.5-flash-lite"
    assert now.comfyui_urls == ()
    assert not effective.faults()


def test_what_the_file_says_counts_before_the_default(file: Path) -> None:
    write(
        file,
        comfyuiUrls=["http://a:8188", "http://b:8188/"],
        comfyuiHeaders='{"X-Key": "k"}',
        geminiApiKey=KEY,
        geminiModel="gemini-3.5-pro",
        geminiApiUrl="http://127.0.0.1:9/",
        geminiSdk="google-generativeai",
        instagramGraphUrl="http://127.0.0.1:9",
        instagramApiVersion="v24.0",
        xApiUrl="https://x.example.org",
        publicBaseUrl="https://media.example.org/",
        sandbox="off",
        timeZone="Europe/Madrid",
        backupsKept=3,
    )
    now = effective.config()
    assert now.comfyui_urls == ("http://a:8188", "http://b:8188")
    assert now.comfyui_headers == {"X-Key": "k"}
    assert (now.gemini_api_key, now.gemini_model, now.gemini_sdk) == (
        KEY,
        "gemini-3.5-pro",
        "google-generativeai",
    )
    assert (now.gemini_api_url, now.instagram_graph_url) == ("http://127.0.0.1:9", "http://127.0.0.1:9")
    assert (now.instagram_api_version, now.x_api_url) == ("v24.0", "https://x.example.org")
    assert (now.media_base_url, now.public_host) == ("https://media.example.org", "media.example.org")
    assert (now.sandbox, now.time_zone, now.backups_kept) == ("off", "Europe/Madrid", 3)
    assert not effective.faults()


def test_what_the_environment_says_wins(file: Path, settings: Any) -> None:
    settings.INFLUENCER = config.load(
        {"INFLUENCER_SECRET_KEY": "k" * 40, "GEMINI_MODEL": "gemini-of-the-machine", "COMFYUI_URL": ""}
    )
    write(file, geminiModel="gemini-of-the-file", comfyuiUrls=["http://a"])
    assert effective.config().gemini_model == "gemini-of-the-machine"
    assert effective.config().comfyui_urls == ("http://a",)
    assert effective.locked("gemini_model") == "GEMINI_MODEL"
    assert effective.locked("comfyui_urls") == ""  # set to nothing fixes nothing


def test_a_change_is_seen_at_the_next_look(file: Path) -> None:
    assert effective.config().sandbox == "auto"
    write(file, sandbox="off")
    assert not endpoints.sandbox_allowed()
    write(file, sandbox="on", timeZone="Asia/Tokyo")
    assert endpoints.sandboxed_services() == ["ComfyUI", "Instagram", "X", "Gemini"]
    assert zone.current().key == "Asia/Tokyo"
    file.unlink()
    assert effective.config().sandbox == "on"  # a file that goes missing is damage, not a wish


def test_a_look_costs_one_stat_and_no_reading(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, sandbox="off")
    first, stats, stat = effective.config(), [], os.stat

    def counted(path: Any, *more: Any, **options: Any) -> os.stat_result:
        stats.append(path)
        return stat(path, *more, **options)

    monkeypatch.setattr(os, "stat", counted)
    assert effective.config() is first
    assert [Path(path) for path in stats] == [file]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sandbox", "maybe"),
        ("sandbox", True),
        ("sandbox", ["on"]),
        ("comfyuiUrls", "ftp://a"),
        ("comfyuiUrls", ["http://a", 7]),
        ("comfyuiUrls", {"http": "a"}),
        ("comfyuiUrls", ["http://[::1"]),
        ("comfyuiHeaders", "not JSON"),
        ("comfyuiHeaders", ["a"]),
        ("geminiModel", "../../v1/files"),
        ("geminiModel", 7),
        ("geminiApiKey", "two words"),
        ("geminiApiKey", 12345),
        ("geminiSdk", "vertex"),
        ("geminiApiUrl", "generativelanguage.googleapis.com"),
        ("instagramApiVersion", "25"),
        ("instagramGraphUrl", "https://ann:pass@graph.example.org"),
        ("xApiUrl", 5),
        ("publicBaseUrl", "studio"),
        ("publicBaseUrl", "https://media.example.org?x=1"),
        ("timeZone", "Mars/Olympus"),
        ("timeZone", 3),
        ("backupsKept", 0),
        ("backupsKept", "many"),
        ("backupsKept", 1.5),
        ("backupsKept", True),
        ("geminiApiKey", "sealed:v1:nonsense"),
    ],
)
def test_nonsense_counts_as_unset_and_is_named(file: Path, key: str, value: Any) -> None:
    write(file, **{key: value, "comfyuiUrls": value if key == "comfyuiUrls" else ["http://a"]})
    untouched = dataclasses.replace(effective.config(), comfyui_urls=())
    assert untouched == effective.settings.INFLUENCER
    [sentence] = effective.faults()
    assert sentence.startswith(f"settings.json: {key} ")
    assert "ann" not in sentence


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}])
def test_an_empty_value_is_none(file: Path, nothing: Any) -> None:
    key = {list: "comfyuiUrls", dict: "comfyuiHeaders"}.get(type(nothing), "geminiModel")
    write(file, **{key: nothing})
    assert effective.config() == effective.settings.INFLUENCER
    assert not effective.faults()


def test_a_damaged_file_leaves_the_last_good_values(file: Path) -> None:
    write(file, sandbox="off")
    assert effective.config().sandbox == "off"
    file.write_text('{"sandbox": ')
    assert effective.config().sandbox == "off"
    assert [damage.file for damage in jsondb.damage()] == ["settings.json"]


def test_a_file_nobody_can_read_leaves_the_environments(file: Path) -> None:
    file.write_text("no JSON")
    assert effective.config() is effective.settings.INFLUENCER


def test_keys_nobody_knows_stay(file: Path) -> None:
    write(file, sandbox="off", theirs={"kept": [1]})
    zone.choose("Europe/Madrid")
    stored = json.loads(file.read_text())
    assert stored == {"sandbox": "off", "theirs": {"kept": [1]}, "timeZone": "Europe/Madrid"}


# Secrets


def test_secrets_typed_by_hand_count_and_are_sealed_at_the_next_write(file: Path) -> None:
    login = "http://ann:open-sesame@studio:8188"
    write(
        file,
        geminiApiKey=KEY,
        comfyuiHeaders={"Authorization": "Bearer open-sesame"},
        comfyuiUrls=["http://a:8188", login, "http://b/?token=open-sesame"],
    )
    before = effective.config()
    assert before.gemini_api_key == KEY
    assert before.comfyui_urls[1] == login
    zone.choose("Europe/Madrid")
    for path in (file, file.with_name("settings.json.bak")):
        assert "open-sesame" not in path.read_text()
        assert KEY not in path.read_text()
    stored = json.loads(file.read_text())
    assert stored["comfyuiUrls"][0] == "http://a:8188"
    assert all(vault.is_sealed(one) for one in (*stored["comfyuiUrls"][1:], stored["geminiApiKey"]))
    after = effective.config()
    assert dataclasses.replace(after, time_zone=before.time_zone) == before
    assert after.comfyui_headers == {"Authorization": "Bearer open-sesame"}
    assert Address.parse(after.comfyui_urls[1]).base == "http://studio:8188"


def test_plain_secrets_are_named_by_the_check_and_sealed_ones_are_not(file: Path) -> None:
    write(file, geminiApiKey=KEY, comfyuiUrls=["http://ann:open-sesame@studio"])
    found = jsondb.check("settings.json")
    assert [(one.code, one.message.split()[0]) for one in found] == [
        ("plain_secret", "comfyuiUrls"),
        ("plain_secret", "geminiApiKey"),
    ]
    assert not [one for one in found if KEY in one.message or "sesame" in one.message]
    zone.choose("Europe/Madrid")
    assert not jsondb.check("settings.json")


def test_a_secret_sealed_with_another_key_counts_as_unset(file: Path, settings: Any) -> None:
    write(file, geminiApiKey=vault.seal(KEY), sandbox="off")
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, master_key="another" * 8)
    assert effective.config().gemini_api_key == ""
    assert effective.config().sandbox == "off"
    assert "INFLUENCER_OLD_SECRET_KEYS" in effective.faults()[0]


def test_the_configuration_never_prints_a_secret(file: Path) -> None:
    write(file, geminiApiKey=KEY, comfyuiUrls=["http://ann:open-sesame@studio"], comfyuiHeaders={"a": KEY})
    printed = repr(effective.look())
    assert KEY not in printed
    assert "sesame" not in printed


# The table


def test_every_settable_field_is_one_of_the_configuration_with_a_variable_of_its_own() -> None:
    names = {one.name for one in dataclasses.fields(Config)}
    assert set(SETTABLE) <= names
    variables = [known.variable for known in SETTABLE.values()]
    assert len(set(variables)) == len(variables)
    assert effective.KEYS["gemini_api_key"] == "geminiApiKey"


def test_nobody_reads_a_settable_field_past_it() -> None:
    """`settings.INFLUENCER` is the environment alone; what the settings page says would be missed."""
    entitled = {"effective.py", "config.py", "settings.py", "forms.py"}
    names = "|".join([*SETTABLE, "media_base_url", "public_host"])
    directly = re.compile(rf"settings\.INFLUENCER\.({names})\b")
    kept, through = re.compile(r"settings\.INFLUENCER(,|$)", re.M), re.compile(rf"\bconfig\.({names})\b")
    past = []
    for folder in ("influencer", "characters", "prompts", "scheduling", "monitoring"):
        for path in (PROJECT / folder).rglob("*.py"):
            text = path.read_text()
            reads = directly.search(text) or (kept.search(text) and through.search(text))
            if reads and path.name not in entitled:
                past.append(str(path.relative_to(PROJECT)))
    assert not past
