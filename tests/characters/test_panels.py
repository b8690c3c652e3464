"""What other apps show on a character: asked once for a whole page, known by name only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from characters import panels

ASKED: list[list[str]] = []


def numbers(ids: Sequence[str]) -> dict[str, int]:
    ASKED.append(list(ids))
    return {pk: number for number, pk in enumerate([*ids, "somebody else"])}


def nothing(ids: Sequence[str]) -> dict[str, Any]:
    return {}


def context(*arguments: Any) -> dict[str, Any]:
    return {"count": len(arguments)}


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, empty in {"_panels": {}, "_sections": {}, "_samples": [], "_delete_listeners": []}.items():
        monkeypatch.setattr(panels, name, empty)
    ASKED.clear()


def section(order: int, slug: str) -> panels.Section:
    return panels.Section(order, slug, slug.title(), f"{slug}.html", f"{__name__}.context")


def test_a_provider_is_asked_once_for_all_cards_and_each_gets_its_part() -> None:
    panels.register_panel("number", f"{__name__}.numbers")
    panels.register_panel("none", f"{__name__}.nothing")
    assert panels.collect(["a", "b"]) == {"a": {"number": 0}, "b": {"number": 1}}
    assert ASKED == [["a", "b"]]


def test_without_providers_every_card_has_no_parts() -> None:
    assert panels.collect(["a"]) == {"a": {}}
    assert panels.collect([]) == {}


def test_sections_stand_in_their_order_each_with_its_context() -> None:
    for order, slug in ((3, "posts"), (1, "gallery"), (2, "story")):
        panels.register_section(section(order, slug))
    panels.register_section(section(4, "gallery"))
    found = panels.sections("request", "character")
    assert [filled.section.slug for filled in found] == ["story", "posts", "gallery"]
    assert found[0].context == {"count": 2}


def test_a_sample_maker_registered_twice_makes_once() -> None:
    for _ in range(2):
        panels.register_sample(f"{__name__}.nothing")
    assert panels.sample_makers() == [nothing]
