"""Samples kept over a whole training: bounded, even, the first always there."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.tui.samples import SampleHistory
from tests.tui.fakes import sampled


def history(count: int, limit: int = 20, every: int = 10) -> SampleHistory:
    kept = SampleHistory(limit)
    for number in range(count):
        kept.add(sampled(number * every, f"sample {number}"), 4.0 - number / 1000)
    return kept


@given(st.integers(min_value=1, max_value=700), st.integers(min_value=3, max_value=50))
def test_first_and_newest_stay_and_the_rest_lies_evenly(count: int, limit: int) -> None:
    numbers = [each.number for each in history(count, limit)]
    assert len(numbers) <= limit
    assert numbers[0] == 0
    assert numbers[-1] == count - 1
    gaps = {after - before for before, after in pairwise(numbers[:-1])}
    assert len(gaps) <= 1
    assert count <= limit or len(numbers) > limit // 2


def test_a_history_needs_room() -> None:
    with pytest.raises(ValueError, match="three"):
        SampleHistory(2)


def test_a_thinned_away_sample_is_found_by_its_neighbour() -> None:
    kept = history(20)
    looked_at = kept.at(7)
    assert looked_at is not None
    for number in range(20, 60):
        kept.add(sampled(number * 10))
    position = kept.position(looked_at)
    found = kept.at(position)
    assert found is not None
    assert abs(found.number - looked_at.number) <= 3
    assert kept.position(None) == len(kept) - 1


def test_positions_outside_are_the_ends() -> None:
    kept = history(5)
    assert kept.at(-3) == next(iter(kept))
    assert kept.at(99) == kept.newest
    assert SampleHistory().at(0) is None
    assert SampleHistory().newest is None


def test_what_came_before_halves_its_steps_and_ends_with_the_first() -> None:
    kept = history(200, limit=200)
    newest = kept.newest
    assert newest is not None
    steps = [each.step for each in kept.earlier(newest, 5)]
    assert steps == [990, 490, 240, 120, 0]
    assert kept.earlier(newest, 0) == []
    assert [each.step for each in kept.earlier(newest, 1)] == [0]


def test_where_there_is_room_the_ones_between_come_too() -> None:
    kept = history(8)
    newest = kept.newest
    assert newest is not None
    assert [each.number for each in kept.earlier(newest, 20)] == [6, 5, 4, 3, 2, 1, 0]
    many = kept.earlier(newest, 4)
    assert len(many) == 4
    assert [each.number for each in many] == sorted((each.number for each in many), reverse=True)
