"""The loss as points on a drawing, and as a few rows of a table."""

from __future__ import annotations

import pytest

from characters.training.curve import BOTTOM, LEFT, MOST_POINTS, MOST_ROWS, RIGHT, TOP, curve


def falling(count: int, steps: int) -> list[list[float]]:
    return [[steps * n // count, 0.2 / n + 0.05] for n in range(1, count + 1)]


def test_it_runs_from_left_to_right_and_down() -> None:
    drawn = curve([[0, 0.2], [50, 0.1], [100, 0.05]], 100)
    assert drawn.path == f"M{LEFT} {TOP} L{(LEFT + RIGHT) // 2} {(TOP + BOTTOM) // 2} L{RIGHT} 93"
    assert drawn.end == (RIGHT, 93)
    assert [level.text for level in drawn.levels] == ["0.2", "0.15", "0.1", "0.05"]
    assert [step.text for step in drawn.steps] == ["0", "50", "100"]
    assert drawn.summary == "The loss falls from 0.2 to 0.05 over 100 steps"
    assert drawn.last == 0.05


def test_an_unfinished_one_leaves_room_for_the_steps_to_come() -> None:
    drawn = curve([[100, 0.3], [600, 0.2]], 1800)
    assert drawn.end is not None
    assert drawn.end[0] == LEFT + (RIGHT - LEFT) // 3 + 1
    assert drawn.steps[-1].text == "1\u202f800"


def test_many_points_are_averaged_and_sampled_for_the_table() -> None:
    loss = falling(400, 20_000)
    drawn = curve(loss, 20_000)
    assert drawn.path.count(" L") < MOST_POINTS
    assert len(drawn.rows) == MOST_ROWS
    assert drawn.rows[0] == tuple(loss[0])
    assert drawn.rows[-1] == tuple(loss[-1])


@pytest.mark.parametrize("loss", [[], [[3, 0.0]], [[3, 0.2]]])
def test_too_little_to_draw_still_has_axes(loss: list[list[float]]) -> None:
    drawn = curve(loss, 40)
    assert len(drawn.levels) == 4
    assert drawn.summary == "No loss has been told"
    assert bool(drawn.path) == bool(loss)


def test_a_rising_loss_is_said_and_one_past_the_last_step_is_drawn() -> None:
    drawn = curve([[1, 0.1], [50, 7.3]], 40)
    assert drawn.summary == "The loss rises from 0.1 to 7.3 over 50 steps"
    assert drawn.end == (RIGHT, 21)
    assert drawn.levels[0].text == "8"


@pytest.mark.parametrize("highest", [0.0021, 0.063, 0.205, 0.31, 0.55, 0.79, 1.4, 3.0])
def test_the_numbers_beside_the_lines_are_short(highest: float) -> None:
    drawn = curve([[1, highest], [2, highest / 2]], 10)
    assert all(len(level.text.replace(".", "").lstrip("0")) <= 2 for level in drawn.levels)
    assert float(drawn.levels[0].text) >= highest
