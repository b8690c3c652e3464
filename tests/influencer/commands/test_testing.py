"""`manage.py test`: what it hands to pytest, and where its browser comes from."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from influencer import browser
from influencer.management.commands import test as command

SHELL = "chromium_headless_shell-{}/chrome-headless-shell-linux64/chrome-headless-shell"


def handed(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """The words pytest is started with."""
    found: list[str] = []
    monkeypatch.setenv("TMPDIR", "")
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(browser, "find_or_install", lambda: None)
    monkeypatch.setattr("os.execv", lambda path, argv: found.extend(argv))
    command.Command().run_from_argv(["manage.py", "test", *words])
    return found[1:]


@pytest.mark.parametrize(("cores", "processes"), [(1, "2"), (2, "3"), (8, "12")])
def test_it_runs_on_all_cores(monkeypatch: pytest.MonkeyPatch, cores: int, processes: str) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)))
    assert handed(monkeypatch) == ["-m", "pytest", "-n", processes, "--dist", "loadgroup"]


def test_arguments_are_pytests(monkeypatch: pytest.MonkeyPatch) -> None:
    words = handed(monkeypatch, "tests/influencer", "-k", "config", "--version")
    assert words[6:] == ["tests/influencer", "-k", "config", "--version"]


@pytest.mark.parametrize("chosen", ["-n0", "-n=3", "--numprocesses=2", "--pdb"])
def test_a_chosen_number_of_processes_is_kept(monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    assert handed(monkeypatch, chosen) == ["-m", "pytest", chosen]


@pytest.mark.parametrize(("free", "chosen", "place"), [(4, "", "{}"), (4, "/own", "/own"), (2, "", "")])
def test_temporary_files_lie_in_memory_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, chosen: str, place: str
) -> None:
    monkeypatch.setattr(command, "MEMORY", tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free * 1024**3))
    monkeypatch.setenv("TMPDIR", chosen)
    if not chosen:
        monkeypatch.delenv("TMPDIR")
    command.keep_files_in_memory()
    assert os.environ.get("TMPDIR", "") == place.format(tmp_path)


def test_an_installed_browser_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: "/opt/chrome" if name == "google-chrome" else None)
    assert browser.find() == Path("/opt/chrome")


def test_a_named_browser_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "chrome").touch()
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "chrome"))
    assert browser.find() == tmp_path / "chrome"
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "gone"))
    assert browser.find() is None


def test_playwrights_own_browser_is_the_last_resort(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    assert browser.find() is None
    for name in ("chromium-1200/chrome-linux64/chrome", SHELL.format(1200), SHELL.format(1201)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
        assert browser.find() == tmp_path / name


def test_without_one_the_system_installs_it_else_playwright(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def run(words: list[str]) -> bool:
        ran.append(" ".join(words))
        return "playwright" in words

    monkeypatch.setattr(browser, "find", lambda: Path("/own/chrome") if len(ran) == 2 else None)
    monkeypatch.setattr(browser, "_run", run)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert browser.find_or_install() == Path("/own/chrome")
    assert ran[0] == "apt-get update"
    assert ran[1].endswith("playwright install --only-shell chromium")
    assert "Installing Chromium" in capsys.readouterr().err
