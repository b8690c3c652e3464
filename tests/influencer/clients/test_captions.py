"""Captions: counting and limits as the platforms have them."""

from __future__ import annotations

import pytest

from influencer.clients.captions import bare, check, clean, count, fitting


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("", 0),
        ("Hello, world! \N{WAVING HAND SIGN}", 16),
        ("see example.com now", 31),
        ("https://example.com/a/very/long/path/that/goes/on/and/on/and/on?and=on", 23),
        ("日本語", 6),
        ("cafe\N{COMBINING ACUTE ACCENT}", 4),
        ("\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}", 2),
        ("a\r\nb", 3),
    ],
)
def test_x_counts_by_weight(text: str, used: int) -> None:
    counted = count("x", text)
    assert (counted.used, counted.limit, counted.left) == (used, 280, 280 - used)


def test_instagram_counts_characters() -> None:
    counted = count("instagram", "Morgen früh \N{WAVING HAND SIGN}\r\n")
    assert (counted.used, counted.limit) == (13, 2200)


def test_a_good_caption_has_no_findings() -> None:
    assert check("instagram", "Morning light #harbour @luna", "A woman at a harbour") == []
    assert check("x", "Morning light", "A woman at a harbour") == []


@pytest.mark.parametrize(("platform", "limit"), [("instagram", 2200), ("x", 280)])
def test_the_limit_itself_fits_and_one_more_does_not(platform: str, limit: int) -> None:
    assert check(platform, "a" * limit) == []
    (finding,) = check(platform, "a" * (limit + 1))
    assert (finding.level, finding.code) == ("error", "caption_too_long")
    name = {"instagram": "Instagram", "x": "X"}[platform]
    assert finding.message == f"Caption is 1 character too long for {name}."


def test_large_numbers_are_grouped() -> None:
    (finding,) = check("instagram", "a" * 4200)
    assert finding.message == "Caption is 2\N{THIN SPACE}000 characters too long for Instagram."


def test_more_than_five_hashtags_are_a_warning_more_than_thirty_an_error() -> None:
    tags = [f"#tag{number}" for number in range(31)]
    assert check("instagram", " ".join(tags[:5])) == []
    assert [f.code for f in check("instagram", " ".join(tags[:6]))] == ["many_hashtags"]
    assert [f.level for f in check("instagram", " ".join(tags[:30]))] == ["warning"]
    assert [(f.level, f.code) for f in check("instagram", "".join(tags))] == [("error", "too_many_hashtags")]


def test_more_than_twenty_mentions_are_an_error() -> None:
    names = [f"@person.{number}" for number in range(21)]
    assert check("instagram", " ".join(names[:20]) + " luna@example.com") == []
    assert [f.code for f in check("instagram", " ".join(names))] == ["too_many_mentions"]


def test_hashtags_are_free_on_x() -> None:
    assert check("x", " ".join(f"#t{number}" for number in range(20))) == []


def test_a_link_on_x_is_a_warning_about_its_price() -> None:
    (finding,) = check("x", "new set on example.com")
    assert (finding.level, finding.code) == ("warning", "link_costs")
    assert "$0.20" in finding.message
    assert check("instagram", "new set on example.com") == []


def test_x_allows_one_cashtag() -> None:
    assert check("x", "$TSLA costs $20 in US$") == []
    assert [f.code for f in check("x", "$TSLA and $AAPL")] == ["too_many_cashtags"]


@pytest.mark.parametrize("platform", ["instagram", "x"])
def test_alt_text_has_a_thousand_characters(platform: str) -> None:
    assert check(platform, "a", "b" * 1000) == []
    (finding,) = check(platform, "a", "b" * 1002)
    assert (finding.code, finding.message) == ("alt_text_too_long", "Alt text is 2 characters too long.")


@pytest.mark.parametrize("text", ["bell\x07", "half \ud83d", "\uffff"])
def test_characters_that_can_not_be_sent_are_an_error(text: str) -> None:
    assert [f.code for f in check("x", text)] == ["unprintable"]
    assert [f.code for f in check("instagram", "a", text)] == ["unprintable"]


def test_a_text_is_sent_with_plain_line_ends_and_nothing_around() -> None:
    assert clean("\ufeff a\r\nb\rc\n\n") == "a\nb\nc"
    assert clean("half \ud83d pair") == "half  pair"


def test_errors_come_before_warnings() -> None:
    findings = check("x", "example.com $TSLA $AAPL " + "a" * 300)
    assert [f.level for f in findings] == ["error", "error", "warning"]


def test_a_caption_is_recognised_in_what_x_makes_of_it() -> None:
    ours = "Look:  example.com and https://example.org/x?y=1\ncafe\N{COMBINING ACUTE ACCENT}"
    theirs = "Look: https://t.co/abc and https://t.co/def\ncafé https://t.co/ghi"
    assert bare(ours) == bare(theirs) == "Look: and café"


@pytest.mark.parametrize(
    ("platform", "caption", "fits", "too_much"),
    [
        ("x", "a" * 285, "a" * 280, "a" * 5),
        ("x", "日" * 141, "日" * 140, "日"),
        ("x", "👩‍👩‍👧" * 141, "👩‍👩‍👧" * 140, "👩‍👩‍👧"),
        (
            "x",
            "a" * 270 + " https://example.com/" + "b" * 40,
            "a" * 270 + " ",
            "https://example.com/" + "b" * 40,
        ),
        ("x", "short", "short", ""),
        ("x", "", "", ""),
        ("instagram", "é" * 2_203, "é" * 2_200, "é" * 3),
        ("instagram", " kept ", "kept", ""),
    ],
)
def test_a_caption_is_cut_where_the_platform_has_no_more_room(
    platform: str, caption: str, fits: str, too_much: str
) -> None:
    assert fitting(platform, caption) == (fits, too_much)
