"""The Chromium the browser tests drive: the one that is installed, else one that gets installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# The shell has the same engine and no window to draw: the tests take half the processor time.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHTS = ("chromium_headless_shell-*/*/*headless*shell", "chromium-*/chrome-linux*/chrome")


def find() -> Path | None:
    """An installed Chromium: CHROMIUM_PATH, then the system's, then Playwright's own."""
    if named := os.environ.get("CHROMIUM_PATH"):
        return Path(named) if Path(named).exists() else None
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    return _playwrights_own()


def find_or_install() -> Path | None:
    """The Chromium to use; None when none could be had, and then the browser tests fail."""
    if found := find():
        return found
    print("Installing Chromium for the browser tests …", file=sys.stderr, flush=True)  # noqa: T201
    for commands in _ways():
        if all(_run(command) for command in commands) and (found := find()):
            return found
    return None


def _ways() -> list[list[list[str]]]:
    playwright = [[sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return [playwright]
    install = ["apt-get", "install", "--yes", "--no-install-recommends", SHELL]
    return [[["apt-get", "update"], install], playwright]


def _run(command: Sequence[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        print(f"  {command[0]} failed: {''.join(last)}", file=sys.stderr)  # noqa: T201
    return done.returncode == 0


def _playwrights_own() -> Path | None:
    root = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next((sorted(found)[-1] for names in PLAYWRIGHTS if (found := list(root.glob(names)))), None)
