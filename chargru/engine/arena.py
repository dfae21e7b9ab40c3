"""Memory that the training process and its helpers share: pages without a name, gone with the last who maps them."""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from chargru.engine.parameters import Array

_ALIGNMENT = 64  # bytes: a cache line, so that no two arrays have one in common

Field = tuple[tuple[int, ...], npt.DTypeLike]


def can_share() -> bool:
    """Whether this system has memory of that kind (Linux has)."""
    return hasattr(os, "memfd_create")


class Arena:
    """Arrays of given shapes and types in shared memory, one after the other: `arrays`, all zero at first.

    Whoever gives the same fields and the descriptor of an arena has the same numbers. The memory stays while an array
    of it is in use, here or in another process; the descriptor until `close`.
    """

    def __init__(self, fields: Sequence[Field], descriptor: int | None = None) -> None:
        """A new arena; or, with a `descriptor`, one that somebody else has made.

        Raises:
            OSError: the memory is not to be had.
        """
        sizes = [math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in fields]
        padded = [-(-size // _ALIGNMENT) * _ALIGNMENT for size in sizes]
        self.descriptor = -1 if descriptor is None else descriptor
        try:
            if descriptor is None:
                self.descriptor = os.memfd_create("chargru")
                os.ftruncate(self.descriptor, sum(padded))
            memory = mmap.mmap(self.descriptor, sum(padded))
        except OSError:
            self.close()
            raise
        self.arrays: list[Array] = []
        begin = 0
        for (shape, dtype), size in zip(fields, padded, strict=True):
            self.arrays.append(np.frombuffer(memory, dtype, math.prod(shape), begin).reshape(shape))
            begin += size

    def close(self) -> None:
        """Let go of the descriptor; the arrays stay."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1

    def __del__(self) -> None:
        self.close()
