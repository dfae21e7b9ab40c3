"""NumPy as a device's array library, with memory that tells when it is misused."""

from __future__ import annotations

import ctypes
import math
import mmap
from typing import Any

import numpy as np

_FENCE = 1 << 18  # bytes before and after an array that nobody may touch: many rows too many still end in them
_PROT_NONE = 0
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def fenced(count: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """An array of `count` numbers that ends where memory begins which nobody may touch, and the bytes before it.

    There are bytes before it because memory is protected by pages; before them stands a fence as well.
    """
    size = count * np.dtype(dtype).itemsize
    room = max(1, -(-size // mmap.PAGESIZE)) * mmap.PAGESIZE
    memory = mmap.mmap(-1, _FENCE + room + _FENCE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for fence in (start, start + _FENCE + room):
        if _libc.mprotect(fence, _FENCE, _PROT_NONE):
            raise OSError(ctypes.get_errno(), "no fence around an array")
    whole = np.frombuffer(memory, np.uint8, room, _FENCE)
    return whole[room - size :].view(dtype), whole[: room - size]


class Guarded:
    """`numpy`, but what `empty` and `zeros` make is fenced, and `empty` is full of what nobody wants.

    A kernel that reads or writes beyond the end of an array, or far before its beginning, is stopped. One that writes
    just before it changes bytes there (`check`); one that reads there, or before anybody has written, gets a NaN or an
    impossible number, which spoils its result.
    """

    float32, float64, int32, int64 = np.float32, np.float64, np.int32, np.int64

    def __init__(self) -> None:
        self._before: list[np.ndarray] = []
        self.taken = 0  # bytes of all arrays that were made

    def empty(self, shape: Any, dtype: Any = np.float32) -> np.ndarray:
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        found, before = fenced(math.prod(shape), dtype)
        before.fill(0xFF)  # as a float a NaN, of any kind
        found.fill(_wrong(found.dtype))
        self._before.append(before)
        self.taken += found.nbytes
        return found.reshape(shape)

    def zeros(self, shape: Any, dtype: Any = np.float32) -> np.ndarray:
        found = self.empty(shape, dtype)
        found.fill(0)
        return found

    def check(self) -> None:
        """Raises AssertionError if somebody wrote before an array."""
        assert all((before == 0xFF).all() for before in self._before), "written before an array"

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _wrong(dtype: np.dtype) -> Any:
    if dtype.kind == "f":
        return np.nan
    # whole numbers without a sign hold rounded ones: all bits are a NaN of bfloat16 and of TF32
    return np.iinfo(dtype).max if dtype.kind == "u" else np.iinfo(dtype).min // 2
