"""Dropout masks from counted seeds: the same (seed, step, part) always gives the same mask.

A generator is made anew for every window from these words, so no generator state has to be saved: training that is
resumed at a step draws what training that never stopped would have drawn.
"""

from __future__ import annotations

import numpy as np

from chargru.engine.parameters import Array

_LEVELS = 256


def generator(seed: int, step: int, part: int) -> np.random.Generator:
    """A generator for one part (a shard of the batch, the recurrent weights) of one update."""
    return np.random.Generator(np.random.SFC64([seed, step, part]))


def kept_levels(rate: float) -> int:
    """Dropout draws single bytes: how many of the 256 values keep a number (at least one)."""
    return max(1, round((1 - rate) * _LEVELS))


def fill_mask(rng: np.random.Generator, rate: float, out: Array) -> None:
    """Fill `out` with 0 (about `rate` of it) and 1/kept, so that the expected product with it changes nothing."""
    kept = kept_levels(rate)
    words = rng.bit_generator.random_raw(
        -(-out.size // 8)
    )  # the same bytes as rng.bytes draws, in a twelfth of the time
    draws = words.astype("<u8", copy=False).view(np.uint8)[: out.size].reshape(out.shape)
    np.multiply(draws < kept, out.dtype.type(_LEVELS / kept), out=out, casting="unsafe")
