"""Filters against their definitions; draws against their distribution."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import SamplingConfig
from chargru.engine import draw, probabilities, surprisal


def test_surprisal_is_minus_the_log_of_the_probability():
    logits = np.random.default_rng(0).normal(0, 30, (5, 6))
    ids = np.array([0, 1, 2, 3, 5])
    p = probabilities(logits, SamplingConfig(temperature=1.0))[np.arange(5), ids]
    np.testing.assert_allclose(surprisal(logits, ids), -np.log(p), atol=1e-12)
    assert surprisal(np.array([[1e4, 0.0]]), np.array([0])).tolist() == [0.0]


LOGITS = np.log(np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]]))


def kept(**settings):
    return [row.tolist() for row in probabilities(LOGITS, SamplingConfig(temperature=1.0, **settings)) > 0]


def test_temperature_sharpens_and_flattens():
    np.testing.assert_allclose(probabilities(LOGITS, SamplingConfig(temperature=1.0)), np.exp(LOGITS))
    cold = probabilities(LOGITS, SamplingConfig(temperature=0.5))
    np.testing.assert_allclose(cold, np.exp(2 * LOGITS) / np.exp(2 * LOGITS).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("temperature", [1e-8, 1e-300, 100.0])
def test_extreme_temperatures_do_not_overflow(temperature):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        p = probabilities(LOGITS * 1e4, SamplingConfig(temperature=temperature))
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_top_k_keeps_the_k_likeliest_and_the_lower_id_of_a_tie():
    assert kept(top_k=2) == [[True, True, False, False], [True, False, False, True]]
    assert kept(top_k=1)[1] == [False, False, False, True]
    assert kept(top_k=0) == kept(top_k=4) == kept(top_k=99) == [[True] * 4] * 2


def test_top_p_keeps_the_fewest_that_hold_p():
    assert kept(top_p=0.6)[0] == [True, True, False, False]
    assert kept(top_p=0.75)[0] == [True, True, True, False]
    assert kept(top_p=0.0) == [[True, False, False, False], [False, False, False, True]]
    assert kept(top_p=1.0) == [[True] * 4] * 2


def test_min_p_is_relative_to_the_likeliest():
    assert kept(min_p=0.6)[0] == [True, True, False, False]
    assert kept(min_p=1.0) == [[True, False, False, False], [False, False, False, True]]


def test_filters_combine_and_the_rest_sums_to_one():
    p = probabilities(LOGITS, SamplingConfig(temperature=1.0, top_k=3, top_p=0.9, min_p=0.5))
    np.testing.assert_allclose(p[0], [0.4 / 0.9, 0.3 / 0.9, 0.2 / 0.9, 0], atol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_temperature_zero_takes_the_first_of_the_likeliest():
    logits = np.array([[1.0, 5.0, 5.0], [2.0, 0.0, 1.0]])
    assert draw(logits, SamplingConfig(temperature=0), np.random.default_rng(0)).tolist() == [1, 0]


def test_draws_have_the_distribution_and_never_what_was_filtered():
    logits = np.repeat(LOGITS[:1], 40_000, axis=0)
    ids = draw(logits, SamplingConfig(temperature=1.0, top_k=3), np.random.default_rng(3))
    shares = np.bincount(ids, minlength=4) / len(ids)
    np.testing.assert_allclose(shares, [4 / 9, 3 / 9, 2 / 9, 0], atol=0.01)
    assert shares[3] == 0


def test_same_seed_same_draws():
    logits = np.repeat(LOGITS, 10, axis=0)
    first, second = (draw(logits, SamplingConfig(), np.random.default_rng(5)) for _ in range(2))
    assert first.tolist() == second.tolist()


def test_one_character_vocabulary():
    assert draw(np.zeros((3, 1)), SamplingConfig(), np.random.default_rng(0)).tolist() == [0, 0, 0]
