"""The compiled softmax output against the plain one in float64, in odd shapes and for what is not a number."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Network, Parameters
from chargru.engine.fused import choice
from chargru.engine.fused.compiled_output import CompiledOutput, CompiledOutputWeights
from chargru.engine.output import OutputWeights, SoftmaxOutput

pytestmark = pytest.mark.skipif(bool(choice.why_not()), reason=choice.why_not() or "compiled")

# (T, B, H, V): one character, less than a vector of them, whole ones, one more than that; blocks of rows and their rest
SHAPES = [(3, 2, 64, 1), (2, 1, 64, 2), (4, 16, 64, 16), (5, 17, 80, 65), (9, 33, 64, 37), (13, 10, 64, 300)]


def problem(T, B, H, V, seed=1):
    rng = np.random.default_rng(seed)
    h, W_y, b_y = rng.normal(size=(T * B, H)), rng.normal(0, 0.3, (H, V)), rng.normal(0, 1, V)
    return *(each.astype(np.float32) for each in (h, W_y, b_y)), rng.integers(0, V, T * B)


def computed(output, weights, h, W_y, b_y, targets, scale=0.01):
    weights.pack(W_y, b_y)
    losses = output.losses(h, targets, weights)
    dW_y, db_y, dh = (np.full_like(each, np.nan) for each in (W_y, b_y, h))
    output.gradients(h, targets, weights, scale, dW_y, db_y, dh)
    return losses, dW_y, db_y, dh


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_is_the_plain_one(shape):
    *numbers, targets = problem(*shape)
    compiled = CompiledOutput(*shape, np.float32), CompiledOutputWeights(*shape[2:], np.float32)
    for _ in range(2):  # the buffers of a window are those of the next
        found = computed(*compiled, *numbers, targets)
    right = computed(SoftmaxOutput(*shape, float), OutputWeights(), *(each.astype(float) for each in numbers), targets)
    for ours, theirs in zip(found, right, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * max(1e-3, np.abs(theirs).max()))


def likely(logits, targets):
    """Losses of these logits (N, V), which are given as biases, a row each."""
    V, losses = logits.shape[1], []
    for row, target in zip(logits, targets, strict=True):
        output, weights = CompiledOutput(1, 1, 64, V, np.float32), CompiledOutputWeights(64, V, np.float32)
        weights.pack(np.zeros((64, V), np.float32), row.astype(np.float32))
        losses.append(output.losses(np.zeros((1, 64), np.float32), np.array([target]), weights)[0])
    return np.array(losses)


def test_probabilities_are_right_from_one_to_almost_none():
    below = np.concatenate([[0, 1e-30, 1e-6], np.linspace(0.01, 87, 400)]).astype(np.float32)
    found = likely(np.stack([np.zeros_like(below), -below], axis=1), [0] * len(below))
    np.testing.assert_allclose(np.expm1(found.astype(float)), np.exp(-below.astype(float)), rtol=2e-6, atol=2e-7)
    output, weights = CompiledOutput(1, 1, 64, 403, np.float32), CompiledOutputWeights(64, 403, np.float32)
    weights.pack(np.zeros((64, 403), np.float32), -below)
    output.losses(np.zeros((1, 64), np.float32), np.array([0]), weights)
    np.testing.assert_allclose(output._p[0, :403], np.exp(-below.astype(float)), rtol=3e-7)


def test_huge_logits_are_certain_and_nothing_overflows():
    np.testing.assert_array_equal(likely(np.array([[3e38, -3e38, 0], [-1e30, 1e30, -1e30]]), [0, 1]), [0, 0])
    np.testing.assert_allclose(likely(np.array([[200.0, 0.0], [-5e4, -5e4]]), [1, 0]), [200, np.log(2)], rtol=1e-6)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_a_number_is_not_hidden(number):
    *numbers, targets = problem(2, 3, 64, 20)
    numbers[0][1, 5] = number
    weights, output = CompiledOutputWeights(64, 20, np.float32), CompiledOutput(2, 3, 64, 20, np.float32)
    losses = computed(output, weights, *numbers, targets)[0]
    assert np.isnan(losses[1])
    assert np.isfinite(np.delete(losses, 1)).all()


@pytest.mark.parametrize("target", [-1, 20])
def test_a_character_beyond_the_weights_is_refused(target):
    *numbers, targets = problem(2, 3, 64, 20)
    targets[4] = target
    weights, output = CompiledOutputWeights(64, 20, np.float32), CompiledOutput(2, 3, 64, 20, np.float32)
    with pytest.raises(IndexError, match="does not know"):
        computed(output, weights, *numbers, targets)


@pytest.mark.parametrize(("units", "kind"), [(64, CompiledOutput), (72, SoftmaxOutput)])
def test_a_network_scores_with_it(units, kind):
    network = Network(ModelConfig(vocab_size=7, hidden_size=units), 3, 5, train=False)
    parameters = Parameters.initial(ModelConfig(vocab_size=7, hidden_size=units), 1)
    parameters.flat[:] = 0
    losses = network.losses(parameters, *np.zeros((2, 5, 3), np.int64))
    assert type(network._shard(0).output) is kind
    np.testing.assert_allclose(losses, np.log(7), rtol=1e-6)
