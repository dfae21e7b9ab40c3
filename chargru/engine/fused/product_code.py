"""Compiled products: rows by panels of weights, and the gradients of weights.

Weights are cut into panels of 16 columns, (H // 16, H, 16), each in one piece, so that a product reads them in order
and never repacks them. A panel meets a group of rows whose sums stay in registers for the whole length of H.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from chargru.engine.fused import layout_code
from chargru.engine.fused.sequence import LANES, STEPS, up_to
from chargru.engine.fused.vectors import ARRAY, COUNT, Offset, Value, Writer

BLOCK = 128
"""Rows of two slabs that meet at once in a gradient of weights: of 512 units they fill half of a second-level cache."""

_ROOM = BLOCK + STEPS  # rows of a panel of such a block, with what may follow it


def weight_module(hidden_size: int, most_rows: int) -> Any:
    """LLVM code of what is done with the weights of a layer of so many units, and with their gradients.

    `most_rows` sums of vectors are kept in registers at most.
    """
    module = ir.Module()
    weight_gradient(module, hidden_size, hidden_size, most_rows)
    layout_code.pack(module, hidden_size)
    layout_code.sum_by_character(module, hidden_size)
    layout_code.sum_rows(module, hidden_size)
    return module


def room_for(rows: int, columns: int) -> int:
    """Numbers that `weight_gradient` needs room for."""
    return _ROOM * (up_to(rows, LANES) + LANES) + rows * columns


def row_groups(rows: int, most: int) -> list[tuple[int, int]]:
    """(groups, rows of each): as few and as equal ones as have at most `most` rows."""
    groups = -(-rows // most)
    fewer, larger = divmod(rows, groups)
    return [(n, size) for n, size in ((larger, fewer + 1), (groups - larger, fewer)) if n]


def add_product(
    module: Any, rows: int, shape: tuple[int, int], most: int, *, width: int | None = None, name: str = "add_product"
) -> Any:
    """add_product(x, U, out), for this module alone: out (rows, columns) grows by x (rows, count) times U.

    `shape` is (count, columns), U has panels of 16 columns, (columns // 16, count, 16). The rows of x lie `width`
    numbers apart, `count` if that is not given. `most` sums of vectors are kept in registers at most.
    """
    count, columns = shape
    w = Writer(module, name, [ARRAY] * 3, internal=True)
    x, U, out = w.arguments

    def panel(p: Value) -> None:
        weights, of_panel = w.at(U, w.times(p, LANES * count)), w.at(out, w.times(p, LANES))

        def group(row: Value, size: int) -> None:
            left, strides = w.at(x, w.times(row, width or count)), (width or count, 1)
            sums = w.at(of_panel, w.times(row, columns))
            w.accumulate(left, strides, weights, count, sums, (size, columns), STEPS)

        _in_groups(w, rows, most, group)

    w.each(columns // LANES, 1, panel)
    w.end()
    return w.function


def read_inputs(module: Any, rows: int, H: int, product: Any) -> None:
    """read_inputs(T, x, W, b, a): a (3, T, rows, H) = x (T, rows, H) W + b, of W's panels and b (3, H)."""
    w = Writer(module, "read_inputs", [COUNT, *[ARRAY] * 4])
    T, x, W, b, a = w.arguments
    size = rows * H

    def gate(i: Value) -> None:
        bias, weights = w.at(b, w.times(i, H)), w.at(W, w.times(i, H * H))

        def step(t: Value) -> None:
            out = w.at(a, w.times(w.add(w.times(i, T), t), size))

            def column(j: Value) -> None:
                vector = w.load(bias, j)
                w.each(size, H, lambda row: w.store(vector, out, w.add(row, j)))

            w.each(H, LANES, column)
            w.code.call(product, [w.at(x, w.times(t, size)), weights, out])

        w.each(T, 1, step)

    w.each(3, 1, gate)
    w.end()


def input_gradient(module: Any, rows: int, H: int, product: Any) -> None:
    """input_gradient(T, da, W_T, dx): dx (T, rows, H) = Σ over the gates of da (3, T, rows, H) Wᵀ, of its panels."""
    w = Writer(module, "input_gradient", [COUNT, *[ARRAY] * 3])
    T, da, W_T, dx = w.arguments
    size = rows * H

    def step(t: Value) -> None:
        out = w.at(dx, w.times(t, size))
        w.each(size, LANES, lambda i: w.store(w.number(0), out, i))
        for gate in range(3):
            of_gate = w.at(da, w.times(w.add(w.times(T, gate), t), size))
            w.code.call(product, [of_gate, w.at(W_T, gate * H * H), out])

    w.each(T, 1, step)
    w.end()


def weight_gradient(module: Any, rows: int, columns: int, most: int) -> None:
    """weight_gradient(N, width, x, da, dU, room): dU (rows, columns) = xᵀ da of x (N, rows) and da (N, columns).

    Rows of x are filled up to a multiple of 16; those of dU lie `width` numbers apart. `room`, of `room_for(rows,
    columns)` numbers, is for panels of sums and of what meets: numbers that are used one after the other, a line of the
    cache at a time.
    """
    w = Writer(module, "weight_gradient", [COUNT, COUNT, *[ARRAY] * 4])
    N, width, x, da, dU, room = w.arguments
    whole, filled = rows // LANES * LANES, up_to(rows, LANES)
    sums, right = w.at(room, _ROOM * filled), w.at(room, _ROOM * filled + rows * columns)

    def block(start: Value) -> None:
        n = w.least(w.code.sub(N, start), BLOCK)
        x_block, da_block = w.at(x, w.times(start, filled)), w.at(da, w.times(start, columns))

        def to_panel(block: Value, width: int, column: Value, panel: Value) -> None:
            for further in range(STEPS):  # so that steps beyond the last row add nothing
                w.store(w.number(0), panel, w.times(w.add(n, further), LANES))
            block = w.at(block, column)
            w.each(n, 1, lambda i: w.store(w.load(block, w.times(i, width)), panel, w.times(i, LANES)))

        def of_columns(j: Value) -> None:
            to_panel(da_block, columns, j, right)

            def of_rows(i: Offset, count: int) -> None:
                left, out = w.at(room, w.times(i, _ROOM)), w.at(sums, w.add(w.times(j, rows), w.times(i, LANES)))

                def group(row: Value, size: int) -> None:
                    part = w.at(out, w.times(row, LANES))
                    w.accumulate(w.at(left, row), (1, LANES), right, n, part, (size, LANES), STEPS)

                _in_groups(w, count, most, group)

            if whole:
                w.each(whole, LANES, lambda i: of_rows(i, LANES))
            if rows > whole:
                of_rows(whole, rows - whole)

        w.each(filled, LANES, lambda i: to_panel(x_block, filled, i, w.at(room, w.times(i, _ROOM))))
        w.each(columns, LANES, of_columns)

    def row_of_result(i: Value) -> None:
        to = w.at(dU, w.times(i, width))
        w.each(columns, LANES, lambda j: w.store(w.load(sums, w.add(w.times(j, rows), w.times(i, LANES))), to, j))

    w.each(rows * columns, LANES, lambda i: w.store(w.number(0), sums, i))
    w.each(N, BLOCK, block)
    w.each(rows, 1, row_of_result)
    w.end()


def _in_groups(w: Writer, rows: int, most: int, body: Callable[[Value, int], None]) -> None:
    """`body(first row, number of rows)` for groups of at most `most` rows."""
    start = 0
    for groups, size in row_groups(rows, most):

        def group(i: Value, start: int = start, size: int = size) -> None:
            body(w.add(i, start), size)

        w.each(groups * size, size, group)
        start += groups * size
