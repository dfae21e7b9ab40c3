"""The excerpt of a large file is the one that `guessing.sample` takes of the whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.text import blocks, excerpt
from chargru.text.guessing import sample


@given(st.binary(max_size=300), st.integers(1, 40), st.integers(1, 9))
def test_it_is_the_sample_of_the_whole(data: bytes, limit: int, scan: int) -> None:
    data = data.translate(bytes.maketrans(b"\x00\x01\x02\x03\x04\x05", b"\n\n  \xe9\n"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(excerpt, "_SCAN", scan)
        file = blocks.Blocks(io.BytesIO(data), len(data), "x")
        assert excerpt.sample(file, limit) == sample(data, limit)


def test_it_is_the_sample_of_longer_ones() -> None:
    generator = np.random.default_rng(3)
    for _ in range(100):
        data = bytes(
            generator.choice(np.frombuffer(b"abc \n\xe9", np.uint8), 3_000, p=[0.3, 0.3, 0.3, 0.08, 0.01, 0.01])
        )
        file = blocks.Blocks(io.BytesIO(data), len(data), "x")
        for limit in (50, 200, 8_192):
            assert excerpt.sample(file, limit) == sample(data, limit)
