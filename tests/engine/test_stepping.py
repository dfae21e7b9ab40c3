"""Steps against the naive network, row by row, window by window."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import WINDOW, Parameters, Stepper
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


@pytest.mark.parametrize("rows", [2, 8, 11])
def test_rows_of_a_width_that_is_cut_into_blocks_are_like_one_row(rows):
    config = ModelConfig(vocab_size=6, hidden_size=192, num_layers=2)
    parameters = Parameters.initial(config, 1)
    ids = np.random.default_rng(0).integers(0, 6, (20, rows))
    many, ones = Stepper(parameters, rows), [Stepper(parameters) for _ in range(rows)]
    for each in ids:
        logits = many.step(each)
        for row, one in enumerate(ones):
            np.testing.assert_allclose(logits[row], one.step(each[row : row + 1])[0], atol=2e-5)


@pytest.mark.parametrize("rows", [1, 8])
def test_a_step_allocates_nothing(rows):
    parameters = Parameters.initial(ModelConfig(vocab_size=6, hidden_size=192, num_layers=2), 1)
    stepper, ids = Stepper(parameters, rows), np.zeros(rows, np.intp)
    stepper.step(ids)
    tracemalloc.start()
    try:
        stepper.step(ids)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            stepper.step(ids)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # views and numbers that live for a moment; an array of the gates has 768 bytes a row
    assert now - before < 1024
    assert peak - before < 2048


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
