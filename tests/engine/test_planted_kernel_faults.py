"""Faults planted in the CUDA source: the checks that the kernels pass must fail on every one of them."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine import Regularization
from tests.engine.cuda_on_cpu import needs_compiler
from tests.engine.cuda_on_cpu.emulator import source_text
from tests.engine.test_device_network import Problem, check_gradients

pytestmark = [needs_compiler, pytest.mark.long]

SHAPE = {"L": 2, "V": 40, "H": 260, "T": 2, "B": 17}  # two slabs of depth, ragged tiles


def check(source=None):
    """Raises unless loss, gradients and states are right, whatever the order of threads, and no guard is touched."""
    problem = Problem(**SHAPE, source=source)
    network, parameters = problem.reference()
    expected = network.loss_and_gradients(parameters, problem.inputs, problem.targets)
    loss = problem.network.loss_and_gradients(problem.parameters, *problem.ids)
    check_gradients(problem, network.gradients, loss, expected)
    np.testing.assert_allclose(problem.network.state, network.state, atol=1e-5)
    found = []
    for order in (0, 1):
        other = Problem(**SHAPE, order=order, source=source)
        loss = other.network.loss_and_gradients(other.parameters, *other.ids, Regularization(0.1, 0.1, 1, 2))
        found.append((loss.tobytes(), other.network.gradients.flat.tobytes()))
    assert found[0] == found[1]


BARRIER, UNROLL = "    __syncthreads();\n", "#pragma unroll\n"
HALVES = "if (thread < half) sums[thread] += sums[thread + half];\n"
ROW = "    const int row = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x;\n"


def without(barrier, before="", after=""):
    """A barrier between two pieces of the source, left out."""
    return before + barrier + after, before + after


FAULTS = {
    "no barrier before the next slab": without("__syncthreads();  // every warp is done with the last slab"),
    "no barrier after a slab": without(f"    {BARRIER}", after=f"{UNROLL}        for (int i = 0; i < SLICE; i += 4)"),
    "no barrier before the warps' sums": without(
        BARRIER, after=f"{UNROLL}    for (int row = 0; row < ROWS; row++) shared"
    ),
    "no barrier after the warps' sums": without(BARRIER, before="sum[row];\n"),
    "rows beyond the batch": ("i < ROWS / WARPS && row < B;", "i < ROWS / WARPS;"),
    "columns beyond the layer": ("    if (column < (columns))", "    if (column <= (columns))"),
    "z's weights for r": ("U_zr + (size_t)half * H, 2 * H", "U_zr, 2 * H"),
    "keep with z": ("before + z * (h_tilde - before)", "h_tilde + z * (before - h_tilde)"),
    "no reset": ("s[own] = gate * h[own];", "s[own] = h[own];"),
    "carry forgotten": ("carry[own] += ds * r;", "carry[own] = ds * r;"),
    "U_z for U_r on the way back": ("U_zr_T + (size_t)H * H, H", "U_zr_T, H"),
    "q forgotten": ("carry[own] + q[own] + sums[i]", "carry[own] + sums[i]"),
    "derivative of tanh": ("(1.0f - h_tilde * h_tilde)", "(1.0f - h_tilde)"),
    "no barrier in a transpose": without(
        BARRIER, after="    for (int i = threadIdx.y; i < 32; i += 8)\n        if (x + i <"
    ),
    "the target's logit is overwritten": without("    __syncwarp();"),
    "no barrier in the sum by character": without(BARRIER, before="sum[i];\n", after="    if (threadIdx.y >= 4"),
    "no barrier in the column sums": without(BARRIER, before="= sum;\n", after="    if (threadIdx.y != 0"),
    "no barrier in a sum over all": without(f"    {BARRIER}", before=f"        {HALVES}"),
    "a barrier that not all reach": (ROW, f"{ROW}    if (lane < 16) __syncthreads();\n"),
}


def test_without_a_fault_all_is_well():
    check()


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found(fault):
    right, wrong = FAULTS[fault]
    assert source_text().count(right) == 1, "the source has changed: plant this fault anew"
    with pytest.raises((AssertionError, RuntimeError)):
        check(source_text().replace(right, wrong))
