"""The loss that a training is expected to reach: what it is made of, and that it stays possible."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from chargru.config import ModelConfig
from chargru.training.difficulty import Difficulty
from chargru.training.likely import (
    COEFFICIENTS,
    WEIGHTS,
    capacity,
    clues,
    features,
    likely_loss,
    loss_after,
    margin,
    share_after,
)
from chargru.training.pilot import LATE, Pilot
from chargru.training.prior import Prior

HARD = Difficulty(3.3, 2.5, 1.9, 1.6, 0.0, 900_000, 40_000)
PILOT = Pilot(early=2.1, late=1.8, ninth=1.9, half=1.65, quarter=1.7)
MODEL = ModelConfig(65, 192, 1)


def likely(prior=None, updates=1_000.0, model=MODEL, n_train=900_000):
    return likely_loss(prior or Prior(HARD, PILOT), model, n_train, updates, updates * 2048)


@pytest.mark.parametrize("loss", [3.5, 3.0, 2.2, 1.5, 1.2, 0.4])
def test_share_and_loss_are_inverse(loss):
    assert loss_after(share_after(loss, 3.0, 1.5), 3.0, 1.5) == pytest.approx(loss)


def test_beyond_every_bound_the_loss_stays_possible():
    assert loss_after(50.0, 3.0, 1.5) > 0
    assert loss_after(1.0, 3.0, 1.5) == pytest.approx(1.5)
    assert loss_after(1.2, 0.0, 0.0) == 0.0


def test_features_follow_the_formula():
    hard = Difficulty(3.0, 2.5, 2.0, 1.5, 0.1, 10_000, 1_000)
    one, pace, context = features(hard, 1.5, 500)
    assert (one, pace) == (1.0, 1.0)
    assert context == pytest.approx(0.5 / 1.5)
    assert features(hard, 1.5, 1000)[1] == pytest.approx(2**-0.8)
    assert len(COEFFICIENTS) == 3


def test_clues_follow_the_formula():
    further = math.log((2 * LATE / (1 + 8 / 16)) / (LATE / (1 + 4 / 16)))
    found = clues(HARD, PILOT, 500_000, 2 * LATE, 4e6)
    assert found[:3] == (1.0, pytest.approx(further), 0.0)
    fall, copied, pairs, alike = (math.log(x) for x in (2.1 / 1.8, 1.9 / 1.8, 2.5 / 1.8, 1.7 / 1.65))
    both = (x for clue in (fall, copied, pairs) for x in (clue, clue * further))
    assert found[3:] == pytest.approx((*both, alike, math.log(0.5)))
    assert len(found) == len(WEIGHTS)
    assert clues(HARD, PILOT, 500_000, LATE / 2, 4e5)[2] == pytest.approx(math.log(2) ** 2)
    copies = clues(HARD, replace(PILOT, ninth=0.1), 500_000, LATE, 4e6)
    assert copies[5] == clues(HARD, replace(PILOT, ninth=0.5), 500_000, LATE, 4e6)[5]  # whole passages twice


def test_a_text_that_was_read_often_teaches_ever_less():
    def further(n_train, updates):
        return clues(HARD, PILOT, n_train, updates, updates * 2048)[1]

    assert further(10**9, 8 * LATE) == pytest.approx(math.log(8), abs=0.01)
    assert further(50_000, 8 * LATE) < 1.0
    assert further(50_000, 800 * LATE) - further(50_000, 400 * LATE) < 0.01


def test_of_a_very_short_training_a_pilot_says_nothing():
    assert likely(updates=100) == likely(Prior(HARD), 100)
    assert likely(updates=200) != likely(Prior(HARD), 200)


def test_the_weights_in_use_make_the_forecast():
    known = clues(HARD, PILOT, 900_000, 1_000.0, 2_048_000)
    exact = PILOT.late * math.exp(sum(w * x for w, x in zip(WEIGHTS, known, strict=True)))
    assert likely() == pytest.approx(exact)  # one layer of 192 units adds nothing
    assert likely(model=ModelConfig(65, 256, 2)) < exact
    assert capacity(192, 1) == 0.0


def test_more_updates_are_better_with_a_pilot_and_without():
    for prior in (Prior(HARD, PILOT), Prior(HARD)):
        losses = [likely(prior, updates) for updates in (200, 300, 1_000, 3_000, 10_000)]
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] > 0


def test_what_a_pilot_found_counts():
    better = replace(PILOT, early=1.9, late=1.6)
    assert likely(Prior(HARD, better)) < likely()
    steeper = replace(PILOT, early=2.3)
    assert likely(Prior(HARD, steeper), 3_000) < likely(updates=3_000)


@pytest.mark.parametrize("known_by_heart", ["early", "late", "ninth", "half", "quarter"])
def test_a_pilot_that_knows_its_text_by_heart_says_nothing(known_by_heart):
    nothing = replace(PILOT, **{known_by_heart: 0.001})
    assert Prior(HARD, nothing).piloted is None
    assert likely(Prior(HARD, nothing)) == likely(Prior(HARD))
    assert Prior(replace(HARD, bigram=0.0), PILOT).piloted is None


def test_never_worse_than_nothing_learned():
    model = ModelConfig(2, 64, 1)
    assert likely(Prior(HARD, replace(PILOT, late=30.0)), model=model) == math.log(2)


def test_the_margin_is_wider_for_what_is_known_less():
    def off(prior, updates=1_000.0):
        return margin(prior, likely(prior, updates), 900_000, updates, updates * 2048)

    assert off(Prior(HARD, PILOT)) < off(Prior(HARD))
    assert off(Prior(HARD, PILOT)) < off(Prior(HARD, PILOT, whole=False))
    assert off(Prior(HARD, PILOT)) < off(Prior(replace(HARD, measured=300), PILOT))
    assert off(Prior(HARD, PILOT)) < off(Prior(HARD, PILOT), 1e5)  # far beyond anything that was tried
    assert off(Prior(HARD)) < off(Prior(HARD), 1e6)
