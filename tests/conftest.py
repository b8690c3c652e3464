"""Fixtures every test may use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browsing import browser, chromium_path, open_page, owner_state, page, up_server
from tests.environment import FOLDER

__all__ = ["browser", "chromium_path", "open_page", "owner_state", "page", "up_server"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a running product in one process of a run on several cores."""
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        if "up_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("up_server"))
        elif item.get_closest_marker("drill") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any) -> Path:
    """An empty data folder of the test's own."""
    folder = tmp_path / "data"
    for name in ("media", "run"):
        (folder / name).mkdir(parents=True)
    settings.DATA_DIR = folder
    return folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file, as in the product: one in memory knows no waiting for another thread's lock."""
    from django.db import connections

    connections["default"].settings_dict["TEST"]["NAME"] = str(FOLDER / "test.sqlite3")
