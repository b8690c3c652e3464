"""Reading and writing JSON text."""

from __future__ import annotations

import orjson
import pytest

from influencer.errors import Invalid
from influencer.jsondb import text

ROUND_TRIPS = [
    "ünïcødé 🦊 עברית \u2028",
    2**64 - 1,
    -(2**63),
    1.1,
    5e-324,
    1.7976931348623157e308,
    -0.0,
    '\\ " \n \x00',
    [None, True, {"a": []}],
]


def test_a_list_is_read_as_it_stands() -> None:
    assert text.parse(b'[{"id": "a", "n": 1}]', list) == [{"id": "a", "n": 1}]


def test_written_text_is_indented_by_two_and_ends_with_a_newline() -> None:
    assert text.render([{"id": "a"}]) == b'[\n  {\n    "id": "a"\n  }\n]\n'


@pytest.mark.parametrize("value", ROUND_TRIPS)
def test_values_come_back_unchanged(value: object) -> None:
    assert text.parse(text.render([value]), list) == [value]


def test_a_byte_order_mark_is_ignored() -> None:
    assert text.parse(b"\xef\xbb\xbf[]", list) == []


@pytest.mark.parametrize(
    ("content", "shape", "reason", "line", "column"),
    [
        (b"", list, "The file is empty.", 0, 0),
        (b" \n\t\n", list, "The file is empty.", 0, 0),
        (b"\xef\xbb\xbf", list, "The file is empty.", 0, 0),
        (b"{}", list, "The file should hold a list [ … ] and holds something else.", 1, 1),
        (b"null", list, "The file should hold a list [ … ] and holds something else.", 1, 1),
        (b"[]", dict, "The file should hold an object { … } and holds something else.", 1, 1),
        (b'[\n  {"a": 1},\n]', list, "Trailing comma is not allowed.", 2, 11),
        (b'[\n  {"a": 1', list, "Unexpected end of data.", 2, 10),
        (b'["a",\n "b\xff"]', list, "A character is not valid UTF-8.", 2, 4),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(
    content: bytes, shape: type, reason: str, line: int, column: int
) -> None:
    with pytest.raises(text.Unreadable) as caught:
        text.parse(content, shape)
    assert (caught.value.reason, caught.value.line, caught.value.column) == (reason, line, column)


@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "1" * 40])
def test_a_number_that_would_lose_digits_is_refused_on_reading(number: str) -> None:
    with pytest.raises(text.Unreadable, match="longer than 64 bit") as caught:
        text.parse(f'[\n{{"n": {number}}}]'.encode(), list)
    assert caught.value.line == 2


@pytest.mark.parametrize("digits", ["18446744073709551616", "9" * 50, "-" + "1" * 19])
def test_many_digits_in_a_text_are_no_number(digits: str) -> None:
    assert text.parse(orjson.dumps([digits]), list) == [digits]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**64, {"a": [{"b": float("nan")}]}, {1: 2}, "\ud800", {1, 2}]
)
def test_what_json_cannot_carry_is_refused_before_writing(value: object) -> None:
    with pytest.raises(Invalid, match="can't be stored as JSON"):
        text.pure(value)


def test_none_beside_other_numbers_is_fine() -> None:
    assert text.pure({"a": None, "b": 1.5}) == {"a": None, "b": 1.5}


def test_a_pure_copy_shares_nothing_with_its_source() -> None:
    source = {"a": {"b": [1]}}
    copied = text.pure(source)
    copied["a"]["b"].append(2)
    assert source == {"a": {"b": [1]}}
