"""Launches of the kernels of `tensor.cu`, a time step whose products run on tensor cores, and of `lower.cu`.

`TensorStep` makes those of one layer's size: it knows the kind of number that is multiplied, how far rows of it are
filled up, and which tiles fit. Arrays that end in `_low` are of that number: uint16 for bfloat16, uint32 for TF32.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chargru.engine.fused.kernels import DeviceArray, Launch, Launcher, Source, blocks, check, line

if TYPE_CHECKING:
    from chargru.engine.device import DeviceFacts

LOW: dict[str, type[np.unsignedinteger]] = {"bf16": np.uint16, "tf32": np.uint32}
"""The type that holds a number of each precision."""

_THREADS = 256
_CHUNK = 64  # bytes of the depth that a warp takes at once
f32, i32 = np.float32, np.int32


class Tile(NamedTuple):
    """What a block computes: products of 16 × 8 for each warp, and warps, over rows, columns and depth."""

    row_products: int
    column_products: int
    row_warps: int
    column_warps: int
    depth_warps: int

    @property
    def rows(self) -> int:
        """Rows of the result that a block computes."""
        return 16 * self.row_products * self.row_warps

    @property
    def columns(self) -> int:
        """Columns of the result that a block computes."""
        return 8 * self.column_products * self.column_warps


TILES = (
    Tile(1, 2, 1, 1, 8),  # 16 × 16
    Tile(1, 4, 1, 1, 8),  # 16 × 32
    Tile(2, 4, 1, 1, 8),  # 32 × 32
    Tile(2, 4, 1, 2, 4),  # 32 × 64
    Tile(2, 4, 2, 2, 2),  # 64 × 64
)


def filled(count: int, precision: str) -> int:
    """The numbers of a row of `count` with the zeros that fill up its last chunk."""
    size = _CHUNK // np.dtype(LOW[precision]).itemsize
    return blocks(count, size) * size


@functools.cache
def tensor_source(precision: str, tile: Tile, ahead: int) -> Source:
    """The kernels for one kind of number and one tile, of which a warp reads `ahead` chunks at once."""
    names = ("RM", "CN", "WM", "WN", "WK")
    numbers = [f"{name}={value}" for name, value in zip(names, tile, strict=True)]
    return Source(("cell.cuh", "tensor_core.cuh", "tensor.cu"), (_kind(precision), *numbers, f"AHEAD={ahead}"))


@functools.cache
def lower_source(precision: str) -> Source:
    """The kernels that round and pack."""
    return Source(("cell.cuh", "tensor_core.cuh", "lower.cu"), (_kind(precision),))


def _kind(precision: str) -> str:
    return f"LOW_BF16={int(precision == 'bf16')}"


def lower_rows(launcher: Launcher, precision: str, source: DeviceArray, out: DeviceArray) -> Launch:
    """`out` (n, depth) = `source` (n, width), rounded, and zeros."""
    (count, width), depth = source.shape, out.shape[1]
    check("source", source, f32, count, width)
    check("out", out, LOW[precision], count, filled(width, precision))
    arguments = (source, out, i32(count), i32(width), i32(depth))
    return Launch(launcher, "lower_rows", *line(count * depth), arguments, lower_source(precision))


def lower_columns(launcher: Launcher, precision: str, source: DeviceArray, out: DeviceArray) -> Launch:
    """`out` (n, depth) = `source` (height, n) transposed, rounded, and zeros."""
    (height, width), depth = source.shape, out.shape[1]
    check("source", source, f32, height, width)
    check("out", out, LOW[precision], width, filled(height, precision))
    grid = (blocks(width, 32), blocks(depth, 32), 1)
    arguments = (source, out, i32(height), i32(width), i32(depth))
    return Launch(launcher, "lower_columns", grid, (32, 8, 1), arguments, lower_source(precision))


def fitting_tile(multiprocessors: int, rows: int, columns: int, halves: int = 1) -> Tile:
    """The tile with which the busiest multiprocessor reads the least, (rows + columns) numbers for each step of depth.

    The product has `rows` and `halves` times `columns`. Reasoned, not measured: what a step waits for is taken to be
    its operands on their way from L2. Of equal ones the smaller, which more multiprocessors share.
    """

    def read(tile: Tile) -> int:
        count = blocks(rows, tile.rows) * halves * blocks(columns, tile.columns)
        return blocks(count, max(1, multiprocessors)) * (tile.rows + tile.columns)

    return min(TILES, key=read)


class TensorStep:
    """Launches for B rows and H units. `depth` is H filled up to whole chunks."""

    def __init__(
        self, launcher: Launcher, facts: DeviceFacts, precision: str, B: int, H: int, *, tile: Tile | None = None
    ) -> None:
        """`tile`: that one, whatever fits."""
        if precision not in LOW:
            raise ValueError(f"there are no tensor kernels for {precision}")
        self.low, self.depth = LOW[precision], filled(H, precision)
        self._launcher, self._B, self._H = launcher, B, H
        chunks = self.depth * np.dtype(self.low).itemsize // _CHUNK
        # both phases of a step: the first computes two halves of H columns, the second one
        self._tiles = [tile or fitting_tile(facts.multiprocessors, B, H, halves) for halves in (2, 1)]
        # a warp that has one chunk to read reads one
        self._sources = [tensor_source(precision, each, 1 if chunks <= each.depth_warps else 2) for each in self._tiles]

    @property
    def _sizes(self) -> tuple[np.int32, np.int32, np.int32]:
        return i32(self._B), i32(self._H), i32(self.depth)

    def _product(self, name: str, halves: int, arguments: tuple[DeviceArray, ...]) -> Launch:
        tile, source = self._tiles[2 - halves], self._sources[2 - halves]
        grid = (blocks(self._H, tile.columns), blocks(self._B, tile.rows), halves)
        return Launch(self._launcher, name, grid, (_THREADS, 1, 1), (*arguments, *self._sizes), source)

    def _check(self, *, b: DeviceArray = None, **arrays: DeviceArray) -> None:
        """`a`, `da` are (B, 3H), `b` (3H,), `da_low` (3, B, depth), other rounded ones (B, depth), the rest (B, H)."""
        B, H, depth = self._B, self._H, self.depth
        if b is not None:
            check("b", b, f32, 3 * H)
        for name, array in arrays.items():
            if name == "da_low":
                check(name, array, self.low, 3, B, depth)
            elif name.endswith("_low"):
                check(name, array, self.low, B, depth)
            else:
                check(name, array, f32, B, 3 * H if name in ("a", "da") else H)

    def _check_weights(self, rows: int, **packed: DeviceArray) -> None:
        for name, array in packed.items():
            check(name, array, self.low, rows * self._H, self.depth)

    def gates(
        self,
        U_zr_T: DeviceArray,
        b: DeviceArray,
        a: DeviceArray,
        h: DeviceArray,
        h_low: DeviceArray,
        s: DeviceArray,
        s_low: DeviceArray,
    ) -> Launch:
        """Phase 1 forward: the product h U_zr, z, r and s = r ⊙ h. `U_zr_T` (2H, depth) is of `lower_columns`."""
        self._check(b=b, a=a, h=h, h_low=h_low, s=s, s_low=s_low)
        self._check_weights(2, U_zr_T=U_zr_T)
        return self._product("tensor_gates", 2, (U_zr_T, b, a, h, h_low, s, s_low))

    def candidate(
        self,
        U_h_T: DeviceArray,
        b: DeviceArray,
        a: DeviceArray,
        h: DeviceArray,
        s_low: DeviceArray,
        h_next: DeviceArray,
        h_low: DeviceArray,
    ) -> Launch:
        """Phase 2 forward: the product s U_h, h̃ and the next h. `U_h_T` (H, depth) is of `lower_columns`."""
        self._check(b=b, a=a, h=h, s_low=s_low, h_next=h_next, h_low=h_low)
        self._check_weights(1, U_h_T=U_h_T)
        return self._product("tensor_candidate", 1, (U_h_T, b, a, h, s_low, h_next, h_low))

    def back_start(
        self,
        dh: DeviceArray,
        a: DeviceArray,
        h: DeviceArray,
        da: DeviceArray,
        da_low: DeviceArray,
        carry: DeviceArray,
    ) -> Launch:
        """da_h, da_z and carry of a window's last step."""
        self._check(dh=dh, a=a, h=h, da=da, da_low=da_low, carry=carry)
        arguments = (dh, a, h, da, da_low, carry, *self._sizes)
        grid, block = line(self._B * self._H)
        return Launch(self._launcher, "tensor_back_start", grid, block, arguments, self._sources[0])

    def back_first(
        self,
        U_zr: DeviceArray,
        U_h: DeviceArray,
        a: DeviceArray,
        h: DeviceArray,
        da: DeviceArray,
        da_low: DeviceArray,
        carry: DeviceArray,
        q: DeviceArray,
    ) -> Launch:
        """Phase 1 backward: da_h U_hᵀ and thus da_r; `q` = da_z U_zᵀ. `U_zr` (2H, depth), `U_h` are of `lower_rows`."""
        self._check(a=a, h=h, da=da, da_low=da_low, carry=carry, q=q)
        self._check_weights(2, U_zr=U_zr)
        self._check_weights(1, U_h=U_h)
        return self._product("tensor_back_first", 2, (U_zr, U_h, a, h, da, da_low, carry, q))

    def back_second(
        self,
        U_zr: DeviceArray,
        q: DeviceArray,
        dh: DeviceArray,
        a: DeviceArray,
        h: DeviceArray,
        da: DeviceArray,
        da_low: DeviceArray,
        carry: DeviceArray,
    ) -> Launch:
        """Phase 2 backward: da_r U_rᵀ of step t; da_h, da_z and carry of step t − 1, whose dh, a, h, da these are."""
        self._check(q=q, dh=dh, a=a, h=h, da=da, da_low=da_low, carry=carry)
        self._check_weights(2, U_zr=U_zr)
        return self._product("tensor_back_second", 1, (U_zr, q, dh, a, h, da, da_low, carry))
