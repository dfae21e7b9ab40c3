"""A curve in a few cells."""

from __future__ import annotations

import math

import pytest

from chargru.storage.sparkline import levels


def test_the_highest_and_the_lowest_reach_the_ends() -> None:
    assert levels([4.0, 2.0, 1.0], 8) == [7, 4, 0]
    assert levels([1.0, 4.0], 8, heights=2) == [0, 1]


@pytest.mark.parametrize("cells", [1, 3, 7, 10])
def test_many_values_share_the_cells_and_a_falling_curve_falls(cells: int) -> None:
    found = levels([4.0 * math.exp(-step / 30) for step in range(100)], cells)
    assert len(found) == cells
    assert found == sorted(found, reverse=True)


def test_a_flat_curve_lies_in_the_middle_and_no_curve_is_nothing() -> None:
    assert levels([1.5] * 4, 4) == [3] * 4
    assert levels([], 5) == levels([1.0, 2.0], 0) == levels([math.nan, math.inf], 5) == []
    assert levels([0.0, 1.0, math.nan], 5) == [0, 7]
