"""The compiled loops against the readable reference in float64, in full windows and in odd shapes."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Crew, Network, Parameters, Regularization, gru
from chargru.engine.fused import choice
from chargru.engine.fused.compiled_gru import CompiledGru, CompiledLayer
from chargru.engine.fused.sequence import aligned

pytestmark = pytest.mark.skipif(bool(choice.why_not()), reason=choice.why_not() or "compiled")

# (T, B, H): one row, one group of rows, groups of one and of two sizes, a step, panels that are no power of two
SHAPES = [(4, 1, 64), (5, 16, 64), (3, 17, 80), (2, 33, 64), (1, 5, 128), (9, 7, 96), (40, 25, 128)]


def problem(T, B, H, seed=1):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.normal(0, 1.5 / np.sqrt(H), shape).astype(np.float32)

    x, h0, dh = rng.normal(size=(T * B, H)), rng.normal(0, 0.5, (B, H)), rng.normal(size=(T, B, H))
    weights = draw(H, 3 * H), draw(H, 2 * H), draw(H, H), draw(3 * H)
    return weights, *(each.astype(np.float32) for each in (x, h0, dh))


def computed(T, B, H, weights, x, h0, dh):
    packed, loops = CompiledLayer(H, H, np.float32), CompiledGru(T, B, H, np.float32)
    packed.pack(*weights)
    loops.h[0], loops.dh[:] = h0, dh
    loops.read(x, packed)
    loops.forward(packed)
    loops.backward(packed)
    return packed, loops


def expected(T, B, H, weights, x, h0, dh):
    W, U_zr, U_h, b = (each.astype(np.float64) for each in weights)
    trace = gru.sequence_forward((x @ W + b).reshape(T, B, 3 * H), h0.astype(np.float64), U_zr, U_h)
    return trace, gru.sequence_backward(trace, dh.astype(np.float64), U_zr, U_h)


def close(found, right):
    np.testing.assert_allclose(found, right, rtol=0, atol=2e-5 * np.abs(right).max())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_window_is_the_references_forward_and_back(shape):
    T, B, H = shape
    weights, x, h0, dh = problem(*shape)
    trace, back = expected(*shape, weights, x, h0, dh)
    packed, loops = computed(*shape, weights, x, h0, dh)
    close(loops.h, trace.h)
    close(np.concatenate(list(loops.da), axis=-1), back.a)
    dU_zr, dU_h = np.full((H, 2 * H), np.nan, np.float32), np.full((H, H), np.nan, np.float32)
    loops.recurrent_gradients(dU_zr, dU_h)
    close(dU_zr, back.U_zr)
    close(dU_h, back.U_h)
    dW, db, dx = np.full_like(weights[0], np.nan), np.full_like(weights[3], np.nan), np.full_like(x, np.nan)
    da = back.a.reshape(T * B, 3 * H)
    loops.input_gradients(x, dW, db)
    close(dW, x.astype(np.float64).T @ da)
    close(db, da.sum(axis=0))
    loops.gradient_below(packed, dx)
    close(dx, da @ weights[0].astype(np.float64).T)
    ids = np.random.default_rng(3).integers(0, 6, T * B)
    dV = np.full((7, 3 * H), np.nan, np.float32)  # the last character never comes
    loops.character_gradients(ids, dV)
    close(dV, np.stack([da[ids == c].sum(axis=0) for c in range(7)]))


def test_many_rows_meet_in_blocks_and_in_what_is_left_of_them():
    for N in (1, 127, 128, 129, 131, 300):
        weights, x, h0, dh = problem(N, 1, 64, seed=N)
        _, loops = computed(N, 1, 64, weights, x, h0, dh)
        dU_zr, dU_h = np.empty((64, 128), np.float32), np.empty((64, 64), np.float32)
        loops.recurrent_gradients(dU_zr, dU_h)
        close(dU_h, loops.s.reshape(N, 64).astype(np.float64).T @ loops.da[2].reshape(N, 64))
        close(dU_zr[:, 64:], loops.h[:-1].reshape(N, 64).astype(np.float64).T @ loops.da[1].reshape(N, 64))


def test_scoring_keeps_no_history_and_computes_the_same():
    T, B, H = shape = (6, 3, 64)
    weights, x, h0, dh = problem(*shape)
    _, trained = computed(*shape, weights, x, h0, dh)
    packed, loops = CompiledLayer(H, H, np.float32), CompiledGru(T, B, H, np.float32, train=False)
    packed.pack(*weights)
    loops.h[0] = h0
    loops.read(x, packed)
    loops.forward(packed)
    assert loops.s.shape == (1, B, H)
    np.testing.assert_array_equal(loops.h, trained.h)


def test_what_is_not_a_number_is_not_hidden():
    weights, x, h0, dh = problem(3, 4, 64)
    x[0, 0] = np.nan
    _, loops = computed(3, 4, 64, weights, x, h0, dh)
    assert np.isnan(loops.h[1, 0]).all()
    assert np.isfinite(loops.h[1:, 1:]).all()  # other rows are other texts


def test_gates_of_huge_sums_are_their_limits():
    T, B, H = 1, 2, 64
    weights, _, h0, _ = problem(T, B, H)
    packed, loops = CompiledLayer(H, H, np.float32), CompiledGru(T, B, H, np.float32)
    packed.pack(*weights)
    loops.h[0] = h0
    loops.a[:2], loops.a[2] = 1e30, -np.inf
    loops.forward(packed)
    np.testing.assert_allclose(loops.a[:2], 1, rtol=1e-6)
    np.testing.assert_allclose(loops.h[1], -1, atol=1e-6)


def test_tanh_is_tanh():
    T, B, H = 1, 64, 64
    weights = [np.zeros(shape, np.float32) for shape in ((H, 3 * H), (H, 2 * H), (H, H), (3 * H,))]
    packed, loops = CompiledLayer(H, H, np.float32), CompiledGru(T, B, H, np.float32)
    packed.pack(*weights)
    sums = np.concatenate([np.linspace(-9, 9, 2048), np.geomspace(1e-30, 9, 2048)]).astype(np.float32)
    loops.a[:], loops.a[2] = 0, sums.reshape(1, B, H)
    loops.forward(packed)
    right = np.tanh(sums.astype(np.float64))
    np.testing.assert_allclose(loops.a[2].reshape(-1), right, rtol=1e-6, atol=0)


def network_losses(workers=1, processes=False, updates=12, seed=4):
    config = ModelConfig(vocab_size=11, hidden_size=64, num_layers=2)
    parameters = Parameters.initial(config, seed)
    ids = np.random.default_rng(seed).integers(0, 11, (updates, 2, 9, 17))
    losses = []
    with Crew(workers, processes=processes) as crew:
        network = Network(config, 17, 9, crew=crew)
        for step, (inputs, targets) in enumerate(ids):
            drop = Regularization(dropout=0.2, weight_drop=0.1, seed=1, step=step)
            losses.append(network.loss_and_gradients(parameters, inputs, targets, drop))
            parameters.flat -= 0.5 * network.gradients.flat
        return losses, network.gradients.flat.copy()


def test_trainings_are_those_of_numpy(monkeypatch):
    compiled, gradients = network_losses()
    monkeypatch.setenv(choice.SWITCH, "0")
    numpy, others = network_losses()
    assert compiled != numpy  # they differ in their last bits, or the switch does nothing
    np.testing.assert_allclose(compiled, numpy, rtol=1e-4)
    np.testing.assert_allclose(gradients, others, rtol=0, atol=1e-4 * np.abs(others).max())


@pytest.mark.long
def test_processes_and_threads_compute_the_same_to_the_bit():
    (alone, first), (threads, second), (processes, third) = (
        network_losses(2, False), network_losses(2, False), network_losses(2, True),
    )  # fmt: skip
    assert alone == threads == processes
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)


def test_ids_beyond_the_weights_are_refused():
    loops, dW = CompiledGru(1, 2, 64, np.float32), np.zeros((3, 192), np.float32)
    for wrong in (3, -1):
        with pytest.raises(IndexError):
            loops.character_gradients(np.array([0, wrong]), dW)


def test_arrays_begin_with_a_line():
    for shape in ((1,), (3, 5), (7, 2, 64)):
        array = aligned(shape, np.float32)
        assert array.shape == shape
        assert array.ctypes.data % 64 == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
