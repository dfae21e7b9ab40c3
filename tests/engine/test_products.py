"""How a step's product is cut for BLAS."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine.fused import products
from chargru.engine.fused.products import block_width, blocks, factors, results, rows_at_once


@pytest.fixture
def small_kernels(monkeypatch):
    monkeypatch.setattr(products, "has_small_kernels", lambda: True)


@pytest.mark.parametrize(
    ("hidden", "width"),
    [(64, 64), (128, 128), (192, 64), (256, 64), (320, 64), (200, 50), (384, 64), (1024, 64), (257, 257), (129, 43)],
)
def test_blocks_are_of_some_64_columns(small_kernels, hidden, width):
    assert block_width(hidden, np.float32) == width
    assert block_width(hidden, np.float64) == hidden  # no small kernels for these


def test_without_small_kernels_weights_stay_whole(monkeypatch):
    monkeypatch.setattr(products, "has_small_kernels", lambda: False)
    assert block_width(256, np.float32) == 256


@pytest.mark.parametrize("architecture", ["SkylakeX", "Haswell", None])
def test_the_kernels_are_known_by_their_name(monkeypatch, architecture):
    told = [{"user_api": "openmp"}, {"internal_api": "openblas", "architecture": architecture}]
    monkeypatch.setattr(products, "threadpool_info", lambda: told)
    assert products.has_small_kernels.__wrapped__() is (architecture == "SkylakeX")


@pytest.mark.parametrize(
    ("rows", "hidden", "width", "few"),
    [
        (16, 256, 64, 16),
        (64, 256, 64, 32),
        (32, 512, 64, 16),
        (32, 1024, 64, 8),
        (23, 1024, 64, 23),  # a prime number of rows: no few of them
        (16, 257, 257, 8),
        (1, 256, 64, 1),
    ],
)
def test_rows_are_as_many_as_the_kernels_take(rows, hidden, width, few):
    assert rows_at_once(rows, hidden, width) == few


@pytest.mark.parametrize(("rows", "width"), [(6, 8), (3, 4), (2, 2), (1, 1)])
def test_views_multiply_to_the_whole_product(rows, width):
    rng = np.random.default_rng(rows)
    x, U, out = rng.normal(size=(5, 6, 8)), rng.normal(size=(8, 8)), np.zeros((5, 6, 8))
    left, right, into = factors(x, rows), np.ascontiguousarray(blocks(U, width))[:, None], results(out, rows, width)
    assert np.shares_memory(left, x)
    assert np.shares_memory(into, out)
    np.matmul(left, right, out=into)
    np.testing.assert_allclose(out, x @ U, atol=1e-13)
