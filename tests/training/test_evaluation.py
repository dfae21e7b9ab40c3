"""Losses by protocol, against a plain pass one character at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Crew, Parameters
from chargru.training.evaluation import QUICK_WARM_UP, evaluate, stream_lanes, window_lanes
from tests.engine import naive


def model(seed=1, hidden_size=8, V=5):
    config = ModelConfig(vocab_size=V, hidden_size=hidden_size, num_layers=2)
    parameters = Parameters.initial(config, seed, np.float64)
    parameters.flat += np.random.default_rng(seed).normal(0, 0.2, parameters.flat.shape)
    return parameters


def plain_losses(parameters, ids):
    h0 = np.zeros((2, 1, parameters.config.hidden_size))
    return naive.losses(parameters, ids[:-1, None], ids[1:, None], h0)[:, 0]


@pytest.mark.parametrize("length", [2, 3, 65, 700, 3000])
def test_stream_is_one_stateful_pass(length):
    parameters, ids = model(), np.random.default_rng(2).integers(0, 5, length)
    score = evaluate(parameters, ids)
    assert score.chars == length - 1
    assert score.nats_per_char == pytest.approx(plain_losses(parameters, ids).mean(), abs=1e-6)


@pytest.mark.parametrize("window", [1, 7, 256])
def test_windows_start_cold(window):
    parameters, ids = model(), np.random.default_rng(3).integers(0, 5, 600)
    expected = [plain_losses(parameters, ids[start : start + window + 1]) for start in range(0, 599, window)]
    score = evaluate(parameters, ids, protocol="window", window=window)
    assert score.chars == 599
    assert score.nats_per_char == pytest.approx(np.concatenate(expected).mean(), abs=1e-9)


def test_a_limit_scores_about_so_many_spread_over_the_text():
    lanes = stream_lanes(100_000, limit=4096)
    scored = sum(lane.end - lane.scored for lane in lanes)
    assert 4096 <= scored <= 4096 + len(lanes)
    assert lanes[-1].scored > 90_000
    assert all(lane.scored - lane.begin in (0, QUICK_WARM_UP) for lane in lanes)


@pytest.mark.parametrize("predictions", [1, 511, 512, 5000, 70_001])
def test_lanes_score_every_prediction_once(predictions):
    for lanes in (stream_lanes(predictions), window_lanes(predictions, 256)):
        scored = np.concatenate([np.arange(lane.scored, lane.end) for lane in lanes])
        assert np.array_equal(scored, np.arange(predictions))


def test_threads_change_nothing_but_rounding():
    parameters, ids = model(), np.random.default_rng(4).integers(0, 5, 2000)
    alone = evaluate(parameters, ids)
    with Crew(3) as crew:
        together = evaluate(parameters, ids, crew=crew)
    assert together.nats_per_char == pytest.approx(alone.nats_per_char, abs=1e-12)


def test_nothing_to_predict_is_no_score():
    assert evaluate(model(), np.array([], int)) is None
    assert evaluate(model(), np.array([1])) is None


def test_units():
    score = evaluate(model(), np.random.default_rng(4).integers(0, 5, 100))
    assert score.bits_per_char == pytest.approx(score.nats_per_char / math.log(2))
    assert score.perplexity == pytest.approx(math.exp(score.nats_per_char))
    assert set(score.to_record()) == {"nats_per_char", "bits_per_char", "perplexity", "chars", "protocol"}


def test_progress_is_told_in_characters():
    told = []
    evaluate(model(), np.random.default_rng(4).integers(0, 5, 1500), advance=told.append)
    assert sum(told) == 1499


@pytest.mark.parametrize("protocol", [{"protocol": "other"}, {"protocol": "window", "window": 0}])
def test_unknown_protocols_are_refused(protocol):
    with pytest.raises(ValueError, match="no such protocol"):
        evaluate(model(), np.arange(4), **protocol)
