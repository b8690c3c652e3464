"""The version of the data folder: kept, refused or converted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from influencer import dataformat
from influencer.errors import Unavailable


def write(data: Path, content: object) -> None:
    (data / "format.json").write_text(json.dumps(content))


def test_a_new_folder_gets_this_programs_version(data_dir: Path) -> None:
    assert dataformat.check(data_dir) is None
    assert json.loads((data_dir / "format.json").read_text()) == {"version": dataformat.VERSION}


def test_the_same_version_is_left_alone(data_dir: Path) -> None:
    write(data_dir, {"version": dataformat.VERSION, "note": "mine"})
    assert dataformat.check(data_dir) is None
    assert "mine" in (data_dir / "format.json").read_text()


def test_a_newer_version_is_refused_and_untouched(data_dir: Path) -> None:
    write(data_dir, {"version": dataformat.VERSION + 1})
    with pytest.raises(Unavailable, match="newer version of this program") as raised:
        dataformat.check(data_dir)
    assert raised.value.code == "newer_format"
    assert json.loads((data_dir / "format.json").read_text())["version"] == dataformat.VERSION + 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "new"}', '{"other": 1}'])
def test_a_damaged_version_file_is_one_sentence(data_dir: Path, content: str) -> None:
    (data_dir / "format.json").write_text(content)
    with pytest.raises(Unavailable, match=r"format\.json can't be read") as raised:
        dataformat.check(data_dir)
    assert raised.value.code == "format_damaged"
    assert (data_dir / "format.json").read_text() == content


def test_an_older_version_is_copied_then_converted_step_by_step(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(data: Path) -> None:
        (data / "characters.json").write_text("[2]")

    def again(data: Path) -> None:
        assert (data / "characters.json").read_text() == "[2]"
        (data / "characters.json").write_text("[3]")

    monkeypatch.setattr(dataformat, "VERSION", 3)
    monkeypatch.setattr(dataformat, "CONVERTERS", {1: rename, 2: again})
    write(data_dir, {"version": 1})
    (data_dir / "characters.json").write_text("[1]")

    backup = dataformat.check(data_dir)

    assert backup
    assert (backup / "characters.json").read_text() == "[1]"
    assert json.loads((backup / "format.json").read_text()) == {"version": 1}
    assert (data_dir / "characters.json").read_text() == "[3]"
    assert dataformat.read(data_dir) == 3


def test_a_conversion_that_fails_goes_on_where_it_stopped(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def second(data: Path) -> None:
        done.append(2)
        if done.count(2) == 1:
            raise OSError("disk full")

    monkeypatch.setattr(dataformat, "VERSION", 3)
    monkeypatch.setattr(dataformat, "CONVERTERS", {1: lambda data: done.append(1), 2: second})
    write(data_dir, {"version": 1})
    with pytest.raises(OSError, match="disk full"):
        dataformat.check(data_dir)
    dataformat.check(data_dir)
    assert done == [1, 2, 2]
    assert dataformat.read(data_dir) == 3
