"""Shared memory: the same numbers for whoever has the same fields and the descriptor."""

from __future__ import annotations

import os

import numpy as np
import pytest

from chargru.engine.arena import Arena, can_share

pytestmark = pytest.mark.skipif(not can_share(), reason="this system has no memory of that kind")

FIELDS = [((3,), np.float32), ((2, 2), np.float64), ((5,), np.intp)]


def test_two_arenas_of_one_descriptor_have_the_same_numbers():
    one = Arena(FIELDS)
    other = Arena(FIELDS, os.dup(one.descriptor))
    for number, array in enumerate(one.arrays):
        assert not array.any()
        array.fill(number + 1)
    for number, (array, (shape, dtype)) in enumerate(zip(other.arrays, FIELDS, strict=True)):
        assert (array.shape, array.dtype) == (shape, dtype)
        assert (array == number + 1).all()


def test_arrays_lie_in_cache_lines_of_their_own():
    assert all(array.ctypes.data % 64 == 0 for array in Arena(FIELDS).arrays)


def test_numbers_outlive_the_descriptor_and_the_arena():
    arena = Arena(FIELDS)
    descriptor, array = arena.descriptor, arena.arrays[0]
    arena.close()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)
    arena.close()  # twice does no harm
    del arena
    array[:] = 7
    assert array.tolist() == [7, 7, 7]


def test_memory_that_is_not_to_be_had_is_an_error_and_leaves_no_descriptor():
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(OSError, match=r".") as caught:
        Arena([((1 << 58,), np.float32)])
    del caught
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
