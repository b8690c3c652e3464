"""What the environment may say, and the sentence for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from influencer import config
from influencer.config import ConfigError

KEY = "k" * 40


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INFLUENCER_PORT", "²"),
        ("INFLUENCER_PORT", "٣"),
        ("INFLUENCER_PORT", "0"),
        ("INFLUENCER_PORT", "65536"),
        ("INFLUENCER_LOG_LEVEL", "loud"),
        ("INFLUENCER_SANDBOX_SPEED", "fast"),
        ("INFLUENCER_SANDBOX_SPEED", "0"),
        ("INFLUENCER_SANDBOX_SPEED", "-1"),
        ("INFLUENCER_SANDBOX_SPEED", "nan"),
        ("INFLUENCER_SANDBOX_SPEED", "10001"),
    ],
)
def test_what_cant_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is '{value}'; it m"):
        config.load({"INFLUENCER_SECRET_KEY": KEY, name: value})


def test_log_level_and_speed_are_read_from_the_project_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("INFLUENCER_LOG_LEVEL", "INFLUENCER_SANDBOX_SPEED"):
        monkeypatch.delenv(name)
    tmp_path.joinpath(".env").write_text("INFLUENCER_LOG_LEVEL=debug\nINFLUENCER_SANDBOX_SPEED=2.5\n")
    read = config.load(project=tmp_path)
    assert (read.log_level, read.sandbox_speed) == ("DEBUG", 2.5)


def test_the_log_level_may_be_in_capitals() -> None:
    assert config.load({"INFLUENCER_SECRET_KEY": KEY, "INFLUENCER_LOG_LEVEL": "ERROR"}).log_level == "ERROR"
