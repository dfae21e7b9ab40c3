"""Compiled passes over memory: weights into panels, sums by character, sums of rows."""

from __future__ import annotations

from typing import Any

from chargru.engine.fused.sequence import LANES
from chargru.engine.fused.vectors import ARRAY, COUNT, IDS, Value, Writer, whole


def pack(module: Any, H: int) -> None:
    """pack(width, U, factor, panels, transposed): U (H, H) as panels of U and of its transpose.

    The rows of U lie `width` numbers apart. Its own panels are multiplied by the one number in `factor`.
    """
    w = Writer(module, "pack", [COUNT, *[ARRAY] * 4])
    width, U, factor, panels, transposed = w.arguments
    scale = w.spread(factor, 0)

    def row(i: Value) -> None:
        source = w.at(U, w.times(i, width))
        lane = w.code.urem(i, whole(LANES))  # column i of the transpose: its place in its panel, and that panel
        of_row, of_column = w.times(i, LANES), w.add(w.times(w.code.sub(i, lane), H), lane)

        def piece(j: Value) -> None:
            vector = w.load(source, j)
            w.store(w.code.fmul(vector, scale), panels, w.add(of_row, w.times(j, H)))
            for further in range(LANES):
                number = w.code.extract_element(vector, w.index(further))
                w.code.store(number, w.at(transposed, w.add(of_column, w.times(w.add(j, further), LANES))))

        w.each(H, LANES, piece)

    w.each(H, 1, row)
    w.end()


def sum_by_character(module: Any, H: int) -> None:
    """sum_by_character(N, ids, da, dW): row c of dW (V, 3H), zero before, = Σ of the rows of da (3, N, H) with id c."""
    w = Writer(module, "sum_by_character", [COUNT, IDS, ARRAY, ARRAY])
    N, ids, da, dW = w.arguments

    def row(n: Value) -> None:
        to = w.at(dW, w.times(w.count(ids, n), 3 * H))
        for gate in range(3):
            part, of_gate = w.at(to, gate * H), w.at(da, w.times(w.add(w.times(N, gate), n), H))
            _add(w, part, of_gate, H)

    w.each(N, 1, row)
    w.end()


def sum_rows(module: Any, H: int) -> None:
    """sum_rows(N, da, db): db (3H,), zero before, = the sums of da (3, N, H) over its rows."""
    w = Writer(module, "sum_rows", [COUNT, ARRAY, ARRAY])
    N, da, db = w.arguments

    def gate(i: Value) -> None:
        to, of_gate = w.at(db, w.times(i, H)), w.at(da, w.times(i, w.times(N, H)))

        def row(n: Value) -> None:
            _add(w, to, w.at(of_gate, w.times(n, H)), H)

        w.each(N, 1, row)

    w.each(3, 1, gate)
    w.end()


def _add(w: Writer, to: Value, numbers: Value, count: int) -> None:
    w.each(count, LANES, lambda j: w.store(w.code.fadd(w.load(to, j), w.load(numbers, j)), to, j))
