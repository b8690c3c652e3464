"""`docs/coverage.md` names a test for every button, path, command and file; this checks that it does."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import get_resolver

from influencer.config import PROJECT

TABLE = PROJECT / "docs" / "coverage.md"
APPS = ("characters", "influencer", "monitoring", "prompts", "scheduling")

# The names buttons carry, by tab.
BUTTONS = {
    "Characters": (
        "Add Character",
        "Refresh Models",
        "Edit",
        "Delete",
        "Generate",
        "Train LoRA",
        "Post",
        "Post to X",
    ),
    "Scheduling": ("Run Now", "Add Task", "Pause", "Resume"),
    "Prompts": ("Refresh Prompts", "Delete", "Generate with AI"),
    "Monitoring": ("Refresh Status",),
}
FILES = ("characters.json", "scheduler.json", "prompts.json", "settings.json")


@dataclass(frozen=True)
class Row:
    """One line of the document: what works, and the test that shows it."""

    section: str
    what: str
    where: str
    file: Path
    test: str


@cache
def rows() -> tuple[Row, ...]:
    section, found = "", []
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = re.fullmatch(r"\| `(.+?)` \| (.*?) \| `(tests/\S+?)::(\w+)` \|", line)
        if cells:
            what, where, file, test = cells.groups()
            found.append(Row(section, what, where, PROJECT / file, test))
    return tuple(found)


def rows_of(section: str) -> list[Row]:
    return [row for row in rows() if row.section == section]


@cache
def names_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_line_of_the_tables_can_be_read() -> None:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| `")]
    assert len(lines) == len(rows()) > 50


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.section}: {row.where} {row.what}")
def test_the_named_test_exists(row: Row) -> None:
    assert row.test.startswith("test_")
    assert row.test in names_in(row.file)


@pytest.mark.parametrize(("tab", "name"), [(tab, name) for tab, names in BUTTONS.items() for name in names])
def test_every_button_is_pressed_by_its_name_in_a_browser(tab: str, name: str) -> None:
    proofs = [row for row in rows_of("Buttons") if (row.where, row.what) == (tab, name)]
    assert proofs
    for row in proofs:
        source = row.file.read_text()
        assert "mark.browser" in source
        assert re.search(rf"""["']{re.escape(name)}\b""", source)


def test_every_api_path_has_its_test() -> None:
    api = next(one for one in get_resolver().url_patterns if str(one.pattern) == "api/")
    paths = {_readable(str(one.pattern)) for one in api.url_patterns}
    listed = {row.what.split(" ")[1] for row in rows_of("Paths")}
    assert paths | {"/healthz"} == listed


def _readable(pattern: str) -> str:
    return "/api/" + re.sub(r"\(\?P<\w+>[^)]*\)", "{id}", pattern).strip("^$").removesuffix("/?")


@pytest.mark.parametrize("row", rows_of("Paths"), ids=lambda row: row.what)
def test_the_test_of_a_path_asks_for_it(row: Row) -> None:
    last = next(word for word in reversed(row.what.split(" ")[1].split("/")) if word != "{id}")
    assert last in row.file.read_text()


def test_every_command_has_its_test() -> None:
    ours = {name for name, app in get_commands().items() if str(app).partition(".")[0] in APPS}
    assert ours == {row.what for row in rows_of("Commands")}


@pytest.mark.parametrize("row", rows_of("Commands"), ids=lambda row: row.what)
def test_the_test_of_a_command_calls_it(row: Row) -> None:
    assert re.search(rf"\b{row.what}\b", row.file.read_text())


def test_every_file_has_its_tests() -> None:
    assert set(FILES) == {row.what for row in rows_of("Files")}


@pytest.mark.parametrize("row", rows_of("Files"), ids=lambda row: f"{row.what}: {row.where}")
def test_the_test_of_a_file_names_it(row: Row) -> None:
    assert row.what.removesuffix(".json") in row.file.read_text()
