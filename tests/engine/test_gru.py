"""The reference cell against the ONNX reference evaluator, and the fast cell against the reference."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from chargru.config import ModelConfig
from chargru.engine import Parameters, gru
from chargru.engine.fused import products
from chargru.engine.fused.numpy_gru import PackedLayer, SequenceGru


def layer(seed, T, B, I, H):  # noqa: E741
    rng = np.random.default_rng(seed)
    W = rng.normal(0, 0.6, (I, 3 * H))
    U_zr, U_h = rng.normal(0, 0.6, (H, 2 * H)), rng.normal(0, 0.6, (H, H))
    return W, U_zr, U_h, rng.normal(0, 0.5, 3 * H), rng.normal(size=(T, B, I)), rng.normal(0, 0.7, (B, H))


def onnx_states(W, U_zr, U_h, b, x, h0):
    """All states (T, B, H) by ONNX's GRU with `linear_before_reset=0`, whose z keeps where ours updates."""
    T, B, _ = x.shape
    H = len(U_h)
    flip = np.ones(3 * H)
    flip[:H] = -1  # z ↦ 1 − z
    node = onnx.helper.make_node(
        "GRU", ["x", "W", "R", "B", "", "h0"], ["y"], hidden_size=H, linear_before_reset=0, direction="forward"
    )
    named = {
        "x": x,
        "W": (W * flip).T[None],
        "R": np.concatenate([U_zr * flip[: 2 * H], U_h], axis=1).T[None],
        "B": np.concatenate([b * flip, np.zeros(3 * H)])[None],
        "h0": h0[None],
    }
    infos = [onnx.helper.make_tensor_value_info(k, onnx.TensorProto.FLOAT, v.shape) for k, v in named.items()]
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, (T, 1, B, H))
    graph = onnx.helper.make_graph([node], "gru", infos, [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)])
    (y,) = ReferenceEvaluator(model).run(None, {k: v.astype(np.float32) for k, v in named.items()})
    return y[:, 0]


SHAPES = [(1, 1, 1, 1), (7, 3, 5, 4), (20, 2, 3, 8), (5, 4, 9, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_reference_is_the_onnx_gru_with_z_flipped(shape):
    W, U_zr, U_h, b, x, h0 = layer(1, *shape)
    trace = gru.sequence_forward(x @ W + b, h0, U_zr, U_h)
    np.testing.assert_allclose(trace.h[1:], onnx_states(W, U_zr, U_h, b, x, h0), atol=2e-6)


def fused(W, U_zr, U_h, b, x, h0, dh=None, *, width=None):
    T, B, inputs = x.shape
    H = len(U_h)
    packed = PackedLayer(inputs, H, x.dtype, width=width)
    packed.pack(W, U_zr, U_h, b)
    sequence = SequenceGru(T, B, H, x.dtype, width=width)
    np.matmul(x.reshape(1, T * B, inputs), packed.W, out=sequence.a.reshape(3, T * B, H))
    sequence.a += packed.b[:, :, None]
    sequence.h[0] = h0
    sequence.forward(packed)
    if dh is not None:
        sequence.dh[:] = dh
        sequence.backward(packed)
    return sequence


@pytest.mark.parametrize("seed", range(25))
def test_fused_is_the_reference_forward_and_back(seed):
    rng = np.random.default_rng(seed)
    T, B, inputs, H = (int(n) for n in rng.integers(1, 9, 4))
    W, U_zr, U_h, b, x, h0 = layer(seed, T, B, inputs, H)
    dh = rng.normal(size=(T, B, H))
    trace = gru.sequence_forward(x @ W + b, h0, U_zr, U_h)
    expected = gru.sequence_backward(trace, dh, U_zr, U_h)
    found = fused(W, U_zr, U_h, b, x, h0, dh)
    np.testing.assert_allclose(found.h, trace.h, atol=1e-12)
    da = np.concatenate(list(found.da), axis=-1)
    np.testing.assert_allclose(da, expected.a, atol=1e-11)
    dU_zr, dU_h = np.empty_like(U_zr), np.empty_like(U_h)
    found.recurrent_gradients(dU_zr, dU_h)
    np.testing.assert_allclose(dU_zr, expected.U_zr, atol=1e-11)
    np.testing.assert_allclose(dU_h, expected.U_h, atol=1e-11)


@pytest.mark.parametrize(("width", "small"), [(12, 1), (4, 1), (2, 2 * 12 * 4), (3, 3 * 12 * 8), (1, 10**6)])
def test_weights_in_blocks_and_rows_a_few_at_a_time_compute_the_same(width, small, monkeypatch):
    monkeypatch.setattr(products, "_SMALL", small)
    W, U_zr, U_h, b, x, h0 = layer(7, 5, 8, 3, 12)
    dh = np.random.default_rng(7).normal(size=(5, 8, 12))
    expected, found = fused(W, U_zr, U_h, b, x, h0, dh), fused(W, U_zr, U_h, b, x, h0, dh, width=width)
    np.testing.assert_allclose(found.h, expected.h, atol=1e-13)
    np.testing.assert_allclose(found.da, expected.da, atol=1e-12)


def test_fused_buffers_can_be_used_again():
    first, second = layer(1, 6, 3, 4, 5), layer(2, 6, 3, 4, 5)
    dh = np.random.default_rng(0).normal(size=(6, 3, 5))
    fresh = fused(*second, dh)
    used = fused(*first, dh)
    packed = PackedLayer(4, 5, np.float64)
    W, U_zr, U_h, b, x, h0 = second
    packed.pack(W, U_zr, U_h, b)
    np.matmul(x.reshape(1, 18, 4), packed.W, out=used.a.reshape(3, 18, 5))
    used.a += packed.b[:, :, None]
    used.h[0], used.dh[:] = h0, dh
    used.forward(packed)
    used.backward(packed)
    np.testing.assert_array_equal(used.h, fresh.h)
    np.testing.assert_array_equal(used.da, fresh.da)


def test_step_is_one_step_of_the_sequence():
    W, U_zr, U_h, b, x, h0 = layer(3, 4, 2, 3, 5)
    a = x @ W + b
    trace = gru.sequence_forward(a, h0, U_zr, U_h)
    h = h0
    for t in range(4):
        h, *_ = gru.step(a[t], h, U_zr, U_h)
        np.testing.assert_array_equal(h, trace.h[t + 1])


def test_sigmoid_never_overflows():
    with np.errstate(all="raise"):
        np.testing.assert_allclose(gru.sigmoid(np.array([-1e4, 0.0, 1e4])), [0, 0.5, 1])


def test_gate_names_reach_the_right_columns():
    parameters = Parameters(ModelConfig(vocab_size=3, hidden_size=2, num_layers=2))
    parameters.gate(1, "U", "r")[:] = 7
    parameters.gate(0, "b", "h")[:] = 5
    assert parameters["layers.1.U_zr"].tolist() == [[0, 0, 7, 7]] * 2
    assert parameters["layers.0.b"].tolist() == [0, 0, 0, 0, 5, 5]
    assert parameters.flat.sum() == 4 * 7 + 2 * 5
