"""The cards: what a person reads of each check, and where the fix is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from influencer.jobs.models import iso
from monitoring import cards, checks, overview
from monitoring.cards import Card
from monitoring.report import Finding, Report, Result, State

NOW = timezone.now()
SERVER = {
    "url": "http://studio-4090:8188",
    "state": "ok",
    "version": "0.3.40",
    "devices": [{"name": "RTX 4090", "type": "cuda", "vramTotal": 24 * 2**30, "vramFree": 10 * 2**30}],
    "queue": {"running": 1, "pending": 2},
    "answerMs": 42,
}
SILENT = {"url": "http://10.0.0.7:8188", "state": "down", "error": "It does not answer."}
LUNA = {"characterId": "char_1", "character": "Luna", "handle": "@luna", "state": "ok", "postedToday": 3}


def results(**findings: Finding) -> dict[str, Result]:
    well = {check.name: Finding(State.OK, "Fine.") for check in checks.CHECKS}
    return {name: Result(finding, NOW, NOW) for name, finding in {**well, **findings}.items()}


def card(slug: str, **findings: Finding) -> Card:
    return next(one for one in cards.cards(results(**findings)) if one.slug == slug)


def facts(one: Card) -> dict[str, str]:
    return {fact.label: fact.text for fact in one.facts}


def a(state: State, message: str = "It is so. Do this.", **details: Any) -> Finding:
    return Finding(state, message, details)


def test_there_is_a_card_for_each_service_in_the_documented_order() -> None:
    titles = ["ComfyUI", "Database", "Scheduler", "Instagram", "X", "Gemini"]
    assert [one.title for one in cards.cards(results())] == titles
    assert [one.title for one in cards.waiting()] == titles
    assert {one.chip[0] for one in cards.waiting()} == {"checking"}


@pytest.mark.parametrize(
    ("state", "word", "tone"),
    [
        (State.OK, "ok", "ok"),
        (State.DEGRADED, "needs a look", "warn"),
        (State.DOWN, "down", "bad"),
        (State.UNCONFIGURED, "not set up", ""),
        (State.SANDBOX, "sandbox", "sandbox"),
    ],
)
def test_the_chip_is_the_state_and_the_message_has_the_fix(state: State, word: str, tone: str) -> None:
    one = card("gemini", gemini=a(state))
    assert one.chip[:2] == (word, tone)
    assert one.message == ("" if state is State.OK else "It is so. Do this.")


def test_comfyui_shows_version_device_memory_queue_and_answer_time() -> None:
    one = card("comfyui", comfyui=a(State.OK, servers=[SERVER]))
    assert one.value == "connected"
    assert facts(one) == {
        "Server": "studio-4090:8188",
        "Version": "0.3.40",
        "Device": "RTX 4090",
        "VRAM": "14.0 of 24\u202fGB",
        "Queue": "1 running, 2 waiting",
        "Answers in": "42\u202fms",
    }
    meter = next(fact.meter for fact in one.facts if fact.meter)
    assert (meter.value, meter.most, meter.low < meter.high) == (14, 24, True)


@pytest.mark.parametrize(("slug", "words"), [("comfyui", "Connect"), ("gemini", "Settings")])
def test_what_the_settings_can_mend_leads_there(slug: str, words: str) -> None:
    assert card(slug).link == (words, "/settings/")


def test_several_servers_are_a_line_each() -> None:
    one = card("comfyui", comfyui=a(State.DEGRADED, servers=[SERVER, SILENT]))
    assert one.value == "1 of 2 servers"
    assert facts(one)["10.0.0.7:8188"] == "silent"
    assert facts(one)["studio-4090:8188"] == "0.3.40 · RTX 4090 · 1 running, 2 waiting · 42 ms"


def test_a_silent_comfyui_and_none_at_all_are_told_apart() -> None:
    assert card("comfyui", comfyui=a(State.DOWN, servers=[SILENT])).value == "silent"
    assert card("comfyui", comfyui=a(State.UNCONFIGURED)).value == "no server"


def test_the_database_shows_folder_space_files_and_backup() -> None:
    files = [
        {"name": "characters.json", "bytes": 41_000, "records": 6},
        {"name": "settings.json", "bytes": 0},
    ]
    made = iso(NOW - timedelta(hours=9))
    found = a(State.OK, folder="data", writable=True, files=files, bytes=852_000, lastBackupAt=made)
    one = card("database", database=found, disk=a(State.OK, folder="data", freeBytes=212 * 10**9))
    assert one.value == "6 records"
    assert facts(one) == {
        "Folder": "writable, data",
        "Free": "212\u202fGB",
        "characters.json": "6 · 41\u202fkB",
        "Database": "852\u202fkB",
        "Backup": "none yet",
    }
    assert one.facts[-1].moment is not None


def test_a_damaged_file_stands_out() -> None:
    files = [{"name": "prompts.json", "bytes": 9, "damaged": "no JSON"}]
    one = card("database", database=a(State.DOWN, folder="data", writable=True, files=files))
    assert (one.value, one.chip[0], one.tone) == ("1 damaged file", "down", "bad")
    assert facts(one)["prompts.json"] == "damaged: no JSON"
    assert one.link == ("Restore prompts.json", "/restore/prompts.json/")


def test_a_full_disk_is_the_databases_trouble() -> None:
    one = card("database", disk=a(State.DEGRADED, "Only 1.2 GB free. Make space soon."))
    assert (one.chip[0], one.message) == ("needs a look", "Only 1.2 GB free. Make space soon.")


def clusters(*alive: bool) -> list[dict[str, Any]]:
    numbers = {"default": 2, "gpu": 1}
    return [
        {"name": name, "workers": number, "alive": lives, "lastSignAt": iso(NOW)}
        for (name, number), lives in zip(numbers.items(), alive, strict=True)
    ]


def test_the_scheduler_shows_heartbeat_workers_what_is_due_lag_and_missed() -> None:
    clock = a(State.OK, lastBeatAt=iso(NOW), dueWithinTheHour=4, lagSeconds=0.4, missed=2)
    one = card("scheduler", scheduler=clock, workers=a(State.OK, clusters=clusters(True, True)))
    assert one.value == "on time"
    assert facts(one) == {
        "Heartbeat": "never",
        "Workers": "3 of 3 answer",
        "Due in 1 h": "4",
        "Lag": "0.4\u202fs",
        "Missed": "2 wait for you",
    }
    assert (one.facts[-1].url, one.link) == ("/scheduling/", ("Tasks", "/scheduling/"))


def test_a_frozen_worker_is_named() -> None:
    workers = a(State.DEGRADED, "No sign of the workers “gpu”.", clusters=clusters(True, False))
    one = card("scheduler", workers=workers)
    assert (one.value, one.message) == ("workers are silent", "No sign of the workers “gpu”.")
    assert facts(one)["Workers"] == "2 of 3 answer"
    assert "“gpu”" in facts(one)


@pytest.mark.parametrize(
    ("state", "lag", "value"), [(State.DOWN, 0, "standing still"), (State.OK, 300, "5\u202fmin late")]
)
def test_a_clock_that_stands_still_or_is_late_says_so(state: State, lag: float, value: str) -> None:
    assert card("scheduler", scheduler=a(state, lagSeconds=lag)).value == value


def test_accounts_show_quota_posts_and_the_broken_ones_first() -> None:
    broken = {
        "characterId": "char_2",
        "character": "Mei",
        "handle": "@mei",
        "state": "down",
        "message": "Code 190.",
    }
    quota = {**LUNA, "characterId": "char_3", "handle": "@nova", "quota": {"used": 7, "limit": 25}}
    one = card("instagram", instagram=a(State.DEGRADED, accounts=[LUNA, quota, broken]))
    assert one.chip == ("1 of 3 broken", "bad", "circle-x")
    assert (one.value, one.message) == ("2 accounts ok", ""), "the account's own line says it"
    assert list(facts(one).items()) == [
        ("@mei", "Code 190."),
        ("@luna", "ok · 3 today"),
        ("@nova", "ok · 7 of 25 today"),
    ]
    assert one.link == ("Reconnect Mei", "/characters/char_2/")


def test_a_token_that_ends_soon_and_an_account_that_waits_are_warned_of() -> None:
    ends = datetime(2026, 5, 20, 12, tzinfo=UTC)
    soon = {**LUNA, "tokenExpiresAt": iso(ends), "tokenExpiresSoon": True}
    held = {**LUNA, "handle": "@nova", "heldUntil": iso(ends)}
    calm = {**LUNA, "handle": "@kai", "tokenExpiresAt": iso(ends), "postedToday": 0, "tokenExpiryKnown": True}
    one = card("instagram", instagram=a(State.OK, accounts=[soon, held, calm]))
    waits = f"ok · 3 today · waits until {timezone.localtime(ends):%H:%M}"
    assert [(fact.text, fact.tone) for fact in one.facts] == [
        ("ok · 3 today · token until 20 May (estimated)", "warn"),
        (waits, "warn"),
        ("ok · token until 20 May", ""),
    ]


def test_many_accounts_are_cut_short() -> None:
    one = card("x", x=a(State.OK, accounts=[{**LUNA, "handle": f"@{number}"} for number in range(200)]))
    assert len(one.facts) == 7
    assert one.facts[-1].text == "194 accounts"


def test_the_last_error_leads_to_its_post() -> None:
    error = {"postId": "post_1", "code": "503", "message": "X is busy.", "at": iso(NOW)}
    one = card("x", x=a(State.SANDBOX, accounts=[{**LUNA, "state": "sandbox"}], lastError=error))
    assert (one.value, one.facts[-1].text, one.facts[-1].url) == ("stand-in", "X is busy.", "/posts/post_1/")


def test_gemini_without_a_key_says_who_writes() -> None:
    one = card("gemini", gemini=a(State.UNCONFIGURED, keySet=False, sdk="google-genai"))
    assert (one.value, facts(one)["Captions"]) == ("without AI", "written without AI")
    about = {
        "keySet": True,
        "model": "gemini-9",
        "sdk": "google-genai",
        "answerMs": 1900,
        "askedAt": iso(NOW),
    }
    one = card("gemini", gemini=a(State.OK, **about))
    assert (one.value, facts(one)["Took"]) == ("gemini-9", "1.9\u202fs")


def sentence(**findings: Finding) -> tuple[str, str]:
    found = overview.of(Report(results(**findings), NOW))
    return found.sentence, found.tone


def test_the_sentence_says_what_is_wrong_accounts_counted_together() -> None:
    broken = {**LUNA, "state": "down", "message": "Code 190."}
    assert sentence() == ("Everything works", "")
    assert sentence(gemini=a(State.UNCONFIGURED), x=a(State.SANDBOX)) == ("Everything works", "")
    assert sentence(comfyui=a(State.DOWN)) == ("ComfyUI is down", "bad")
    assert sentence(workers=a(State.DEGRADED)) == ("Scheduler needs a look", "warn")
    assert sentence(x=a(State.DEGRADED, accounts=[LUNA, broken])) == ("1 account is broken", "bad")
    both = {name: a(State.DOWN, accounts=[broken]) for name in ("x", "instagram")}
    assert sentence(**both)[0] == "2 accounts are broken"
    many = {name: a(State.DOWN) for name in ("comfyui", "database", "scheduler")}
    assert sentence(**many)[0] == "ComfyUI is down, Database is down, and 1 more"
