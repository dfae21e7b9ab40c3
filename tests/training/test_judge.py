"""The last word on a held-out part: on all of it, or on as much as the budget bears."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Crew, Parameters
from chargru.events import Evaluated, Finished, Started
from chargru.training import evaluation, judge
from chargru.training.evaluation import evaluate, on_processor
from chargru.training.judge import QUICK, Judge


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(judge, "LEAST", 2_000)
    monkeypatch.setattr(judge, "MOST", 5_000)


def judge_of(length):
    return Judge(np.zeros(length, np.uint8))


@pytest.mark.parametrize("seconds", [None, 0.0, 1.0, 1e9])
def test_a_short_tail_is_scored_whole_whatever_the_budget(seconds):
    for length in (0, 1, 2, judge.LEAST + 1):
        each = judge_of(length)
        each.afford(seconds, 100.0)
        assert each.last_limit is None


def test_a_budget_of_updates_scores_a_fixed_number(small):
    whole, part = judge_of(5_001), judge_of(5_002)
    for look_seconds in (0.0, 1.0, 100.0):
        whole.afford(None, look_seconds)
        part.afford(None, look_seconds)
        assert (whole.last_limit, part.last_limit) == (None, 5_000)


def test_a_budget_of_time_scores_what_it_bears(monkeypatch):
    monkeypatch.setattr(judge, "LEAST", 2_000)
    monkeypatch.setattr(judge, "MOST", 6_000_000)
    each = judge_of(10_000_001)
    each.afford(1e6, 1.0)
    assert each.last_limit == 6_000_000
    each.afford(500.0, 1.0)
    assert 2_000 < each.last_limit < 5_000_000
    assert each.seconds_to_decide(1.0) == pytest.approx(500.0, rel=0.05)
    each.afford(3.0, 1.0)
    assert each.last_limit == int(2 / 1.5 * 2 * QUICK)
    each.afford(0.0, 1.0)
    assert each.last_limit == 2_000
    shorter = judge_of(5_000_001)
    shorter.afford(1e6, 0.0)
    assert shorter.last_limit is None


def test_both_rivals_are_scored_on_the_same_part(monkeypatch):
    V = 5
    config = ModelConfig(vocab_size=V, hidden_size=4, num_layers=1)
    val = np.random.default_rng(2).integers(0, V, 60_001).astype(np.uint8)
    first, last = (Parameters.initial(config, seed) for seed in (1, 2))
    monkeypatch.setattr(judge, "MOST", 20_000)
    with Crew(1) as crew:
        each = Judge(val, on_processor(crew, np.float32))
        each.afford(None, 1.0)
        each.look(first, 1)
        score = each.decide(last, 2)
        known = [evaluate(weights, val, limit=20_000, crew=crew) for weights in (first, last)]
    best = min(known, key=lambda found: found.nats_per_char)
    assert score == best
    assert 20_000 <= score.chars < 20_100
    assert each.best_loss == best.nats_per_char
    assert each.loss == known[1].nats_per_char


def test_a_part_is_spread_over_the_tail_and_warmed_as_the_whole_is():
    limit = 64 * 4 * evaluation.WARM_UP
    lanes = evaluation.stream_lanes(10_000_000, limit)
    assert len(lanes) == 64
    assert sum(lane.end - lane.scored for lane in lanes) == limit
    assert {lane.scored - lane.begin for lane in lanes[1:]} == {evaluation.WARM_UP}
    assert lanes[-1].scored > 9_800_000


def test_a_training_says_that_a_part_was_scored(make_trainer, monkeypatch):
    monkeypatch.setattr(judge, "MOST", 100)
    events = list(make_trainer(steps=6).run())
    started = next(event for event in events if isinstance(event, Started))
    evaluated = [event for event in events if isinstance(event, Evaluated)][-1]
    assert started.val_chars > evaluated.chars >= 100
    assert not evaluated.complete
    assert isinstance(events[-1], Finished)
    assert events[-1].val_loss == evaluated.val_loss or events[-1].val_loss == evaluated.best_loss


def test_without_need_the_whole_is_scored(make_trainer):
    events = list(make_trainer(steps=6).run())
    evaluated = [event for event in events if isinstance(event, Evaluated)][-1]
    assert evaluated.complete
