"""Charts as numbers, and the SVG that is made of them."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string

from influencer.web import charts
from influencer.web.charts import Chart, Series, curves, stacked

DAYS = ["Fri 8", "Sat 9", "Sun 10"]


def drawn(chart: Chart) -> str:
    return render_to_string("components/chart.html", {"chart": chart})


def bars() -> Chart:
    series = [Series([6, 5, 0]), Series([0, 1, 0], "late"), Series([0, 2, 0], "fail")]
    return stacked("Posts in 3 days", DAYS, series)


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (3, 4), (7, 8), (8, 8), (11, 20), (35, 40), (99, 100), (1234, 2000)]
)
def test_a_scale_ends_at_a_round_number_above_all(most: float, top: float) -> None:
    assert charts.nice(most) == top


def test_bars_stand_on_each_other() -> None:
    first, low, middle, high = bars().bars
    assert (first.css, low.css, middle.css, high.css) == ("", "", "late", "fail")
    assert low.y > middle.y > high.y
    assert middle.y + middle.height <= low.y
    assert first.height > low.height, "6 is more than 5"
    assert {bar.x for bar in (low, middle, high)} == {low.x}
    assert high.y >= charts.TOP


def test_a_scale_has_three_levels_from_the_bottom_up() -> None:
    levels = bars().levels
    assert [level.text for level in levels] == ["0", "4", "8"]
    assert [level.y for level in levels] == [144, 79, 14]


def test_a_line_leaves_out_what_is_missing_and_ends_with_a_dot() -> None:
    chart = curves("Times", DAYS, [Series([None, None, 3], "faint"), Series([1.5, None, 2])], unit=" s")
    faint, half = chart.lines
    assert (faint.css, faint.end) == ("faint", None)
    assert half.path.count("L") == 1
    assert half.path.startswith("M")
    assert half.path.endswith(f"{half.end[0]:g} {half.end[1]:g}")  # type: ignore[index]
    assert [level.text for level in chart.levels] == ["0 s", "2 s", "4 s"]


def test_nothing_at_all_is_no_line() -> None:
    assert curves("Times", DAYS, [Series([None, None, None])]).lines == []


def test_of_many_labels_some_are_shown_the_last_always() -> None:
    shown = stacked("Posts", [str(day) for day in range(30)], [Series([0] * 30)]).labels
    assert len(shown) <= charts.MOST_LABELS
    assert shown[-1].text == "29"
    assert len({int(b.text) - int(a.text) for a, b in zip(shown, shown[1:], strict=False)}) == 1


def test_the_drawing_says_what_it_is_and_has_no_style() -> None:
    svg = drawn(bars())
    assert 'role="img" aria-label="Posts in 3 days"' in svg
    assert svg.count("<rect") == 4
    assert 'class="bar late"' in svg
    assert "style" not in svg
    assert re.findall(r'text-anchor="middle">([^<]+)<', svg) == DAYS


def test_a_drawn_line_is_a_path_with_a_dot_at_its_end() -> None:
    svg = drawn(curves("Times", DAYS, [Series([1, 2, 3])]))
    assert 'class="line "' in svg
    assert svg.count("<circle") == 1
