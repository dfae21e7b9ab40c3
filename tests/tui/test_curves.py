"""Curves in bounded memory, and axes with round numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.tui.curves import (
    LIMIT,
    SEGMENTS,
    Curve,
    Smoother,
    averaged,
    cut,
    envelope,
    inside,
    linear_ticks,
    log10,
    log_ticks,
)

Points = list[tuple[float, float]]


@given(st.lists(st.floats(min_value=0, max_value=10), min_size=1, max_size=300), st.integers(min_value=1, max_value=40))
def test_envelope_has_two_points_a_column_and_keeps_the_extremes(values: list[float], columns: int) -> None:
    points: Points = [(float(x), y) for x, y in enumerate(values)]
    thinned = envelope(points, columns, 0.0, float(len(points)))
    assert len(thinned) <= max(2 * columns, 2)
    assert [x for x, _ in thinned] == sorted(x for x, _ in thinned)
    assert set(thinned) <= set(points)
    assert min(y for _, y in thinned) == min(values)
    assert max(y for _, y in thinned) == max(values)


def test_envelope_of_nothing_and_of_one_place() -> None:
    assert envelope([], 10, 0, 1) == []
    assert envelope([(5.0, 1.0), (5.0, 3.0), (5.0, 2.0)], 10, 5.0, 5.0) == [(5.0, 1.0), (5.0, 3.0)]
    assert envelope([(0.0, 1.0)], 0, 0, 1) == []


def test_a_curve_stays_small_and_keeps_a_spike() -> None:
    curve = Curve()
    for step in range(5 * LIMIT):
        curve.add(step, 9.0 if step == 1234 else 2.0 + step % 7 / 10)
    assert len(curve) <= LIMIT + 1
    assert (1234.0, 9.0) in curve.segments[0]
    assert curve.last == (5 * LIMIT - 1, pytest.approx(2.0 + (5 * LIMIT - 1) % 7 / 10))


def test_what_is_not_finite_leaves_a_gap() -> None:
    curve = Curve()
    for x, y in [(1, 2.0), (2, math.nan), (3, 1.9), (4, math.inf), (5, 1.8)]:
        curve.add(x, y)
    assert curve.segments == [[(1, 2.0)], [(3, 1.9)], [(5, 1.8)]]


def test_an_empty_curve() -> None:
    curve = Curve()
    curve.gap()
    assert curve.segments == []
    assert curve.last is None
    assert len(curve) == 0


def test_log_ticks_are_round_and_inside() -> None:
    assert log_ticks(1.3, 4.4, 6) == [1.5, 2.0, 2.5, 3.0, 4.0]
    assert log_ticks(0.9, 1.0, 3) == [1.0]
    assert log_ticks(0, 1, 5) == log_ticks(2, 1, 5) == []


@given(
    st.floats(min_value=1e-3, max_value=50),
    st.floats(min_value=1.0, max_value=1e4),
    st.integers(min_value=1, max_value=9),
)
def test_log_ticks_never_crowd(low: float, ratio: float, most: int) -> None:
    ticks = log_ticks(low, low * ratio, most)
    assert len(ticks) <= most
    assert ticks == sorted(ticks)
    assert all(low * 0.999 <= tick <= low * ratio * 1.001 for tick in ticks)


@given(st.floats(min_value=0.5, max_value=1e9), st.integers(min_value=2, max_value=12))
def test_linear_ticks_start_at_zero_and_never_crowd(high: float, most: int) -> None:
    ticks = linear_ticks(high, most)
    assert ticks[0] == 0.0
    assert len(ticks) <= most
    assert all(tick <= high and tick == int(tick) for tick in ticks)


def test_log10_of_a_loss_of_zero_is_at_the_bottom() -> None:
    assert log10(0.0) == log10(-1.0) == -4.0
    assert log10(10.0) == 1.0


def test_smoothing_begins_at_the_first_value_and_keeps_a_constant() -> None:
    smoother = Smoother()
    assert [smoother.add(x, 2.5) for x in range(0, 400, 8)] == [pytest.approx(2.5)] * 50
    smoother.reset()
    assert smoother.add(500, 7.0) == 7.0


def test_smoothing_calms_noise_and_follows_a_fall() -> None:
    smoother = Smoother()
    smooth = [smoother.add(x, 2.0 + (0.3 if x % 16 else -0.3)) for x in range(0, 8000, 8)]
    assert max(smooth[500:]) - min(smooth[500:]) < 0.06
    assert abs(smooth[-1] - 2.0) < 0.1
    for x in range(8000, 16_000, 8):
        last = smoother.add(x, 1.0)
    assert last == pytest.approx(1.0, abs=1e-3)


def test_smoothing_starts_anew_after_what_is_not_finite() -> None:
    smoother = Smoother()
    smoother.add(10, 3.0)
    assert math.isnan(smoother.add(20, math.nan))
    assert smoother.add(30, 1.0) == 1.0


def test_the_point_nearest_to_a_step() -> None:
    curve = Curve()
    assert curve.near(3) is None
    for x in (0, 10, 20):
        curve.add(x, float(x))
    assert [curve.near(x) for x in (-5, 4, 6, 99)] == [(0, 0.0), (0, 0.0), (10, 10.0), (20, 20.0)]
    curve.gap()
    curve.add(15, 7.0)
    curve.add(25, 8.0)
    assert curve.near(18) == (15, 7.0)
    assert curve.near(2) == (0, 0.0)
    assert curve.first == (0, 0.0)


def test_a_line_is_cut_where_it_crosses_the_ends() -> None:
    points: Points = [(0.0, 0.0), (10.0, 10.0), (20.0, 0.0)]
    assert cut(points, 5, 15) == [(5, 5.0), (10.0, 10.0), (15, 5.0)]
    assert cut(points, 12, 13) == [(12, 8.0), (13, 7.0)]
    assert cut(points, -5, 40) == points
    assert cut(points, 30, 40) == cut([], 0, 1) == []
    assert inside(points, 5, 15) == [(10.0, 10.0)]


def test_means_of_columns_keep_the_ends() -> None:
    points: Points = [(float(x), float(x % 2)) for x in range(100)]
    thinned = averaged(points, 10, 0.0, 100.0)
    assert (thinned[0], thinned[-1]) == (points[0], points[-1])
    assert len(thinned) <= 12
    assert all(0.4 < y < 0.6 for _, y in thinned[1:-1])
    assert averaged(points[:5], 10, 0, 100) == points[:5]


def test_a_curve_of_gaps_stays_small_and_keeps_its_beginning() -> None:
    curve = Curve()
    for x in range(3 * SEGMENTS):
        curve.add(x, 1.0)
        curve.gap()
    assert len(curve.segments) == SEGMENTS
    assert curve.first == (0, 1.0)
    assert curve.last == (3 * SEGMENTS - 1, 1.0)


def test_one_curve_behind_another_keeps_its_gaps() -> None:
    first, later = Curve(), Curve()
    first.add(1, 1.0)
    later.add(2, 2.0)
    later.gap()
    later.add(1, 3.0)
    first.extend(later)
    assert first.segments == [[(1, 1.0), (2, 2.0)], [(1, 3.0)]]
