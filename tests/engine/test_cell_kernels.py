"""The kernels of a time step, on the processor, against the equations; in every order of threads."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine import gru
from chargru.engine.fused import cell_launches as cell
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

pytestmark = needs_compiler

# (B, H): less than a tile, whole tiles, ragged in both, deeper than a slab of 256 at an edge and away from it
SHAPES = [(1, 1), (3, 5), (16, 32), (17, 33), (7, 70), (2, 300), (17, 260)]
VARIANTS = {"gemm": {}, **{f"fused, {rows} rows": {"rows": rows} for rows in cell.ROWS}}


class Step:
    """Random arrays of one step, and their float64 doubles."""

    def __init__(self, B, H, order=0, precision="float32"):
        self.device = emulated_device(precision, order)
        self.rng = np.random.default_rng(B * 1000 + H)
        self.B, self.H = B, H
        self.U_zr, self.U_h = self.random(H, 2 * H, scale=H**-0.5), self.random(H, H, scale=H**-0.5)
        self.b, self.a, self.h = self.random(3 * H), self.random(B, 3 * H), self.random(B, H)

    def random(self, *shape, scale=1.0):
        array = self.device.xp.empty(shape)
        array[...] = self.rng.normal(0, scale, shape)
        return array

    def empty(self, *shape):
        return self.device.xp.empty(shape)

    def run(self, launch, *arguments, **rows):
        getattr(cell, launch)(self.device.launcher, *arguments, **rows)()
        self.device.xp.check()


def exact(*arrays):
    return [array.astype(np.float64) for array in arrays]


def close(found, expected, tolerance=2e-6):
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, atol=tolerance * scale, rtol=0)


def forward(B, H, variant, order=0, in_place=False):
    step = Step(B, H, order)
    a, h = step.a.copy(), step.h
    s, h_next = step.empty(B, H), h.copy() if in_place else step.empty(B, H)
    before = h_next if in_place else h
    if rows := VARIANTS[variant]:
        step.run("gru_gates", step.U_zr, step.b, a, before, s, **rows)
        step.run("gru_candidate", step.U_h, step.b, a, before, s, h_next, **rows)
    else:
        step.run("gate_zr", h @ step.U_zr, step.b, a, before, s)
        step.run("gate_h", s @ step.U_h, step.b, a, before, h_next)
    return step, a, s, h_next


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("B", "H"), SHAPES)
def test_forward_is_the_reference(B, H, variant):
    step, a, s, h_next = forward(B, H, variant)
    a64, h64, U_zr, U_h, b = exact(step.a, step.h, step.U_zr, step.U_h, step.b)
    expected_h, z, r, h_tilde = gru.step(a64 + b, h64, U_zr, U_h)
    close(h_next, expected_h)
    close(a, np.concatenate([z, r, h_tilde], axis=1))
    close(s, r * h64)


def test_the_state_may_be_overwritten_in_place():
    found = [forward(19, 40, "fused, 16 rows", in_place=in_place)[3] for in_place in (False, True)]
    assert np.array_equal(*found)


def backward(B, H, variant, order=0):
    """Two steps back: what arrives at the one before."""
    step = Step(B, H, order)
    run, h = step.run, [step.h, step.random(B, H)]
    a = [np.abs(np.tanh(step.random(B, 3 * H))) for _ in range(2)]  # z, r, h̃ of steps 0 and 1
    dh = [step.random(B, H) for _ in range(2)]
    da, carry, q = [step.empty(B, 3 * H) for _ in range(2)], step.empty(B, H), step.empty(B, H)
    U_zr_T, U_h_T = np.ascontiguousarray(step.U_zr.T), np.ascontiguousarray(step.U_h.T)
    run("back_start", dh[1], a[1], h[1], da[1], carry)
    for t in (1, 0):
        if rows := VARIANTS[variant]:
            run("gru_back_first", U_zr_T, U_h_T, a[t], h[t], da[t], carry, q, **rows)
        else:
            run("back_r", np.ascontiguousarray(da[t][:, 2 * H :] @ U_h_T), a[t], h[t], da[t], carry)
        if t == 0:
            break
        if rows:
            run("gru_back_second", U_zr_T, da[1], q, dh[0], a[0], h[0], da[0], carry, **rows)
        else:
            run("back_next", np.ascontiguousarray(da[1][:, : 2 * H] @ U_zr_T), dh[0], a[0], h[0], da[0], carry)
    return step, a, h, dh, da


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("B", "H"), SHAPES)
def test_backward_is_the_reference(B, H, variant):
    step, a, h, dh, da = backward(B, H, variant)
    z, r, h_tilde = (np.stack([each[:, i * H : (i + 1) * H] for each in a]).astype(np.float64) for i in range(3))
    h64 = np.stack([*h, np.zeros_like(h[0])]).astype(np.float64)
    trace = gru.Trace(h64, z, r, h_tilde)
    expected = gru.sequence_backward(trace, np.stack(dh).astype(np.float64), *exact(step.U_zr, step.U_h))
    close(np.stack(da), expected.a)


@pytest.mark.parametrize(("rows", "depth", "columns"), [(1, 1, 1), (17, 40, 65), (3, 300, 33), (33, 256, 7)])
def test_dense_is_a_product(rows, depth, columns):
    step = Step(1, 1)
    left, right, out = step.random(rows, depth), step.random(depth, columns), step.empty(rows, columns)
    for rows in cell.ROWS:
        step.run("dense", left, right, out, rows=rows)
        close(out, np.matmul(*exact(left, right)))


@pytest.mark.parametrize(("B", "H"), [(7, 70), (17, 260)])
def test_the_rows_of_a_block_change_no_bit(B, H):
    one, other = ((*forward(B, H, name)[1:], backward(B, H, name)[4]) for name in list(VARIANTS)[1:])
    assert all(map(np.array_equal, one, other))


def test_the_rows_that_fit_keep_every_multiprocessor_busy():
    def fitting(*sizes):
        return cell.fitting_rows(132, *sizes)

    assert fitting(32, 256, 2) == 8  # 32 blocks of 16 rows, 64 of 8
    assert fitting(64, 512) == 8  # 64, 128
    assert fitting(64, 512, 2) == 16  # 128: in one go; 256 of 8 would be two
    assert fitting(256, 1024, 2) == 16
    assert fitting(1, 64) == 8


@pytest.mark.parametrize("order", [1, 2, 3])
def test_no_order_of_threads_changes_a_bit(order):
    """A barrier too few would: the threads take turns at barriers only."""
    for variant in VARIANTS:
        plain, other = forward(19, 70, variant), forward(19, 70, variant, order)
        assert all(np.array_equal(x, y) for x, y in zip(plain[1:], other[1:], strict=True))
        assert all(map(np.array_equal, backward(19, 70, variant)[4], backward(19, 70, variant, order)[4]))


def test_wrong_arrays_are_refused_before_a_kernel_sees_them():
    step = Step(3, 8)
    launcher, s = step.device.launcher, step.empty(3, 8)
    good = [step.U_zr, step.b, step.a, step.h, s]
    cell.gru_gates(launcher, *good)
    wrong = [
        (0, step.U_zr.T, "shape"),
        (0, np.asfortranarray(step.U_zr), "one piece"),
        (1, step.b[1:], "shape"),
        (2, step.a.astype(np.float64), "float32"),
        (2, np.zeros((3, 48), np.float32)[:, ::2], "one piece"),
        (3, step.h[0], "dimensions"),
        (4, step.empty(3, 9), "shape"),
    ]
    for place, array, message in wrong:
        with pytest.raises(ValueError, match=message):
            cell.gru_gates(launcher, *good[:place], array, *good[place + 1 :])


def test_more_rows_than_a_grid_holds_are_refused():
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (16 * 65536, 1), (4, 4))
    step = Step(1, 1)
    with pytest.raises(ValueError, match="blocks"):
        cell.dense(step.device.launcher, huge, step.U_h, huge)
