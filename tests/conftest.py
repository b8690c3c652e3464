"""Fixtures every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

from tests.browsing import browser, chromium_path, open_page, owner_state, page, up_server
from tests.environment import FOLDER

__all__ = ["browser", "chromium_path", "open_page", "owner_state", "page", "up_server"]

MADE_BY_MIGRATE = frozenset({"auth_permission", "django_content_type", "django_migrations"})


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Keep tests that share a running product in one process of a run on several cores; the longest begin."""
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        if "up_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("up_server"))
        elif item.get_closest_marker("drill") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    yield
    items.sort(key=_rank)  # pytest-django has an order of its own


def _rank(item: pytest.Item) -> int:
    """What one process has to do alone must not be left to the end."""
    group = item.get_closest_marker("xdist_group")
    return 2 if group is None else int(group.args[0] != "up_server")


@pytest.fixture(autouse=True)
def nothing_slow_for_its_own_sake(settings: Any) -> None:
    """Passwords that are hard to guess and a list of every static file, made anew for every test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="session", autouse=True)
def quickly_emptied_tables() -> Iterator[None]:
    """After a test with transactions of its own Django would make every permission anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: _empty_tables())
        yield


def _empty_tables() -> None:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    connection.ops.execute_sql_flush(
        connection.ops.sql_flush(no_style(), sorted(set(names) - MADE_BY_MIGRATE))
    )


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
