"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import get_resolver

from characters.models import Character, Narrative
from influencer import effective
from influencer.config import PROJECT, SETTABLE
from prompts.models import Prompt
from scheduling.models import Task

DOCS = PROJECT / "docs"


def section(document: str, heading: str) -> str:
    return document.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("file", "record"), [("characters.json", Character), ("scheduler.json", Task), ("prompts.json", Prompt)]
)
def test_the_data_format_lists_the_keys_of_each_file(file: str, record: type) -> None:
    text = section((DOCS / "data-format.md").read_text(), file)
    listed = {key for row in re.findall(r"^\| (`.*?) \|", text, re.M) for key in re.findall(r"`(\w+)`", row)}
    assert listed == set(record().as_json())  # type: ignore[attr-defined]


def test_the_data_format_lists_the_keys_of_nested_objects() -> None:
    text = section((DOCS / "data-format.md").read_text(), "characters.json")
    narratives = re.search(r"`narratives` \| (.*) \|", text)
    settings = re.search(r"`promptSettings` \| (.*) \|", text)
    assert narratives and settings
    assert set(re.findall(r"`(\w+)`", narratives[1])) == set(Narrative().as_json())
    assert set(re.findall(r"`(\w+)`", settings[1])) == set(Character().as_json()["promptSettings"])


def test_the_data_format_lists_the_keys_of_the_settings() -> None:
    text = section((DOCS / "data-format.md").read_text(), "settings.json")
    listed = {key for row in re.findall(r"^\| (`.*?) \|", text, re.M) for key in re.findall(r"`(\w+)`", row)}
    assert listed == {*effective.KEYS.values(), effective.SET_AT}


def test_the_operations_mark_what_the_settings_page_can_set() -> None:
    text = section((DOCS / "operations.md").read_text(), "Settings")
    assert set(re.findall(r"`(\w+)` \*", text)) == {known.variable for known in SETTABLE.values()}


def test_every_api_path_is_documented() -> None:
    api = (DOCS / "api.md").read_text()
    patterns = next(p for p in get_resolver().url_patterns if str(p.pattern) == "api/").url_patterns
    for pattern in patterns:
        path = re.sub(r"\(\?P<\w+>[^)]*\)", "{id}", str(pattern.pattern)).strip("^$/?")
        words = [word for word in path.replace("/?", "").split("/") if word]
        assert all(word in api for word in words), path


def test_links_between_documents_lead_somewhere() -> None:
    for document in [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_no_document_names_a_path_of_this_machine() -> None:
    for document in Path(DOCS).rglob("*.md"):
        assert "/work/" not in document.read_text()
