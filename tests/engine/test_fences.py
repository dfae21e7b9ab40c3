"""The memory that kernels run over on the processor stops one that leaves its arrays, and the process goes on."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine.fused import window_launches as into
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler
from tests.engine.cuda_on_cpu.emulator import text_of

pytestmark = [needs_compiler, pytest.mark.long]

READ, WRITTEN = "= in[(size_t)(y + i)", "out[(size_t)(x + i) * rows + y"


def transposed(right="", wrong=""):
    """A transpose by the kernel, in which a piece was replaced: what came of it, and what should have."""
    assert text_of("gru.cu").count(right) == 1 or not right
    device = emulated_device(edit=(lambda name, text: text.replace(right, wrong)) if right else None)
    source, out = device.xp.empty((5, 7)), device.xp.empty((7, 5))
    source[...] = np.arange(35).reshape(5, 7)
    into.transpose(device.launcher, source, out)()
    device.xp.check()
    return out, source.T


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (READ, "= in[(size_t)(y + i + 1)"),
        (WRITTEN, "out[(size_t)(x + i + 1) * rows + y"),
        (WRITTEN, "out[(size_t)-50000 + y"),
        ("tile[i][threadIdx.x] =", "tile[i][threadIdx.x + 40] ="),
    ],
    ids=["reads beyond", "writes beyond", "writes far before", "beyond a shared array"],
)
def test_a_kernel_that_leaves_its_arrays_is_stopped(right, wrong):
    for _ in range(2):
        with pytest.raises(RuntimeError, match="transpose: memory outside of an array"):
            transposed(right, wrong)
    assert np.array_equal(*transposed())


def test_a_kernel_that_writes_just_before_an_array_is_found_out():
    with pytest.raises(AssertionError, match="before an array"):
        transposed(WRITTEN, "out[-1] = out[(size_t)(x + i) * rows + y")


def test_shared_memory_that_nobody_wrote_holds_nan_in_every_block():
    inside = "x + (int)threadIdx.x < columns)"
    for _ in range(2):
        found, right = transposed(inside, inside.replace("columns", "columns - 1"))
        assert np.array_equal(found[:-1], right[:-1])
        assert np.isnan(found[-1]).all()
