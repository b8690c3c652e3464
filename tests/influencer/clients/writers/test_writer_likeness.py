"""Texts that say the same are told by their words."""

from __future__ import annotations

import pytest

from influencer.clients.writers.likeness import Seen, alike


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("on a pier at dusk", "At dusk, on a PIER.", True),
        ("on a pier at dusk", "on a pier at dawn", False),
        ("luna on a long pier in the rain at night", "luna on a pier in the rain at night", True),
        ("in a vault", "on a pier", False),
        ("", "", True),
    ],
)
def test_likeness_is_a_matter_of_words(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same


def test_what_was_seen_does_not_come_again() -> None:
    seen = Seen(["in a vault"])
    assert [seen.add(text) for text in ("In a vault!", "on a pier", "a pier, on")] == [False, True, False]
