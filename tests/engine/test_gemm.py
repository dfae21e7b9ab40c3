"""What cuBLAS is told about a product, against a BLAS that is three loops over memory."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine.fused.gemm import gemm


def blas(call):
    """A column-major sgemm, reading and writing the matrices' memory by pointer and leading dimension alone."""

    def columns(x, ld, rows, count):
        """A matrix of `count` columns of `rows`, `ld` apart. Its own end is checked by NumPy's bounds."""
        base, first = whole(x)
        places = first + np.arange(rows)[:, None] + ld * np.arange(count)
        assert ld >= rows
        assert places.min() >= 0
        assert places.max() < base.size
        return base, places

    A, at_a = columns(call.A, call.lda, *((call.k, call.m) if call.transpose_a else (call.m, call.k)))
    B, at_b = columns(call.B, call.ldb, *((call.n, call.k) if call.transpose_b else (call.k, call.n)))
    C, at_c = columns(call.C, call.ldc, call.m, call.n)
    a, b = A[at_a].T if call.transpose_a else A[at_a], B[at_b].T if call.transpose_b else B[at_b]
    C[at_c] = a @ b


def whole(x):
    """The flat memory that an array is a view of, and where in it the array begins."""
    base = x
    while base.base is not None:
        base = base.base
    flat = base.reshape(-1)
    return flat, (x.ctypes.data - flat.ctypes.data) // x.itemsize


def matrix(rows, columns, kind):
    rng = np.random.default_rng(rows * 100 + columns)
    if kind == "plain":
        return rng.normal(size=(rows, columns)).astype(np.float32)
    if kind == "transposed":
        return rng.normal(size=(columns, rows)).astype(np.float32).T
    if kind == "slice":
        return rng.normal(size=(rows, columns + 7)).astype(np.float32)[:, 3 : 3 + columns]
    return rng.normal(size=(columns, rows + 5)).astype(np.float32)[:, 2 : 2 + rows].T


KINDS = ["plain", "transposed", "slice", "transposed slice"]


@pytest.mark.parametrize("kind_a", KINDS)
@pytest.mark.parametrize("kind_b", KINDS)
@pytest.mark.parametrize(("m", "k", "n"), [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (1, 1, 5), (1, 4, 1), (1, 1, 1)])
@pytest.mark.parametrize("kind_out", ["plain", "slice"])
def test_every_layout(m, k, n, kind_a, kind_b, kind_out):
    a, b, out = matrix(m, k, kind_a), matrix(k, n, kind_b), matrix(m, n, kind_out)
    flat, _ = whole(out)
    before, outside = flat.copy(), np.ones(flat.shape, bool)
    blas(gemm(a, b, out))
    np.testing.assert_allclose(out, a @ b, rtol=1e-5, atol=1e-6)
    start = whole(out)[1]
    written = (start + np.arange(m)[:, None] * (out.strides[0] // 4 if m > 1 else 0) + np.arange(n)).reshape(-1)
    outside[written] = False
    assert np.array_equal(flat[outside], before[outside])


def test_what_blas_cannot_read_is_refused():
    a, b, out = (matrix(*shape, "plain") for shape in ((4, 6), (6, 5), (4, 5)))
    gemm(a, b, out)
    for wrong in [(a[:, :5], b, out), (a, b, out[:3]), (a.astype(np.float64), b, out)]:
        with pytest.raises(ValueError, match=r"does not give|float32"):
            gemm(*wrong)
    strided = matrix(8, 12, "plain")[::2, ::2]
    with pytest.raises(ValueError, match="pieces"):
        gemm(strided, b, out)
    with pytest.raises(ValueError, match="rows"):
        gemm(a, b, matrix(4, 5, "transposed"))
