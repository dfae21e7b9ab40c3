"""Which steps a chart shows: zooming, moving, following."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.tui.viewport import LAST_THIRD, Viewport


def test_at_first_everything_is_shown_and_stays_shown() -> None:
    assert Viewport().whole
    assert Viewport().window(0, 1000) == (0, 1000)
    assert Viewport().pan(1, 0, 1000) == Viewport()
    assert Viewport().reach(-50, 0, 1000) == Viewport()


def test_zooming_in_keeps_the_newest_and_follows_it() -> None:
    closer = Viewport().zoom(0.5, None, 0, 1000)
    assert closer.following
    assert closer.window(0, 1000) == (500, 1000)
    assert closer.window(0, 2000) == (1000, 2000)


def test_zooming_around_a_step_keeps_its_place() -> None:
    closer = Viewport().zoom(0.5, 400, 0, 1000)
    assert closer.window(0, 1000) == (200, 700)
    assert closer.window(0, 5000) == (200, 700)
    assert closer.zoom(2, 400, 0, 1000) == Viewport()


def test_panning_stops_at_both_ends_and_the_right_one_follows() -> None:
    view = Viewport(fixed=(200, 400))
    assert view.pan(0.5, 0, 1000).window(0, 1000) == (300, 500)
    assert view.pan(-9, 0, 1000).window(0, 1000) == (0, 200)
    assert view.pan(9, 0, 1000) == Viewport(share=0.2)


def test_the_last_third_moves_on() -> None:
    view = Viewport(share=LAST_THIRD)
    assert view.window(0, 900) == pytest.approx((600, 900))
    assert view.window(0, 1800) == pytest.approx((1200, 1800))
    assert view.pan(-0.5, 0, 900).window(0, 900) == pytest.approx((450, 750))


def test_a_step_outside_is_reached_with_the_least_move() -> None:
    view = Viewport(fixed=(200, 400))
    assert view.reach(300, 0, 1000) == view
    assert view.reach(150, 0, 1000).window(0, 1000) == (150, 350)
    assert view.reach(500, 0, 1000).window(0, 1000) == (300, 500)


@given(
    st.lists(st.tuples(st.sampled_from(["in", "out", "left", "right"]), st.floats(0, 1)), max_size=12),
    st.floats(min_value=20, max_value=1e7),
)
def test_whatever_is_done_the_window_lies_inside_and_has_a_width(moves: list[tuple[str, float]], last: float) -> None:
    view = Viewport()
    for move, part in moves:
        if move in ("in", "out"):
            view = view.zoom(0.7 if move == "in" else 1 / 0.7, part * last, 0, last)
        else:
            view = view.pan(part if move == "right" else -part, 0, last)
        low, high = view.window(0, last)
        assert -1e-6 * last <= low < high <= last * 1.000001
        assert high - low >= min(11.9, last)
