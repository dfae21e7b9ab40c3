"""Steps against the naive network; filters against their definitions; draws against their distribution."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig, SamplingConfig
from chargru.engine import WINDOW, Parameters, Stepper, draw, probabilities, surprisal
from tests.engine import naive


def random_model(seed, layers=2):
    config = ModelConfig(vocab_size=6, hidden_size=5, num_layers=layers)
    parameters = Parameters.initial(config, seed, np.float64)
    parameters.flat += np.random.default_rng(seed).normal(0, 0.3, parameters.flat.shape)
    return parameters


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_steps_are_the_naive_network(rows, layers):
    parameters = random_model(1, layers)
    ids = np.random.default_rng(0).integers(0, 6, (9, rows))
    stepper = Stepper(parameters, rows)
    found = np.array([stepper.step(each).copy() for each in ids])
    top = naive.states(parameters, ids, np.zeros((layers, rows, 5)))
    np.testing.assert_allclose(found, top @ parameters["output.W_y"] + parameters["output.b_y"], atol=1e-12)


def test_states_can_be_kept_and_put_back():
    stepper = Stepper(random_model(2))
    stepper.read(np.array([1, 2, 3]))
    kept = stepper.h.copy()
    expected = stepper.step(np.array([4])).copy()
    stepper.step(np.array([5]))
    stepper.h[:] = kept
    assert np.array_equal(stepper.step(np.array([4])), expected)


def test_a_stepper_does_not_change_the_weights():
    parameters = random_model(3)
    before = parameters.flat.copy()
    Stepper(parameters, 2).read(np.array([0, 1, 2]))
    assert np.array_equal(parameters.flat, before)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_window_is_its_steps(layers):
    one, other = Stepper(random_model(4, layers)), Stepper(random_model(4, layers))
    ids = np.random.default_rng(2).integers(0, 6, (3, WINDOW))
    for each in ids:
        expected = [(other.step(i[None]).copy(), other.h.copy()) for i in each]
        states, logits = one.window(each)
        np.testing.assert_allclose(logits, np.concatenate([first for first, _ in expected]), atol=1e-12)
        np.testing.assert_allclose(states, np.concatenate([h for _, h in expected], axis=1), atol=1e-12)
        np.testing.assert_allclose(one.h, other.h, atol=1e-12)
        np.testing.assert_allclose(one.logits, other.logits, atol=1e-12)


def test_windows_and_steps_read_a_long_text():
    ids = np.random.default_rng(2).integers(0, 6, 2 * WINDOW + 7)
    one, three = Stepper(random_model(4)), Stepper(random_model(4), 3)
    np.testing.assert_allclose(np.repeat(one.read(ids), 3, axis=0), three.read(ids), atol=1e-12)


def test_a_window_is_for_one_row_and_its_length():
    with pytest.raises(ValueError, match="one row"):
        Stepper(random_model(4), 2).window(np.zeros(WINDOW, int))
    with pytest.raises(ValueError, match="one row"):
        Stepper(random_model(4)).window(np.zeros(WINDOW - 1, int))


def test_borrowed_weights_are_the_same_weights():
    lender = Stepper(random_model(5))
    alone, borrower = Stepper(random_model(5), 2), Stepper(random_model(5), 2, like=lender)
    lender.read(np.array([1, 2]))
    ids = np.array([[1, 2], [3, 4]])
    for each in ids:
        assert np.array_equal(alone.step(each), borrower.step(each))


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
