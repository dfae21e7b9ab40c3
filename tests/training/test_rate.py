"""The scale of the learning rate: there and back exactly, and within bounds."""

from __future__ import annotations

import pytest

from chargru.config import TrainingConfig
from chargru.engine import learning_rate_at
from chargru.training.rate import HIGHEST, LOWEST, Rate

PLAN = TrainingConfig(steps=100)


def test_the_rate_is_the_plan_times_the_scale():
    rate = Rate(PLAN, 0.5)
    for fraction in (0.0, 0.01, 0.3, 1.0):
        assert rate.at(fraction) == 0.5 * learning_rate_at(fraction, PLAN)


@pytest.mark.parametrize("start", [1.0, 0.5, 0.125])
@pytest.mark.parametrize("notches", [1, 3, 9, -2, -9])
def test_as_many_back_are_exactly_none(start, notches):
    rate = Rate(PLAN, start)
    assert rate.turn(notches)
    assert rate.scale == pytest.approx(start * 1.25**notches)
    way = -1 if notches > 0 else 1
    for _ in range(abs(notches)):
        assert rate.turn(way)
    assert rate.scale == start


def test_it_ends_at_its_bounds_and_says_so():
    rate = Rate(PLAN)
    assert rate.turn(1000)
    assert rate.scale == HIGHEST
    assert not rate.turn(1)
    assert rate.turn(-1000)
    assert rate.scale == LOWEST
    assert not rate.turn(-1)
    assert rate.turn(1)


def test_beyond_its_bounds_a_word_never_turns_the_wrong_way():
    rate = Rate(PLAN, LOWEST)
    rate.halve()
    assert not rate.turn(-1)
    assert rate.scale == LOWEST / 2
    assert rate.turn(1)
    assert rate.scale == LOWEST / 2 * 1.25
