"""Compiled code of the softmax output: probabilities, losses and their gradients, a step of the window at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from chargru.engine.fused import product_code
from chargru.engine.fused.sequence import LANES, STEPS, up_to
from chargru.engine.fused.vectors import ARRAY, COUNT, IDS, Value, Writer


def output_module(rows: int, H: int, V: int, most_rows: int) -> Any:
    """LLVM code of what the output does with the steps of a window, each (rows, H), of V characters.

    `most_rows` sums of vectors are kept in registers at most.
    """
    module = ir.Module()
    _losses(module, rows, H, up_to(V, LANES), most_rows)
    _errors(module, rows, H, V, most_rows)
    product_code.weight_gradient(module, V, H, most_rows)
    return module


def _losses(module: Any, rows: int, H: int, columns: int, most: int) -> None:
    """losses(T, h, targets, W, b, p, sums, chosen): how likely each of `columns` characters is, but for a factor.

    `h` (T, rows, H), `targets` (T, rows), W's panels (columns // 16, H, 16) and b (columns,). A row of `p` (T, rows,
    columns) becomes e to the logits less the largest of them, its sum one of `sums` (T, rows); `chosen` (T, rows) is
    that difference for the character that came.
    """
    product = product_code.add_product(module, rows, (H, columns), most)
    w = Writer(module, "losses", [COUNT, ARRAY, IDS, *[ARRAY] * 5])
    T, h, targets, W, b, p, sums, chosen = w.arguments
    size, code = rows * columns, w.code

    def step(t: Value) -> None:
        logits, first = w.at(p, w.times(t, size)), w.times(t, rows)

        def bias(j: Value) -> None:
            vector = w.load(b, j)
            w.each(size, columns, lambda row: w.store(vector, logits, w.add(row, j)))

        w.each(columns, LANES, bias)
        code.call(product, [w.at(h, w.times(t, rows * H)), W, logits])
        w.each(rows, 1, lambda i: row(w.at(logits, w.times(i, columns)), w.add(first, i)))

    def row(logits: Value, n: Value) -> None:
        def larger(j: Value, found: Sequence[Value]) -> Sequence[Value]:
            return [w.larger(found[0], w.load(logits, j))]

        def exponential(j: Value, found: Sequence[Value]) -> Sequence[Value]:
            likely = w.exponential(code.fsub(w.load(logits, j), largest))
            w.store(likely, logits, j)
            return [code.fadd(found[0], likely)]

        largest = w.across(w.loop(columns, LANES, larger, [w.load(logits, 0)])[0], w.larger)
        below = code.fsub(code.load(w.at(logits, w.count(targets, n))), code.extract_element(largest, w.index(0)))
        code.store(below, w.at(chosen, n))
        total = w.across(w.loop(columns, LANES, exponential, [w.number(0)])[0], code.fadd)
        code.store(code.extract_element(total, w.index(0)), w.at(sums, n))

    w.each(T, 1, step)
    w.end()


def _errors(module: Any, rows: int, H: int, V: int, most: int) -> None:
    """errors(T, targets, W_T, sums, scale, p, db, dh): gradients of the one number `scale` times the sum of the losses.

    After `losses`: `p` becomes that of the logits, `db` (columns,), zero before, the sum of them, and `dh` (T, rows, H)
    their product with W's transpose, of its panels (H // 16, V filled up to whole steps, 16).
    """
    columns = up_to(V, LANES)
    product = product_code.add_product(
        module, rows, (up_to(V, STEPS), H), most, width=columns, name="add_product_transposed"
    )
    w = Writer(module, "errors", [COUNT, IDS, *[ARRAY] * 6])
    T, targets, W_T, sums, scale, p, db, dh = w.arguments
    size, code, nothing = rows * columns, w.code, w.number(0)

    def step(t: Value) -> None:
        errors, first, below = w.at(p, w.times(t, size)), w.times(t, rows), w.at(dh, w.times(t, rows * H))
        w.each(rows, 1, lambda i: row(w.at(errors, w.times(i, columns)), w.add(first, i)))
        w.each(rows * H, LANES, lambda i: w.store(nothing, below, i))
        code.call(product, [errors, W_T, below])

    def row(likely: Value, n: Value) -> None:
        factor = code.fdiv(w.spread(scale, 0), w.spread(sums, n))
        w.each(columns, LANES, lambda j: w.store(code.fmul(w.load(likely, j), factor), likely, j))
        came = w.at(likely, w.count(targets, n))
        code.store(code.fsub(code.load(came), code.load(scale)), came)
        w.each(columns, LANES, lambda j: w.store(code.fadd(w.load(db, j), w.load(likely, j)), db, j))

    w.each(T, 1, step)
    w.end()
