"""The kernels of a step on tensor cores, on the processor: sums of exactly those numbers that rounding leaves."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine.fused import tensor_launches as tensor
from chargru.engine.fused.tensor_launches import LOW, TILES, TensorStep, filled, fitting_tile
from tests.engine import test_cell_kernels
from tests.engine.cuda_on_cpu import FACTS, emulated_device, needs_compiler
from tests.engine.rounding import lowered, rounded

pytestmark = needs_compiler

SMALL = TILES[0]
# (B, H): less than a chunk, whole tiles, ragged in both, a warp without a chunk, warps with one and with two
SHAPES = [(1, 1), (3, 5), (16, 32), (17, 33), (7, 70), (2, 300)]
LARGE_SHAPES = [(70, 70), (2, 300)]  # more than a tile of rows, and more than one of columns
CASES = [
    pytest.param(*shape, precision, tile, id=f"{precision}-{tile.rows}x{tile.columns}-{shape}", marks=marks)
    for precision in LOW
    for tile in TILES
    for shapes, marks in [(SHAPES, []) if tile == SMALL else (LARGE_SHAPES, [pytest.mark.long])]
    for shape in shapes
]


class Step(test_cell_kernels.Step):
    """Random arrays of one step on a device, what is packed of them, and their float64 doubles, rounded."""

    def __init__(self, B, H, precision, tile=SMALL, order=0):
        super().__init__(B, H, order, precision)
        self.precision = precision
        self.launches = TensorStep(self.device.launcher, FACTS, precision, B, H, tile=tile)

    def zeros_low(self, *rows):
        return self.device.xp.zeros((*rows, self.launches.depth), self.launches.low)

    def packed(self, how, source):
        count = source.shape[1 if how == "columns" else 0]
        out = self.device.xp.empty((count, self.launches.depth), self.launches.low)
        lower = tensor.lower_columns if how == "columns" else tensor.lower_rows
        lower(self.device.launcher, self.precision, source, out)()
        self.device.xp.check()
        return out

    def run(self, launch, *arguments):
        getattr(self.launches, launch)(*arguments)()
        self.device.xp.check()

    def rounded(self, x):
        return rounded(x, self.precision)


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=3e-6 * max(1.0, np.abs(expected).max()), rtol=0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("how", ["rows", "columns"])
@pytest.mark.parametrize("precision", LOW)
def test_packing_rounds_to_the_nearest_and_fills_up_with_zeros(precision, how):
    step = Step(1, 70, precision)
    source = step.random(70, 41) if how == "columns" else step.random(41, 70)
    source[0, :6] = [0.0, -0.0, 1e-40, 3.3e38, 1 + 2.0**-8, 1 + 3 * 2.0**-8]  # the last: as near to one as to another
    source[1, :4] = [1 + 2.0**-11, 1 + 3 * 2.0**-11, -1 - 2.0**-11, 2.0**-149]
    found = step.packed(how, source)
    expected = np.ascontiguousarray(source.T) if how == "columns" else source
    assert np.array_equal(found[:, :70], lowered(expected, precision))
    assert found.shape[1] == filled(70, precision) > 70
    assert not found[:, 70:].any()


@pytest.mark.parametrize("precision", LOW)
def test_what_is_not_finite_stays_so(precision):
    step = Step(1, 3, precision)
    source = step.random(1, 3)
    source[0] = [np.nan, np.inf, -np.inf]
    words = step.packed("rows", source)[0, :3].astype(np.uint32)
    found = (words << 16 if precision == "bf16" else words).view(np.float32)
    assert np.isnan(found[0])
    assert found[1:].tolist() == [np.inf, -np.inf]


def forward(B, H, precision, tile=SMALL, order=0):
    """Two steps: the second multiplies what the first has rounded."""
    step = Step(B, H, precision, tile, order)
    U_zr_T, U_h_T = step.packed("columns", step.U_zr), step.packed("columns", step.U_h)
    a = [step.a.copy(), step.random(B, 3 * H)]
    given = [each.astype(np.float64) for each in a]
    h, s = [step.h, step.empty(B, H), step.empty(B, H)], [step.empty(B, H) for _ in range(2)]
    h_low, s_low = step.zeros_low(B), step.zeros_low(B)
    tensor.lower_rows(step.device.launcher, precision, step.h, h_low)()
    for t in range(2):
        step.run("gates", U_zr_T, step.b, a[t], h[t], h_low, s[t], s_low)
        step.run("candidate", U_h_T, step.b, a[t], h[t], s_low, h[t + 1], h_low)
    return step, given, a, h, s, h_low


@pytest.mark.parametrize(("B", "H", "precision", "tile"), CASES)
def test_forward_is_the_reference_with_rounded_factors(B, H, precision, tile):
    step, given, a, h, s, h_low = forward(B, H, precision, tile)
    U_z, U_r, U_h = (step.rounded(each) for each in (step.U_zr[:, :H], step.U_zr[:, H:], step.U_h))
    b = step.b.astype(np.float64)
    for t in range(2):
        x = given[t] + b
        before = h[t].astype(np.float64)
        z = sigmoid(x[:, :H] + step.rounded(h[t]) @ U_z)
        r = sigmoid(x[:, H : 2 * H] + step.rounded(h[t]) @ U_r)
        close(s[t], r * before)
        h_tilde = np.tanh(x[:, 2 * H :] + step.rounded(s[t]) @ U_h)
        close(a[t], np.concatenate([z, r, h_tilde], axis=1))
        close(h[t + 1], before + z * (h_tilde - before))
    assert np.array_equal(h_low[:, :H], lowered(h[2], precision))
    assert not h_low[:, H:].any()


def backward(B, H, precision, tile=SMALL, order=0):
    """Two steps back: what arrives at the one before."""
    step = Step(B, H, precision, tile, order)
    run, h = step.run, [step.h, step.random(B, H)]
    a = [np.abs(np.tanh(step.random(B, 3 * H))) for _ in range(2)]  # z, r, h̃ of steps 0 and 1
    dh = [step.random(B, H) for _ in range(2)]
    da, carry, q = [step.empty(B, 3 * H) for _ in range(2)], step.empty(B, H), step.empty(B, H)
    U_zr, U_h = step.packed("rows", step.U_zr.reshape(2 * H, H)), step.packed("rows", step.U_h)
    da_low = step.zeros_low(3, B)
    run("back_start", dh[1], a[1], h[1], da[1], da_low, carry)
    run("back_first", U_zr, U_h, a[1], h[1], da[1], da_low, carry, q)
    run("back_second", U_zr, q, dh[0], a[0], h[0], da[0], da_low, carry)
    run("back_first", U_zr, U_h, a[0], h[0], da[0], da_low, carry, q)
    return step, a, h, dh, da, da_low


@pytest.mark.parametrize(("B", "H", "precision", "tile"), CASES)
def test_backward_is_the_reference_with_rounded_factors(B, H, precision, tile):
    step, a, h, dh, da, da_low = backward(B, H, precision, tile)
    U_z, U_r, U_h = (step.rounded(each).T for each in (step.U_zr[:, :H], step.U_zr[:, H:], step.U_h))
    flows = 0.0
    for t in (1, 0):
        z, r, h_tilde = (a[t][:, i * H : (i + 1) * H].astype(np.float64) for i in range(3))
        before, g = h[t].astype(np.float64), dh[t].astype(np.float64) + flows
        da_h, da_z = g * z * (1 - h_tilde**2), g * (h_tilde - before) * z * (1 - z)
        # rounded is what the kernels computed, so that a rounding the other way round is not taken for a fault
        ds = step.rounded(da[t][:, 2 * H :]) @ U_h
        da_r = ds * before * r * (1 - r)
        close(da[t], np.concatenate([da_z, da_r, da_h], axis=1))
        flows = g * (1 - z) + ds * r + step.rounded(da[t][:, :H]) @ U_z + step.rounded(da[t][:, H : 2 * H]) @ U_r
    for i in range(3):
        assert np.array_equal(da_low[i, :, :H], lowered(da[0][:, i * H : (i + 1) * H], precision))
        assert not da_low[i, :, H:].any()


@pytest.mark.parametrize("precision", LOW)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_no_order_of_threads_changes_a_bit(order, precision):
    plain, other = forward(19, 70, precision), forward(19, 70, precision, order=order)
    for found, expected in zip(other[2:5], plain[2:5], strict=True):
        assert all(map(np.array_equal, found, expected))
    assert all(map(np.array_equal, backward(19, 70, precision)[4], backward(19, 70, precision, order=order)[4]))


def test_the_tile_leaves_the_busiest_multiprocessor_the_least_to_read():
    def tile(rows, columns, halves):
        found = fitting_tile(132, rows, columns, halves)
        return found.rows, found.columns

    assert tile(64, 256, 2) == (16, 16)  # 128 blocks of one multiprocessor each
    assert tile(64, 512, 2) == (16, 32)
    assert tile(64, 1024, 2) == (32, 32)
    assert tile(256, 512, 2) == (32, 64)
    assert tile(256, 1024, 2) == (64, 64)
    assert tile(1, 1, 1) == (16, 16)


def test_every_tile_is_one_of_256_threads():
    for tile in TILES:
        assert 32 * tile.row_warps * tile.column_warps * tile.depth_warps == 256
        assert tile.rows * tile.columns % 256 == 0


@pytest.mark.parametrize("precision", LOW)
def test_wrong_arrays_are_refused_before_a_kernel_sees_them(precision):
    step = Step(3, 8, precision)
    U_zr_T, s, low = step.packed("columns", step.U_zr), step.empty(3, 8), step.zeros_low(3)
    good = [U_zr_T, step.b, step.a, step.h, low, s, low.copy()]
    step.launches.gates(*good)
    wrong = [
        (0, U_zr_T[:8], "shape"),
        (0, U_zr_T.astype(np.float32), "uint"),
        (2, step.a.T, "shape"),
        (4, low[:, :8], "shape"),
        (6, np.asfortranarray(low), "one piece"),
    ]
    for place, array, message in wrong:
        with pytest.raises(ValueError, match=message):
            step.launches.gates(*good[:place], array, *good[place + 1 :])
    with pytest.raises(ValueError, match="shape"):
        tensor.lower_rows(step.device.launcher, precision, step.U_h, low)


def test_float32_has_no_tensor_kernels():
    with pytest.raises(ValueError, match="float32"):
        TensorStep(emulated_device().launcher, FACTS, "float32", 4, 4)
