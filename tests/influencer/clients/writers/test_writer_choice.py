"""Which writer is used, and that none costs anything before it writes."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from influencer import config
from influencer.clients.writers.choice import SDKS, GeminiSettings, writer_for
from influencer.clients.writers.deadline import TimeIsUp, within
from influencer.clients.writers.errors import WriterError
from influencer.clients.writers.legacy_gemini import LegacyGemini
from influencer.config import PROJECT
from tests.influencer.clients.writers.asks import ask

KEY = "AIza-key"
HEAVY = {"google", "grpc", "httpx2", "pydantic", "googleapiclient", "twitter_text", "tweepy"}


def test_without_a_key_templates_write() -> None:
    assert writer_for(GeminiSettings()).writer == "template"


def test_with_a_key_gemini_writes() -> None:
    assert writer_for(GeminiSettings(key=KEY)).writer == "gemini"
    assert writer_for(GeminiSettings(key=KEY, sdk="google-generativeai")).writer == "legacy_gemini"


def test_the_configuration_knows_the_same_sdks_and_defaults() -> None:
    read = config.load({"INFLUENCER_SECRET_KEY": "k" * 40, "GEMINI_API_KEY": KEY})
    settings = GeminiSettings(read.gemini_api_key, read.gemini_model, read.gemini_api_url, read.gemini_sdk)
    assert settings == GeminiSettings(key=KEY)
    for sdk in SDKS:
        assert config.load({"INFLUENCER_SECRET_KEY": "k" * 40, "GEMINI_SDK": sdk}).gemini_sdk == sdk
    with pytest.raises(config.ConfigError, match="GEMINI_SDK"):
        config.load({"INFLUENCER_SECRET_KEY": "k" * 40, "GEMINI_SDK": "vertex"})


def test_the_key_is_in_no_description() -> None:
    settings = GeminiSettings(key=KEY)
    read = config.load({"INFLUENCER_SECRET_KEY": "k" * 40, "GEMINI_API_KEY": KEY})
    assert KEY not in repr(settings) + repr(read) + repr(replace(settings, model="x"))


def test_an_sdk_that_is_not_installed_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "influencer.clients.writers.legacy_gemini_sdk", raising=False)
    monkeypatch.setitem(sys.modules, "google.generativeai", None)
    with pytest.raises(WriterError) as caught:
        LegacyGemini(KEY).write_caption(ask())
    assert caught.value.code == "not_installed"
    assert "influencer/requirements/legacy-gemini.txt" in caught.value.fix
    assert (PROJECT / "influencer" / "requirements" / "legacy-gemini.txt").exists()


def test_starting_the_product_imports_no_sdk(tmp_path: Path) -> None:
    code = """
import django, sys
django.setup()
from influencer.clients.writers.choice import SDKS, GeminiSettings, writer_for
for sdk in SDKS:
    writer_for(GeminiSettings(key="AIza", sdk=sdk))
print(*{name.split(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)})
"""
    environment = {
        "DJANGO_SETTINGS_MODULE": "influencer.settings",
        "INFLUENCER_SECRET_KEY": "k" * 40,
        "INFLUENCER_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "django" in loaded and not loaded & HEAVY


def test_a_call_in_time_gives_what_it_returns_or_raises() -> None:
    def fail() -> Any:
        raise LookupError("gone")

    assert within(10, lambda: 7) == 7
    with pytest.raises(LookupError, match="gone"):
        within(10, fail)


def test_a_call_that_hangs_is_left_behind() -> None:
    never = threading.Event()
    try:
        with pytest.raises(TimeIsUp):
            within(0.05, never.wait)
    finally:
        never.set()
