"""A matrix product as BLAS wants to hear it: pointers, transposes and leading dimensions, nothing copied."""

from __future__ import annotations

from typing import NamedTuple

from chargru.engine.fused.kernels import DeviceArray


class Gemm(NamedTuple):
    """Arguments of a column-major gemm that computes C = op(A) op(B) in float32; transposes are 0 or 1."""

    transpose_a: int
    transpose_b: int
    m: int
    n: int
    k: int
    A: DeviceArray
    lda: int
    B: DeviceArray
    ldb: int
    C: DeviceArray
    ldc: int


def gemm(a: DeviceArray, b: DeviceArray, out: DeviceArray) -> Gemm:
    """out = a b, where each matrix is row-major and BLAS column-major: so outᵀ = bᵀ aᵀ.

    `a` and `b` may be slices and transposes with one unit stride, `out` a slice of columns.

    Raises:
        ValueError: shapes that do not fit, another type, or strides that BLAS cannot read.
    """
    (m, k), (k_b, n) = a.shape, b.shape
    if k != k_b or out.shape != (m, n):
        raise ValueError(f"{a.shape} by {b.shape} does not give {out.shape}")
    if not a.dtype == b.dtype == out.dtype == "float32":
        raise ValueError(f"products are of float32, not of {a.dtype}, {b.dtype} and {out.dtype}")
    (transpose_a, lda), (transpose_b, ldb), (transpose_out, ldc) = map(_layout, (a, b, out))
    if transpose_out:
        raise ValueError("the result must have its rows in one piece each")
    return Gemm(transpose_b, transpose_a, n, m, k, b, ldb, a, lda, out, ldc)


def _layout(x: DeviceArray) -> tuple[int, int]:
    """Whether a matrix has its columns in one piece each (1) or its rows (0), and how far apart those are."""
    rows, columns = x.shape
    down, along = (stride // x.itemsize for stride in x.strides)
    # of a single row or column the other stride may be anything
    if (along == 1 or columns == 1) and (down >= columns or rows == 1):
        return 0, max(down, columns) if rows > 1 else columns
    if (down == 1 or rows == 1) and (along >= rows or columns == 1):
        return 1, max(along, rows) if columns > 1 else rows
    raise ValueError(f"a matrix of shape {x.shape} with strides {x.strides} is in too many pieces")
