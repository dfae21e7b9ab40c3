"""The kernels' random numbers once more in NumPy."""

from __future__ import annotations

import numpy as np


def philox(counters: tuple, keys: tuple[int, int]) -> np.ndarray:
    """Philox4x32-10 (Salmon et al. 2011): words (n, 4) uint32 for four counters, arrays (n,) or numbers."""
    c = [np.asarray(each, np.uint64) for each in np.broadcast_arrays(*(np.asarray(x, np.uint64) for x in counters))]
    k0, k1 = keys
    low, thirty_two = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        first, second = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [
            (second >> thirty_two) ^ c[1] ^ np.uint64(k0),
            second & low,
            (first >> thirty_two) ^ c[3] ^ np.uint64(k1),
            first & low,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=-1).astype(np.uint32)


def words(seed: int, step: int, part: int, indices: np.ndarray) -> np.ndarray:
    """The words (n, 4) of one part of one step."""
    low = 0xFFFFFFFF
    return philox((indices, part, step & low, step >> 32), (seed & low, seed >> 32))


def mask(seed: int, step: int, part: int, kept: int, shape: tuple[int, ...]) -> np.ndarray:
    """A dropout mask: 0 or 256/kept, float32."""
    count = int(np.prod(shape))
    warps = -(-count // 512)
    drawn = words(seed, step, part, np.arange(warps * 32)).astype("<u4").view(np.uint8)  # (warps * 32, 16)
    by_number = drawn.reshape(warps, 32, 16).transpose(0, 2, 1).reshape(-1)[:count]
    return np.where(by_number < kept, np.float32(256) / np.float32(kept), np.float32(0)).reshape(shape)


def forgotten(seed: int, step: int, part: int, rate: float, readers: int) -> np.ndarray:
    """Which readers (B,) forget their state."""
    drawn = words(seed, step, part, np.arange(-(-readers // 4))).reshape(-1)[:readers]
    return (drawn >> 8).astype(np.float32) * np.float32(2.0**-24) < np.float32(rate)


def uniforms(seed: int, step: int, part: int, rows: int) -> np.ndarray:
    """The random numbers (N,) in [0, 1) of the draws, with 53 bits."""
    drawn = words(seed, step, part, np.arange(rows)).astype(np.float64)
    return ((drawn[:, 0] // 32) * 67108864.0 + drawn[:, 1] // 64) / 9007199254740992.0
