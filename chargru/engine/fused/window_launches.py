"""Launches of the kernels that lead into a window and out of it; what they compute stands in `gru.cu`."""

from __future__ import annotations

import numpy as np

from chargru.engine.fused.kernels import DeviceArray, Launch, Launcher, blocks, check, line

COUNTERS = 4  # int64: seed, step, position, slot
RATES = 4  # float32: rate, epsilon, shrink, average
VERDICT = 4  # float32: loss, norm, scale, ok

# Parts of an update's random numbers, so that no two masks are the same.
OUTPUT_MASK, FORGETTING, DRAWING, WEIGHT_MASKS = 0, 1, 2, 16

LEVELS = 256  # a byte decides whether a number is dropped, as in chargru.engine.dropout
_DROPPED_AT_ONCE = 16 * 256  # numbers of a block of 256 threads
_SUMMED_ROWS = 256  # rows that a block of sum_columns takes at least
_SUMMED_PARTS = 64

f32, i32, i64 = np.float32, np.int32, np.int64


def set_update(
    launcher: Launcher,
    counters: DeviceArray,
    rates: DeviceArray,
    words: tuple[int, int, int, int],
    numbers: tuple[float, float, float, float],
) -> Launch:
    """Seed, step, position and slot, and rate, epsilon, shrink and average of the next update."""
    check("counters", counters, i64, COUNTERS)
    check("rates", rates, f32, RATES)
    arguments = (counters, rates, *map(i64, words), *map(f32, numbers))
    return Launch(launcher, "set_update", (1, 1, 1), (32, 1, 1), arguments)


def window(
    launcher: Launcher, ids: DeviceArray, counters: DeviceArray, inputs: DeviceArray, targets: DeviceArray
) -> Launch:
    """A window (T, B) of the ring `ids` (n,) at the position among the counters."""
    (count,), (T, B) = ids.shape, inputs.shape
    check("ids", ids, i32, count)
    check("counters", counters, i64, COUNTERS)
    check("inputs", inputs, i32, T, B)
    check("targets", targets, i32, T, B)
    arguments = (ids, counters, inputs, targets, i64(count), i32(T), i32(B))
    return Launch(launcher, "window", *line(T * B), arguments)


def gather_rows(launcher: Launcher, table: DeviceArray, ids: DeviceArray, rows: DeviceArray) -> Launch:
    """rows (N, width) = table[ids]; ids below 0 count as 0, others must lie inside the table."""
    count, width = rows.shape
    check("table", table, f32, len(table), width)
    check("ids", ids, i32, count)
    check("rows", rows, f32, count, width)
    return Launch(launcher, "gather_rows", (count, 1, 1), (256, 1, 1), (table, ids, rows, i32(width)))


def begin_states(
    launcher: Launcher, state: DeviceArray, h: DeviceArray, counters: DeviceArray, forget: float
) -> Launch:
    """`state` (L, B, H) into h[:, 0] of `h` (L, T + 1, B, H); each reader forgets it with this probability."""
    L, B, H = state.shape
    T = h.shape[1] - 1
    _check_states(state, h, L, T, B, H)
    check("counters", counters, i64, COUNTERS)
    sizes = i32(L), i32(T), i32(B), i32(H)
    arguments = (state, h, counters, np.uint32(FORGETTING), f32(forget), *sizes)
    return Launch(launcher, "begin_states", *line(L * B * H), arguments)


def end_states(launcher: Launcher, h: DeviceArray, state: DeviceArray, verdict: DeviceArray) -> Launch:
    """h[:, T] into `state`, if the verdict is a good one."""
    L, B, H = state.shape
    T = h.shape[1] - 1
    _check_states(state, h, L, T, B, H)
    check("verdict", verdict, f32, VERDICT)
    sizes = i32(L), i32(T), i32(B), i32(H)
    return Launch(launcher, "end_states", *line(L * B * H), (h, state, verdict, *sizes))


def _check_states(state: DeviceArray, h: DeviceArray, L: int, T: int, B: int, H: int) -> None:
    check("state", state, f32, L, B, H)
    check("h", h, f32, L, T + 1, B, H)


def drop(
    launcher: Launcher, source: DeviceArray, out: DeviceArray, counters: DeviceArray, part: int, kept: int
) -> Launch:
    """`out` = `source` times the mask of one part, which keeps `kept` of 256; `out` may be `source`."""
    if not 1 <= kept <= LEVELS:
        raise ValueError(f"{kept} of {LEVELS} cannot be kept")
    check("source", source, f32, *source.shape)
    check("out", out, f32, *source.shape)
    check("counters", counters, i64, COUNTERS)
    count = source.size
    if count >= 2**36:
        raise ValueError("a mask has at most 2^36 numbers")
    grid = (blocks(count, _DROPPED_AT_ONCE), 1, 1)
    arguments = (source, out, counters, np.uint32(part), i32(kept), i64(count))
    return Launch(launcher, "drop", grid, (256, 1, 1), arguments)


def transpose(launcher: Launcher, source: DeviceArray, out: DeviceArray) -> Launch:
    """`out` (m, n) = `source` (n, m) transposed."""
    rows, columns = source.shape
    check("source", source, f32, rows, columns)
    check("out", out, f32, columns, rows)
    grid = (blocks(columns, 32), blocks(rows, 32), 1)
    return Launch(launcher, "transpose", grid, (32, 8, 1), (source, out, i32(rows), i32(columns)))


def cross_entropy(
    launcher: Launcher,
    logits: DeviceArray,
    b_y: DeviceArray,
    targets: DeviceArray,
    losses: DeviceArray,
    scale: float | None,
) -> Launch:
    """`losses` (N,) of `logits` (N, V); with a scale the logits become the gradient of scale times their sum."""
    count, V = logits.shape
    check("logits", logits, f32, count, V)
    check("b_y", b_y, f32, V)
    check("targets", targets, i32, count)
    check("losses", losses, f32, count)
    arguments = (logits, b_y, targets, losses, i32(count), i32(V), f32(scale or 0.0), i32(scale is not None))
    return Launch(launcher, "cross_entropy", (blocks(count, 8), 1, 1), (32, 8, 1), arguments)


def sum_rows_by_id(launcher: Launcher, ids: DeviceArray, da: DeviceArray, dW: DeviceArray) -> Launch:
    """dW (V, width) = for each id the sum of its rows of `da` (N, width)."""
    (count, width), V = da.shape, len(dW)
    check("ids", ids, i32, count)
    check("da", da, f32, count, width)
    check("dW", dW, f32, V, width)
    arguments = (ids, da, dW, i32(count), i32(width))
    return Launch(launcher, "sum_rows_by_id", (V, blocks(width, 128), 1), (32, 8, 1), arguments)


def column_parts(count: int) -> int:
    """Rows of the scratch that `sum_columns` needs for `count` rows."""
    return min(_SUMMED_PARTS, blocks(count, _SUMMED_ROWS))


def sum_columns(
    launcher: Launcher, source: DeviceArray, partial: DeviceArray, out: DeviceArray
) -> tuple[Launch, Launch]:
    """`out` (width,) = column sums of `source` (N, width); `partial` is scratch of column_parts(N) · width numbers."""
    count, width = source.shape
    parts = column_parts(count)
    check("source", source, f32, count, width)
    check("partial", partial, f32, parts * width)
    check("out", out, f32, width)
    share = blocks(count, parts)
    first = (source, partial, i32(count), i32(width), i32(share))
    second = (partial, out, i32(parts), i32(width))
    return (
        Launch(launcher, "sum_columns", (blocks(width, 32), parts, 1), (32, 8, 1), first),
        Launch(launcher, "add_partials", *line(width), second),
    )
