"""Numbers of fewer bits in NumPy, as tensor cores multiply them: the twin of tensor_core.cuh's `lowered`."""

from __future__ import annotations

import numpy as np


def lowered(x: np.ndarray, precision: str) -> np.ndarray:
    """The words that hold the rounded numbers: uint16 for bf16, uint32 for tf32. Finite numbers only."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    if precision == "bf16":
        return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return (bits + 0x1000) & np.uint32(0xFFFFE000)


def rounded(x: np.ndarray, precision: str) -> np.ndarray:
    """The nearest numbers of this precision, as float64."""
    words = lowered(x, precision).astype(np.uint32)
    return (words << 16 if precision == "bf16" else words).view(np.float32).astype(np.float64)
