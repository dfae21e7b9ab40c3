"""How the product of a time step, (rows, H) by (H, H), is cut so that BLAS is quick at it.

OpenBLAS repacks the weights at every call of its large kernels, which for the few rows of a step costs as much as
the product itself. For cores with AVX-512 it also has kernels that read the weights where they are, for products of
up to 100³ multiplications. So the weights are kept as blocks of 64 columns, each in one piece, and a block meets as
many rows at once as those kernels take: 1.3 to 2.4 times faster than the whole product from 256 units on
(benchmarks/LOG.md).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from chargru.engine.blas import threadpool_info
from chargru.engine.parameters import Array

_SMALL = 100**3  # multiplications of a product that the small kernels take
_WIDTH = 64  # columns of a block: more is slower, fewer calls BLAS too often
_WHOLE = 128  # units up to which the rows of a step are a small product as they are
_ARCHITECTURES = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})  # OpenBLAS's names of AVX-512 kernels


def block_width(hidden_size: int, dtype: npt.DTypeLike) -> int:
    """Columns of a block: a divisor of H from 32 to 64, or H where there is none or blocks would gain nothing.

    This and `rows_at_once` depend on shapes and on the machine's kernels only, never on a measurement, so a training
    that is resumed computes what it would have.
    """
    if hidden_size <= _WHOLE or np.dtype(dtype) != np.float32 or not has_small_kernels():
        return hidden_size
    return next((n for n in range(_WIDTH, _WIDTH // 2 - 1, -1) if hidden_size % n == 0), hidden_size)


def rows_at_once(rows: int, hidden_size: int, width: int) -> int:
    """The largest divisor of `rows` of which the small kernels take that many times a block; `rows` if that is tiny."""
    fitting = max(n for n in range(1, rows + 1) if rows % n == 0 and (n == 1 or n * width * hidden_size <= _SMALL))
    return fitting if fitting >= 4 else rows


def blocks(weights: Array, width: int) -> Array:
    """A view of (H, H) weights as (H // width, H, width) blocks of columns."""
    H = len(weights)
    return weights.reshape(H, H // width, width).transpose(1, 0, 2)


def factors(x: Array, rows: int) -> Array:
    """A view of (.., B, H) as the left side of a product with blocks: (.., 1, B // rows, rows, H)."""
    *outer, B, H = x.shape
    return x.reshape(*outer, 1, B // rows, rows, H)


def results(x: Array, rows: int, width: int) -> Array:
    """A view of (.., B, H) as the result of such a product: (.., H // width, B // rows, rows, width)."""
    *outer, B, H = x.shape
    n = len(outer)
    cut = x.reshape(*outer, B // rows, rows, H // width, width)
    return cut.transpose(*range(n), n + 2, n, n + 1, n + 3)


@functools.cache
def has_small_kernels() -> bool:
    """Whether NumPy's BLAS is an OpenBLAS with kernels for small products on this machine."""
    return any(
        each.get("internal_api") == "openblas" and each.get("architecture") in _ARCHITECTURES
        for each in threadpool_info()
    )
