"""Loss and gradients of the whole network, against an independent forward pass and float64 central differences."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Crew, Network, Parameters, Regularization
from chargru.engine import network as network_module
from tests.engine import naive


def problem(seed, dtype=np.float64, **sizes):
    """A random small network with a window of text and a state that is not zero."""
    rng = np.random.default_rng(seed)
    draw = {"L": (1, 3), "V": (1, 5), "H": (1, 4), "T": (1, 5), "B": (1, 4)}
    size = {name: int(rng.integers(low, high + 1)) for name, (low, high) in draw.items()} | sizes
    config = ModelConfig(vocab_size=size["V"], hidden_size=size["H"], num_layers=size["L"])
    parameters = Parameters.initial(config, seed, np.float64)
    parameters.flat += rng.normal(0, 0.2, parameters.flat.shape)  # biases too
    parameters = Parameters(config, dtype, parameters.flat.astype(dtype))
    inputs, targets = rng.integers(0, size["V"], (2, size["T"], size["B"]))
    h0 = rng.normal(0, 0.5, (size["L"], size["B"], size["H"])).astype(dtype)
    return parameters, inputs, targets, h0


def make_network(parameters, inputs, crew=None):
    return Network(parameters.config, inputs.shape[1], inputs.shape[0], parameters.flat.dtype, crew=crew)


def loss_of(network, parameters, inputs, targets, h0, drop=None):
    network.state[:] = h0
    return network.loss_and_gradients(parameters, inputs, targets, drop)


def check_gradients(parameters, inputs, targets, h0, drop=None, workers=1):
    with Crew(workers) as crew:
        network = make_network(parameters, inputs, crew)

        def loss():
            return loss_of(network, parameters, inputs, targets, h0, drop)

        loss()
        found = Parameters(parameters.config, np.float64, network.gradients.flat.copy())
        expected = Parameters(parameters.config, np.float64, naive.central_differences(loss, parameters.flat))
    scale = np.abs(expected.flat).max()
    for name in found:
        assert np.abs(found[name] - expected[name]).max() <= 1e-6 * max(scale, 1e-3), name


def mostly_long(count, *quick):
    """Seeds of which all but a few (small networks) run in CI only."""
    return [seed if seed in quick else pytest.param(seed, marks=pytest.mark.long) for seed in range(count)]


SPECIAL = [{"T": 1}, {"B": 1}, {"V": 1}, {"H": 1}, {"T": 1, "B": 1, "V": 1, "H": 1, "L": 1}, {"L": 3, "T": 8}]


@pytest.mark.parametrize("seed", mostly_long(60, 0, 1, 2, 3, 5, 6, 8, 9))
def test_every_gradient_of_random_shapes(seed):
    check_gradients(*problem(seed), workers=1 + seed % 3)


@pytest.mark.parametrize("sizes", SPECIAL, ids=str)
def test_every_gradient_of_special_shapes(sizes):
    check_gradients(*problem(99, **sizes))


@pytest.mark.parametrize("seed", mostly_long(8, 0))
@pytest.mark.parametrize(
    ("dropout", "weight_drop"),
    [(0.3, 0.2), *(pytest.param(*rates, marks=pytest.mark.long) for rates in ((0.4, 0.0), (0.0, 0.4)))],
)
def test_every_gradient_with_masks_fixed(seed, dropout, weight_drop):
    drop = Regularization(dropout, weight_drop, seed=seed, step=17)
    check_gradients(*problem(seed, L=2, T=4, B=3), drop=drop, workers=2)


@pytest.mark.parametrize("vocab_size", [3, pytest.param(200, marks=pytest.mark.long)])
def test_both_ways_to_sum_rows_by_character_are_right(vocab_size):
    parameters, inputs, targets, h0 = problem(5, V=vocab_size, L=1, H=2, T=5, B=3)
    check_gradients(parameters, inputs, targets, h0)


@pytest.mark.parametrize("seed", range(20))
def test_forward_is_the_naive_one(seed):
    parameters, inputs, targets, h0 = problem(seed)
    network = make_network(parameters, inputs)
    expected = naive.losses(parameters, inputs, targets, h0)
    assert loss_of(network, parameters, inputs, targets, h0) == pytest.approx(expected.mean(), rel=1e-12)
    network.state[:] = h0
    np.testing.assert_allclose(network.losses(parameters, inputs, targets), expected, rtol=1e-9)


def test_state_is_carried_from_window_to_window():
    parameters, inputs, targets, h0 = problem(3, T=6, L=2)
    whole = make_network(parameters, inputs)
    whole.state[:] = h0
    expected = whole.losses(parameters, inputs, targets)
    halves = make_network(parameters, inputs[:3])
    halves.state[:] = h0
    found = [halves.losses(parameters, inputs[half], targets[half]) for half in (slice(0, 3), slice(3, 6))]
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-12)
    np.testing.assert_allclose(halves.state, whole.state, rtol=1e-12)


def test_gradient_reaches_the_first_step_of_the_window():
    """Full back-propagation: a loss at the last step alone has a gradient at the first character."""
    parameters, _, _, h0 = problem(8, L=1, V=7, T=6, B=1, H=5)
    inputs = np.arange(6).reshape(6, 1)
    targets = np.full((6, 1), 6)

    def last_loss(first):
        parameters["layers.0.W"][0] += first
        value = naive.losses(parameters, inputs, targets, h0)[-1, 0]
        parameters["layers.0.W"][0] -= first
        return value

    assert abs(last_loss(0.1) - last_loss(-0.1)) > 1e-6
    check_gradients(parameters, inputs, targets, h0)


def test_shards_change_nothing_but_rounding():
    parameters, inputs, targets, h0 = problem(4, B=5, L=2)
    results = []
    for workers in (1, 2, 5):
        with Crew(workers) as crew:
            network = make_network(parameters, inputs, crew)
            loss = loss_of(network, parameters, inputs, targets, h0)
            results.append((loss, network.gradients.flat.copy(), network.state.copy()))
    for loss, gradients, state in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-12)
        np.testing.assert_allclose(gradients, results[0][1], atol=1e-12)
        np.testing.assert_allclose(state, results[0][2], atol=1e-12)


def test_same_threads_give_the_same_bits():
    parameters, inputs, targets, h0 = problem(6, np.float32, L=2, H=6, B=4)
    drop = Regularization(0.2, 0.1, seed=1, step=2)
    found = []
    for _ in range(3):
        with Crew(2) as crew:
            network = make_network(parameters, inputs, crew)
            loss = loss_of(network, parameters, inputs, targets, h0, drop)
            found.append((loss, network.gradients.flat.tobytes()))
    assert found[0] == found[1] == found[2]


def test_float32_is_close_to_float64():
    parameters, inputs, targets, h0 = problem(7, np.float32, L=2, H=6)
    network = make_network(parameters, inputs)
    loss = loss_of(network, parameters, inputs, targets, h0)
    exact = Parameters(parameters.config, np.float64, parameters.flat.astype(np.float64))
    reference = make_network(exact, inputs)
    assert loss == pytest.approx(loss_of(reference, exact, inputs, targets, h0), rel=1e-5)
    largest = np.abs(reference.gradients.flat).max()
    np.testing.assert_allclose(network.gradients.flat, reference.gradients.flat, atol=1e-4 * largest)


def test_evaluation_does_not_need_training_buffers_and_leaves_parameters_alone():
    parameters, inputs, targets, _ = problem(9, L=2)
    before = parameters.flat.copy()
    network = Network(parameters.config, inputs.shape[1], inputs.shape[0], np.float64, train=False)
    assert network.gradients is None
    network.losses(parameters, inputs, targets)
    assert np.array_equal(parameters.flat, before)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_loss_that_is_not_finite_is_told(bad):
    parameters, inputs, targets, h0 = problem(10, L=1)
    parameters["output.b_y"][:] = bad
    with np.errstate(invalid="ignore"):
        loss = loss_of(make_network(parameters, inputs), parameters, inputs, targets, h0)
    assert math.isnan(loss)


def test_uniform_output_costs_log_v():
    parameters, inputs, targets, h0 = problem(11, V=5)
    parameters["output.W_y"][:] = 0
    parameters["output.b_y"][:] = 3
    assert loss_of(make_network(parameters, inputs), parameters, inputs, targets, h0) == pytest.approx(math.log(5))


def test_gradients_added_up_by_threads_are_those_of_one_thread(monkeypatch):
    parameters, inputs, targets, h0 = problem(3, L=2, T=4, B=6)
    found = []
    for large in (1, 10**9):  # numbers from which on threads have a stretch each
        monkeypatch.setattr(network_module, "LARGE", large)
        with Crew(3) as crew:
            network = make_network(parameters, inputs, crew)
            loss_of(network, parameters, inputs, targets, h0)
            found.append(network.gradients.flat.tobytes())
    assert found[0] == found[1]
