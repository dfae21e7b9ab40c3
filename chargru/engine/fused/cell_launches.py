"""Launches of the kernels that are a part of a time step; what they compute stands in `gru.cu` and `fused.cu`.

`a`, `da` (B, 3H) have the columns [z | r | h]; all arrays are float32 and in one piece. Those with a product take
`rows` of its left factor for each block, one of ROWS; the bits of what they compute do not depend on it.
"""

from __future__ import annotations

import functools

import numpy as np

from chargru.engine.fused.kernels import DeviceArray, Launch, Launcher, Source, blocks, check, line

ROWS = (8, 16)
"""How many rows a block of a product kernel can take."""

COLS, WARPS = 32, 8  # tiles of the product kernels, as in fused.cu
_BESIDES = 3.4  # rows: what a block issues whatever its rows are, above all reads of weights; counted in machine code
f32 = np.float32


@functools.cache
def fused_source(rows: int) -> Source:
    """The kernels with products, for so many rows a block."""
    return Source(("cell.cuh", "fused.cu"), (f"ROWS={rows}",))


def fitting_rows(multiprocessors: int, B: int, columns: int, halves: int = 1) -> int:
    """The rows a block with which the busiest multiprocessor issues least, for a product of B rows.

    It has `halves` times `columns`. Reasoned, not measured.
    """

    def issued(rows: int) -> float:
        count = halves * blocks(columns, COLS) * blocks(B, rows)
        return blocks(count, max(1, multiprocessors)) * (rows + _BESIDES)

    return min(ROWS, key=issued)


def _sizes(h: DeviceArray) -> tuple[int, int, tuple[np.int32, np.int32]]:
    if h.ndim != 2:
        raise ValueError(f"h must have two dimensions, not {h.ndim}")
    B, H = h.shape
    check("h", h, f32, B, H)
    return B, H, (np.int32(B), np.int32(H))


def _check_cell(B: int, H: int, *, b: DeviceArray = None, **arrays: DeviceArray) -> None:
    """`a` and `da` are (B, 3H), `b` is (3H,), anything else (B, H)."""
    if b is not None:
        check("b", b, f32, 3 * H)
    for name, array in arrays.items():
        check(name, array, f32, B, 3 * H if name in ("a", "da", "da_now") else H)


def _product(
    launcher: Launcher,
    name: str,
    arguments: tuple[DeviceArray | np.generic, ...],
    B: int,
    columns: int,
    rows: int,
    halves: int = 1,
) -> Launch:
    grid = (blocks(columns, COLS), blocks(B, rows), halves)
    return Launch(launcher, name, grid, (COLS, WARPS, 1), arguments, fused_source(rows))


def gate_zr(
    launcher: Launcher, sums: DeviceArray, b: DeviceArray, a: DeviceArray, h: DeviceArray, s: DeviceArray
) -> Launch:
    """z, r and s = r ⊙ h from `sums` (B, 2H) = h U_zr; `a` holds x W and gets z and r."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, b=b, a=a, s=s)
    check("sums", sums, f32, B, 2 * H)
    return Launch(launcher, "gate_zr", *line(B * H), (sums, b, a, h, s, *sizes))


def gate_h(
    launcher: Launcher, sums: DeviceArray, b: DeviceArray, a: DeviceArray, h: DeviceArray, h_next: DeviceArray
) -> Launch:
    """h̃ (into `a`) and the next h from `sums` = s U_h."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, b=b, a=a, sums=sums, h_next=h_next)
    return Launch(launcher, "gate_h", *line(B * H), (sums, b, a, h, h_next, *sizes))


def back_start(
    launcher: Launcher, dh: DeviceArray, a: DeviceArray, h: DeviceArray, da: DeviceArray, carry: DeviceArray
) -> Launch:
    """da_h, da_z and carry of a window's last step."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, dh=dh, a=a, da=da, carry=carry)
    return Launch(launcher, "back_start", *line(B * H), (dh, a, h, da, carry, *sizes))


def back_r(
    launcher: Launcher, ds: DeviceArray, a: DeviceArray, h: DeviceArray, da: DeviceArray, carry: DeviceArray
) -> Launch:
    """da_r and more of carry from `ds` = da_h U_hᵀ."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, ds=ds, a=a, da=da, carry=carry)
    return Launch(launcher, "back_r", *line(B * H), (ds, a, h, da, carry, *sizes))


def back_next(
    launcher: Launcher,
    sums: DeviceArray,
    dh: DeviceArray,
    a: DeviceArray,
    h: DeviceArray,
    da: DeviceArray,
    carry: DeviceArray,
) -> Launch:
    """da_h, da_z and carry of step t − 1 from `sums` = [da_z da_r] U_zrᵀ of step t."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, sums=sums, dh=dh, a=a, da=da, carry=carry)
    return Launch(launcher, "back_next", *line(B * H), (sums, dh, a, h, da, carry, *sizes))


def gru_gates(
    launcher: Launcher,
    U_zr: DeviceArray,
    b: DeviceArray,
    a: DeviceArray,
    h: DeviceArray,
    s: DeviceArray,
    rows: int = ROWS[-1],
) -> Launch:
    """Phase 1 forward: the product h U_zr, z, r and s = r ⊙ h. `s` is not `h`: other blocks still read that."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, b=b, a=a, s=s)
    check("U_zr", U_zr, f32, H, 2 * H)
    return _product(launcher, "gru_gates", (U_zr, b, a, h, s, *sizes), B, H, rows, 2)


def gru_candidate(
    launcher: Launcher,
    U_h: DeviceArray,
    b: DeviceArray,
    a: DeviceArray,
    h: DeviceArray,
    s: DeviceArray,
    h_next: DeviceArray,
    rows: int = ROWS[-1],
) -> Launch:
    """Phase 2 forward: the product s U_h, h̃ and the next h; `h_next` may be `h`."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, b=b, a=a, s=s, h_next=h_next)
    check("U_h", U_h, f32, H, H)
    return _product(launcher, "gru_candidate", (U_h, b, a, h, s, h_next, *sizes), B, H, rows)


def gru_back_first(
    launcher: Launcher,
    U_zr_T: DeviceArray,
    U_h_T: DeviceArray,
    a: DeviceArray,
    h: DeviceArray,
    da: DeviceArray,
    carry: DeviceArray,
    q: DeviceArray,
    rows: int = ROWS[-1],
) -> Launch:
    """Phase 1 backward: da_h U_hᵀ and thus da_r; `q` = da_z U_zᵀ."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, a=a, da=da, carry=carry, q=q)
    check("U_zr_T", U_zr_T, f32, 2 * H, H)
    check("U_h_T", U_h_T, f32, H, H)
    return _product(launcher, "gru_back_first", (U_zr_T, U_h_T, a, h, da, carry, q, *sizes), B, H, rows, 2)


def gru_back_second(
    launcher: Launcher,
    U_zr_T: DeviceArray,
    da_now: DeviceArray,
    q: DeviceArray,
    dh: DeviceArray,
    a: DeviceArray,
    h: DeviceArray,
    da: DeviceArray,
    carry: DeviceArray,
    rows: int = ROWS[-1],
) -> Launch:
    """Phase 2 backward: da_r U_rᵀ of step t (`da_now`), and da_h, da_z and carry of step t − 1 (the others)."""
    B, H, sizes = _sizes(h)
    _check_cell(B, H, da_now=da_now, q=q, dh=dh, a=a, da=da, carry=carry)
    check("U_zr_T", U_zr_T, f32, 2 * H, H)
    return _product(launcher, "gru_back_second", (U_zr_T, da_now, q, dh, a, h, da, carry, *sizes), B, H, rows)


def dense(launcher: Launcher, left: DeviceArray, right: DeviceArray, out: DeviceArray, rows: int = ROWS[-1]) -> Launch:
    """out (B, n) = left (B, k) right (k, n), by our own kernel: for graphs, which cannot hold cuBLAS."""
    (B, depth), columns = left.shape, right.shape[1]
    check("left", left, f32, B, depth)
    check("right", right, f32, depth, columns)
    check("out", out, f32, B, columns)
    sizes = np.int32(B), np.int32(depth), np.int32(columns)
    return _product(launcher, "dense", (left, right, out, *sizes), B, columns, rows)
