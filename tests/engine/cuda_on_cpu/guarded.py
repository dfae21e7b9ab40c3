"""NumPy as a device's array library, with memory that tells when it is misused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_GUARD = 1 << 14  # items before and after: a tile of rows too many still ends in them


class Guarded:
    """`numpy`, but `empty` and `zeros` put guards around their arrays, and `empty` is full of what nobody wants.

    A kernel that writes beyond an array changes a guard (`check`); one that reads beyond it, or before anybody has
    written, gets a NaN or an impossible number, which spoils its result.
    """

    float32, float64, int32, int64 = np.float32, np.float64, np.int32, np.int64

    def __init__(self) -> None:
        self.buffers: list[tuple[np.ndarray, int]] = []

    def empty(self, shape: Any, dtype: Any = np.float32) -> np.ndarray:
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        count, wrong = math.prod(shape), _wrong(np.dtype(dtype))
        buffer = np.full(count + 2 * _GUARD, wrong, dtype)
        self.buffers.append((buffer, count))
        return buffer[_GUARD : _GUARD + count].reshape(shape)

    def zeros(self, shape: Any, dtype: Any = np.float32) -> np.ndarray:
        found = self.empty(shape, dtype)
        found.fill(0)
        return found

    def check(self) -> None:
        """Raises AssertionError if somebody wrote beyond an array."""
        for buffer, count in self.buffers:
            for guard in (buffer[:_GUARD], buffer[_GUARD + count :]):
                expected = np.full(_GUARD, _wrong(buffer.dtype), buffer.dtype)
                assert guard.tobytes() == expected.tobytes(), f"written beyond an array of {count} {buffer.dtype}"

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _wrong(dtype: np.dtype) -> Any:
    if dtype.kind == "f":
        return np.nan
    # whole numbers without a sign hold rounded ones: all bits are a NaN of bfloat16 and of TF32
    return np.iinfo(dtype).max if dtype.kind == "u" else np.iinfo(dtype).min // 2
