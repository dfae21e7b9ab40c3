"""Compiled code of the optimizer: all that an update does with a weight, in one pass over memory."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from chargru.engine.fused.vectors import ARRAY, COUNT, LANES, Value, Writer


def update_module() -> Any:
    """adam(N, numbers, w, g, m, v, averaged): the update of `chargru.engine.optimizer.Adam` without decay.

    N is a multiple of 16; `numbers` are scale, β₁, 1 − β₁, β₂, 1 − β₂, rate, ε and how far the average moves.
    """
    module = ir.Module()
    w = Writer(module, "adam", [COUNT, *[ARRAY] * 6])
    N, numbers, weights, gradients, first, second, averages = w.arguments
    scale, beta1, rest1, beta2, rest2, rate, epsilon, average = (w.spread(numbers, i) for i in range(8))
    code = w.code

    def vector(i: Value) -> None:
        g = code.fmul(w.load(gradients, i), scale)
        m = w.multiply_add(rest1, g, code.fmul(beta1, w.load(first, i)))
        v = w.multiply_add(rest2, code.fmul(g, g), code.fmul(beta2, w.load(second, i)))
        step = code.fdiv(code.fmul(rate, m), code.fadd(w.square_root(v), epsilon))
        new, mean = code.fsub(w.load(weights, i), step), w.load(averages, i)
        w.store(m, first, i)
        w.store(v, second, i)
        w.store(new, weights, i)
        w.store(w.multiply_add(average, code.fsub(new, mean), mean), averages, i)

    w.each(N, LANES, vector)
    w.end()
    return module
