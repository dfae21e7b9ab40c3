"""What is spent, what is left, and when an evaluation is due."""

from __future__ import annotations

import math

import pytest

from chargru.config import TrainingConfig
from chargru.training.budget import Budget
from chargru.training.clock import Clock


class Hand:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 0.0
        self.clock = Clock(now=lambda: self.now)
        self.clock.start()

    def budget(self, step=0, train_chars=1000, **settings):
        return Budget(TrainingConfig(batch_size=4, seq_len=5, **settings), train_chars, self.clock, step)


@pytest.fixture
def hand():
    return Hand()


def test_updates_do_not_depend_on_the_clock(hand):
    budget = hand.budget(steps=50)
    assert (budget.kind, budget.amount, budget.total_steps) == ("steps", 50.0, 50)
    hand.now = 1e6
    assert [budget.fraction(step) for step in (0, 25, 50, 60)] == [0.0, 0.5, 1.0, 1.0]
    budget.evaluated(1e9)
    assert budget.bears_evaluation()
    budget.keep_back(1e9)
    assert budget.fraction(25) == 0.5


def test_passes_become_updates(hand):
    budget = hand.budget(epochs=2.5)
    assert budget.kind == "epochs"
    assert budget.total_steps == math.ceil(2.5 * 1000 / 20)


def test_time_keeps_something_back_for_the_last_evaluation(hand):
    budget = hand.budget(time=100.0)
    budget.keep_back(10.0)
    hand.now = 45.0
    assert budget.fraction(7) == pytest.approx(0.5)
    assert budget.remaining(7) == 55.0
    budget.keep_back(1000.0)  # never more than a quarter
    assert budget.fraction(7) == pytest.approx(45 / 75)


def test_evaluations_take_a_twentieth_of_the_time_at_most(hand):
    budget = hand.budget(time=100.0, evaluations=40)
    assert budget.bears_evaluation()
    hand.now = 2.0
    budget.evaluated(0.5)
    hand.now = 11.0
    assert not budget.bears_evaluation()
    hand.now = 12.5
    assert budget.bears_evaluation()


def test_evaluations_are_closer_together_at_first(hand):
    budget = hand.budget(steps=1000, evaluations=40)
    due = [budget.evaluations_due(step) for step in range(1001)]
    first = [due.index(n) for n in (1, 2, 3, 39, 40)]
    assert first[1] - first[0] < first[4] - first[3]
    assert due[-1] == 40


def test_what_is_left_of_updates_is_estimated_from_this_process(hand):
    hand.now = 30.0
    budget = hand.budget(steps=100, step=60)
    hand.now = 40.0
    assert budget.remaining(80) == pytest.approx(10.0)
    assert budget.chars_per_second(80) == pytest.approx(20 * 20 / 10)


def test_what_the_whole_budget_reads(hand):
    assert hand.budget(steps=50).characters(10) == pytest.approx(50 * 20)
    budget = hand.budget(time=100.0)
    hand.now = 25.0
    assert budget.characters(10) == pytest.approx(800)
