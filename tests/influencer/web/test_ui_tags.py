"""Template tags: moments in words, fields, chips, icons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone

from influencer.web import moments

NOW = datetime(2026, 5, 14, 16, 0, tzinfo=UTC)


def render(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(minutes=12, seconds=59), "12 min ago"),
        (timedelta(hours=3, minutes=2), "3 h ago"),
        (timedelta(hours=16, minutes=30), "yesterday"),
        (timedelta(days=2), "2 d ago"),
        (timedelta(days=30), "14 Apr"),
        (timedelta(days=400), "9 Apr 2025"),
        (timedelta(seconds=-30), "in 30 s"),
        (timedelta(minutes=-5), "in 5 min"),
        (timedelta(hours=-2), "today 18:00"),
        (timedelta(hours=-16, minutes=-30), "tomorrow 08:30"),
        (timedelta(days=-2), "Sat 16:00"),
        (timedelta(days=-20), "3 Jun, 16:00"),
    ],
)
def test_a_moment_is_told_as_shortly_as_stays_clear(back: timedelta, words: str) -> None:
    assert moments.relative(NOW - back, NOW) == words


def test_shortly_after_midnight_an_hour_ago_is_not_yesterday() -> None:
    now = datetime(2026, 5, 14, 0, 30, tzinfo=UTC)
    assert moments.relative(now - timedelta(hours=2), now) == "2 h ago"


def test_days_turn_in_the_current_zone() -> None:
    with timezone.override("Asia/Tokyo"):
        assert moments.relative(NOW + timedelta(hours=2), NOW) == "today 03:00"
        assert moments.exact(NOW) == "15 May 2026, 01:00:00 Asia/Tokyo"


def test_when_has_the_exact_time_on_hover() -> None:
    html = render("{% when moment %}", moment=NOW)
    assert 'datetime="2026-05-14T16:00:00+00:00"' in html
    assert 'title="14 May 2026, 16:00:00 UTC"' in html
    assert render('{% when moment "never" %}', moment=None) == "never"


def test_an_icon_is_inline_and_silent() -> None:
    html = render('{% icon "plus" "icon ok" %}')
    assert html.startswith('<svg class="icon ok"')
    assert 'aria-hidden="true"' in html
    with pytest.raises(KeyError):
        render('{% icon "no-such-icon" %}')


def test_a_chip_escapes_its_text() -> None:
    assert "&lt;b&gt;" in render('{% chip text "ok" "check" %}', text="<b>")


def test_thousands_are_grouped_by_a_thin_space() -> None:
    assert render("{{ 1204|grouped }} {{ nothing|grouped }}", nothing=None) == "1\u202f204 "


class Sample(forms.Form):
    name = forms.CharField(help_text="As on the profile.")
    model = forms.ChoiceField(choices=[("a", "A")])
    active = forms.BooleanField(required=False)
    shape = forms.ChoiceField(choices=[("1", "1:1"), ("2", "4:5")], widget=forms.RadioSelect)


def test_a_field_ties_label_control_and_help_together() -> None:
    html = render("{% field form.name %}", form=Sample())
    assert '<label for="id_name">Name</label>' in html
    assert 'aria-describedby="id_name_helptext"' in html
    assert '<p class="help" id="id_name_helptext">As on the profile.</p>' in html


def test_the_error_takes_the_place_of_the_help() -> None:
    html = render("{% field form.name %}", form=Sample({"name": ""}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name_error"' in html
    assert 'id="id_name_error"' in html
    assert "As on the profile." not in html


def test_each_kind_of_field_has_its_shape() -> None:
    form = Sample()
    assert '<span class="select"><select' in render("{% field form.model %}", form=form)
    assert '<label class="check"><input type="checkbox"' in render("{% field form.active %}", form=form)
    assert 'role="switch"' in render('{% field form.active "switch" %}', form=form)
    assert render("{% field form.shape %}", form=form).count('type="radio"') == 2


def test_a_locked_field_says_what_fixes_it() -> None:
    html = render('{% field form.name locked="COMFYUI_URL" %}', form=Sample())
    assert "readonly" in html
    assert "Fixed by <code>COMFYUI_URL</code>" in html


def test_any_other_word_becomes_an_attribute() -> None:
    assert 'hx-get="/x/"' in render('{% field form.name hx_get="/x/" %}', form=Sample())
