"""The sizes that the GPU benchmarks measure, the first ones being those to have when time is short."""

from __future__ import annotations

# H, B, T, L
SPEED = ((512, 64, 128, 2), (256, 64, 128, 1), (512, 64, 128, 1), (256, 64, 128, 2), (1024, 64, 128, 1),
         (512, 256, 128, 2), (256, 256, 128, 1), (512, 256, 128, 1), (256, 256, 128, 2), (256, 32, 64, 2))  # fmt: skip
MEMORY = ((256, 32, 64, 2), (512, 64, 128, 2), (1024, 128, 128, 2), (2048, 256, 128, 2))
# H, L, completions side by side
SAMPLING = (
    (512, 2, 256),
    (512, 1, 256),
    (256, 1, 1),
    (512, 2, 1),
    (512, 2, 32),
    (512, 2, 1024),
    (512, 2, 4096),
    (1024, 2, 256),
)


def shape(H: int, B: int, T: int, L: int) -> str:
    return f"H{H} B{B} T{T} L{L}"


def rows(H: int, L: int, count: int) -> str:
    return f"{L} × {H} units, {count:,} at once"
