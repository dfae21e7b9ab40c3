"""Faults planted in the CUDA sources: the checks that the kernels pass must fail on every one of them."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine import Regularization
from tests.engine.cuda_on_cpu import needs_compiler
from tests.engine.cuda_on_cpu.emulator import text_of
from tests.engine.test_device_network import TOLERANCE, Problem, check_gradients

pytestmark = [needs_compiler, pytest.mark.long]

# two slabs of depth, a warp with two chunks and one with three, ragged tiles
SHAPE = {"L": 2, "V": 40, "H": 260, "T": 2, "B": 17}
VARIANTS = {"fused": "float32", "tensor": "tf32"}


def check(variant, edit=None):
    """Raises unless loss, gradients and states are right, whatever the order of threads, and no guard is touched."""
    how = {"variant": variant, "precision": VARIANTS[variant], "edit": edit}
    problem = Problem(**SHAPE, **how)
    network, parameters = problem.reference()
    expected = network.loss_and_gradients(parameters, problem.inputs, problem.targets)
    loss = problem.network.loss_and_gradients(problem.parameters, *problem.ids)
    check_gradients(problem, network.gradients, loss, expected)
    np.testing.assert_allclose(problem.network.state, network.state, atol=TOLERANCE[VARIANTS[variant]][2])
    found = []
    for order in (0, 1):
        other = Problem(**SHAPE, order=order, **how)
        loss = other.network.loss_and_gradients(other.parameters, *other.ids, Regularization(0.1, 0.1, 1, 2))
        found.append((loss.tobytes(), other.network.gradients.flat.tobytes()))
    assert found[0] == found[1]


BARRIER, UNROLL = "    __syncthreads();\n", "#pragma unroll\n"
HALVES = "if (thread < half) sums[thread] += sums[thread + half];\n"
ROW = "    const int row = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x;\n"


def without(barrier, before="", after=""):
    """A barrier between two pieces of the source, left out."""
    return before + barrier + after, before + after


FUSED_FAULTS = {
    "no barrier before the next slab": without("__syncthreads();  // every warp is done with the last slab"),
    "no barrier after a slab": without(f"    {BARRIER}", after=f"{UNROLL}        for (int i = 0; i < SLICE; i += 4)"),
    "no barrier before the warps' sums": without(
        BARRIER, after=f"{UNROLL}    for (int row = 0; row < ROWS; row++) shared"
    ),
    "no barrier after the warps' sums": without(BARRIER, before="sum[row];\n"),
    "a slab beyond the depth": ("whole = start + DEPTH <= depth", "whole = start < depth"),
    "a slab of rows beyond the batch": ("first_row + ROWS <= rows", "first_row < rows"),
    "rows beyond the batch": ("row += WARPS) if (row < B)", "row += WARPS)"),
    "columns beyond the layer": ("    if (column < (columns)) ", "    if (column <= (columns))"),
    "z's weights for r": ("U_zr + (size_t)half * H, 2 * H", "U_zr, 2 * H"),
    "U_z for U_r on the way back": ("U_zr_T + (size_t)H * H, H", "U_zr_T, H"),
    "q forgotten": ("carry[own] + q[own];", "carry[own];"),
}
GRU_FAULTS = {
    "no barrier in a transpose": without(
        BARRIER, after="    for (int i = threadIdx.y; i < 32; i += 8)\n        if (x + i <"
    ),
    "the target's logit is overwritten": without("    __syncwarp();"),
    "no barrier in the sum by character": without(BARRIER, before="sum[i];\n", after="    if (threadIdx.y >= 4"),
    "no barrier in the column sums": without(BARRIER, before="= sum;\n", after="    if (threadIdx.y != 0"),
    "no barrier in a sum over all": without(f"    {BARRIER}", before=f"        {HALVES}"),
    "a barrier that not all reach": (ROW, f"{ROW}    if (lane < 16) __syncthreads();\n"),
}


CELL_FAULTS = {
    "keep with z": ("in.h + in.z * (h_tilde - in.h)", "h_tilde + in.z * (in.h - h_tilde)"),
    "no reset": ("reset = gate * in.h;", "reset = in.h;"),
    "carry forgotten": ("in.carry + ds * in.r;", "ds * in.r;"),
    "derivative of tanh": ("(1.0f - in.h_tilde * in.h_tilde)", "(1.0f - in.h_tilde)"),
    "the other's bias": ("b[half * H + column]", "b[column]"),
}
COLUMNS = "    for (int i = threadIdx.y; i < 32; i += 8) {\n        const int row = x + i"
TENSOR_FAULTS = {
    "no barrier before the warps' sums": without(BARRIER, before="= pair;\n            }\n"),
    "one warp's sums for another's": ("shared + (part * ROWS + row)", "shared + ((part ^ 1) * ROWS + row % 8)"),
    "chunks that nobody multiplies": ("first += AHEAD * WK)", "first += 2 * AHEAD * WK)"),
    "a chunk beyond the depth": ("if (first + k * WK >= chunks) break;", ""),
    "rows in the wrong order": ("one.x, other.x, one.y, other.y", "one.x, one.y, other.x, other.y"),
    "words of the depth in two orders": ("u[k][j].x, u[k][j].y", "u[k][j].y, u[k][j].x"),
    "rows beyond the batch": ("if (row < B && column < H)", "if (column < H)"),
    "columns beyond the layer": ("if (row < B && column < H)", "if (row < B)"),
    "z's weights for r": ("U_zr_T + (size_t)half * H * depth", "U_zr_T"),
    "U_z for U_r on the way back": ("U_zr + depth", "U_zr"),
    "z's gradient for h's": ("reset ? da_low + 2 * part : da_low", "da_low"),
    "q forgotten": ("carry[own] + q[own]", "carry[own]"),
    "r's gradient is not passed on": ("LOW_AT((da_low + part)) = lowered(", "(void)lowered("),
    "the state is not passed on": ("LOW_AT(h_low) = lowered(", "(void)lowered("),
}
LOWER_FAULTS = {
    "no barrier in a transpose": without(BARRIER, after=COLUMNS),
    "nothing fills up a row": (
        "lowered(column < width ? in[(size_t)row * width + column] : 0.0f)",
        "lowered(in[(size_t)row * width + column])",
    ),
    "a column too few": ("row < width && column < depth", "row < width - 1 && column < depth"),
}
FAULTS = {
    **{("fused", "fused.cu", name): fault for name, fault in FUSED_FAULTS.items()},
    **{("fused", "gru.cu", name): fault for name, fault in GRU_FAULTS.items()},
    **{("fused", "cell.cuh", name): fault for name, fault in CELL_FAULTS.items()},
    **{("tensor", "tensor.cu", name): fault for name, fault in TENSOR_FAULTS.items()},
    **{("tensor", "lower.cu", name): fault for name, fault in LOWER_FAULTS.items()},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_a_fault_all_is_well(variant):
    check(variant)


@pytest.mark.parametrize(("variant", "file", "fault"), FAULTS)
def test_every_fault_is_found(variant, file, fault):
    right, wrong = FAULTS[variant, file, fault]
    assert text_of(file).count(right) == 1, "the source has changed: plant this fault anew"
    with pytest.raises((AssertionError, RuntimeError)):
        check(variant, lambda name, text: text.replace(right, wrong) if name == file else text)
