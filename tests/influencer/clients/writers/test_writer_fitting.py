"""A text is made to fit: hashtags go first, then sentences, then words."""

from __future__ import annotations

import pytest

from influencer.clients import captions
from influencer.clients.platform import Platform
from influencer.clients.writers.fitting import DoesNotFit, fit, hashtag, short_alt_text, shorten

X, INSTAGRAM = Platform.X, Platform.INSTAGRAM


def test_a_caption_that_fits_is_left_alone_and_gets_its_hashtags() -> None:
    assert fit(INSTAGRAM, "A quiet day.", ["#sea", "sun set"]).caption == "A quiet day.\n\n#sea #sunset"
    assert fit(X, "A quiet day.", ["sea", "sunset", "calm"]).caption == "A quiet day. #sea #sunset"


def test_hashtags_go_before_words_do() -> None:
    text = "word " * 54 + "endings."
    fitted = fit(X, text, ["one", "two"])
    assert fitted.caption == text and fitted.hashtags == ()
    assert fit(X, text[:-6] + ".", ["one", "two"]).hashtags == ("one",)


def test_a_hashtag_already_in_the_text_does_not_come_twice() -> None:
    fitted = fit(INSTAGRAM, "By the #Sea.", ["sea", "SEA", "wind", "Wind"])
    assert fitted.caption == "By the #Sea.\n\n#wind" and fitted.hashtags == ("wind",)


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("#sea", "sea"),
        (" # sun set! ", "sunset"),
        ("2026", ""),
        ("#", ""),
        ("日本", "日本"),
        ("<b>", "b"),
        ("_", ""),
    ],
)
def test_hashtags_are_what_a_platform_would_link(given: str, tag: str) -> None:
    assert hashtag(given) == tag


def test_whole_sentences_are_kept_when_they_are_half_of_the_room() -> None:
    text = "A first sentence that is quite long indeed, longer than one would think. " * 5
    short = shorten(X, text)
    assert short.endswith("think.") and captions.count(X, short).left >= 0
    assert len(short) > 200


def test_words_are_cut_when_no_sentence_ends_in_time() -> None:
    text = "Short. " + "and then we walked on and on " * 20
    short = shorten(X, text)
    assert short.endswith("…") and 250 < captions.count(X, short).used <= 280
    assert short[:-1] in text


def test_a_text_without_spaces_is_cut_all_the_same() -> None:
    short = shorten(X, "静かな森の中で" * 60)
    assert short.endswith("…") and 270 < captions.count(X, short).used <= 280


def test_japanese_sentences_end_without_a_space() -> None:
    assert shorten(X, "森の中はとても静かでした。" * 20).endswith("でした。")


def test_emojis_weigh_what_x_says() -> None:
    short = shorten(X, "🌙" * 200)
    assert captions.count(X, short).left >= 0 and short.startswith("🌙" * 100)


def test_instagram_takes_2200_characters() -> None:
    fitted = fit(INSTAGRAM, "A sentence of the story. " * 400, ["one"])
    assert 2100 < len(fitted.caption) <= 2200 and fitted.caption.endswith("story.")


def test_a_long_alt_text_ends_at_a_word() -> None:
    short = short_alt_text("a wooden pier " * 200)
    assert len(short) <= 1000 and short.endswith(("wooden…", "pier…", "a…"))


@pytest.mark.parametrize(
    ("platform", "text", "says"),
    [
        (X, "Buy $AAA and $BBB now", "cashtag"),
        (INSTAGRAM, " ".join(f"#tag{number}" for number in range(31)), "hashtags"),
        (INSTAGRAM, " ".join(f"@friend{number}" for number in range(21)), "mentions"),
        (INSTAGRAM, "a\x00b", "can't be shown"),
    ],
)
def test_what_no_shortening_mends_is_refused(platform: Platform, text: str, says: str) -> None:
    with pytest.raises(DoesNotFit, match=says):
        fit(platform, text, [])


@pytest.mark.parametrize("platform", [X, INSTAGRAM])
@pytest.mark.parametrize(
    "text", ["word " * 5000, "x" * 30_000, "Hm. " * 3000, "https://example.org/" + "a" * 4000]
)
def test_whatever_comes_fits_by_the_publishers_own_count(platform: Platform, text: str) -> None:
    fitted = fit(platform, text, ["one", "two", "three"], alt_text=text)
    assert [f for f in captions.check(platform, fitted.caption, fitted.alt_text) if f.level == "error"] == []
    assert fitted.caption
