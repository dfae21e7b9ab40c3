"""Units and axes of losses: places, round ticks, labels, and what belongs into the range of an axis."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.tui.remembered import ChartChoices
from chargru.tui.scales import Scale, limits, round_ticks, step_labels, step_ticks


def labels(scale: Scale, low: float, high: float, most: int) -> list[str]:
    return scale.labels(scale.ticks(scale.place(low), scale.place(high), most))


def test_the_users_choice() -> None:
    assert Scale.of(ChartChoices()) == Scale(bits=False, log=True)
    assert Scale.of(ChartChoices(units="bits", axis="linear")) == Scale(bits=True, log=False)


def test_nats_are_bits_times_log_2() -> None:
    nats, bits = Scale(), Scale(bits=True)
    assert (nats.told(1.386), bits.told(1.386)) == ("1.386", "2.000")
    assert (nats.unit, bits.unit) == ("nats", "bits")
    assert bits.told(None) == "–"
    assert bits.difference(-math.log(2)) == "−1.000"
    assert nats.difference(0.25) == "+0.250"


def test_ticks_of_a_logarithmic_a_linear_and_a_bits_axis() -> None:
    assert labels(Scale(), 1.3, 4.4, 6) == ["1.5", "2.0", "2.5", "3.0", "4.0"]
    assert labels(Scale(log=False), 1.3, 4.4, 8) == ["1.5", "2.0", "2.5", "3.0", "3.5", "4.0"]
    assert labels(Scale(bits=True), 1.3, 4.4, 5) == ["2.0", "2.5", "3.0", "4.0", "5.0"]  # 1.88 to 6.35 bits
    assert labels(Scale(bits=True, log=False), 1.3, 4.4, 5) == ["2", "3", "4", "5", "6"]


def test_a_narrow_logarithmic_axis_takes_evenly_spaced_ticks() -> None:
    assert labels(Scale(), 1.381, 1.449, 7) == ["1.39", "1.40", "1.41", "1.42", "1.43", "1.44"]


@given(
    st.floats(min_value=-100, max_value=1e6),
    st.floats(min_value=1e-3, max_value=1e6),
    st.integers(min_value=1, max_value=12),
)
def test_round_ticks_are_inside_even_and_few(low: float, width: float, most: int) -> None:
    ticks = round_ticks(low, low + width, most)
    assert len(ticks) <= most
    assert all(low - 1e-6 * width <= tick <= low + 1.000001 * width + 1e-9 for tick in ticks)
    gaps = [after - before for before, after in pairwise(ticks)]
    assert all(gap == pytest.approx(gaps[0], rel=1e-6, abs=1e-9 * abs(low) + 1e-9) for gap in gaps)
    assert most < 3 or len(ticks) >= 1


def test_no_ticks_where_there_is_no_range() -> None:
    assert round_ticks(1.0, 1.0, 5) == round_ticks(math.nan, 2.0, 5) == round_ticks(0.0, 1.0, 0) == []


def test_steps_are_whole_and_told_apart() -> None:
    assert step_ticks(0, 3.2, 12) == [0, 1, 2, 3]
    assert step_labels([0, 500, 1000, 1500]) == ["0", "500", "1k", "1.5k"]
    assert step_labels([1840, 1850, 1860]) == ["1,840", "1,850", "1,860"]
    assert step_labels([12_400, 12_500, 12_600]) == ["12,400", "12,500", "12,600"]
    assert step_labels([]) == []


def test_the_landmark_next_above_comes_in_and_a_far_one_does_not() -> None:
    low, high = limits((1.4, 1.6), (1.35, 1.65), newest=1.42, landmarks=[4.2, 3.0, 1.7, 1.1])
    assert 1.7 <= high < 1.75
    assert 1.1 < low <= 1.35
    low, high = limits((1.4, 1.6), (1.35, 1.65), newest=1.42, landmarks=[4.2, 1.33])
    assert high < 1.7
    assert low <= 1.33


def test_single_values_do_not_squash_the_curve() -> None:
    low, high = limits((1.4, 1.5), (0.2, 9.0), newest=1.4, landmarks=[])
    assert low >= 1.28
    assert high <= 1.62


def test_a_curve_of_one_point_has_a_range() -> None:
    low, high = limits((2.0, 2.0), (2.0, 2.0), newest=2.0, landmarks=[])
    assert low < 2.0 < high
