"""Compiled code of the optimizer: all that an update does with a weight, in one pass over memory."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from chargru.engine.fused.sequence import LANES
from chargru.engine.fused.vectors import ARRAY, COUNT, Value, Writer


def update_module() -> Any:
    """The update of `chargru.engine.optimizer.Adam` for N weights, a multiple of 16.

    adam(N, numbers, w, g, m, v, averaged) and adam_decayed(.., decayed); `numbers` are scale, β₁, 1 − β₁, β₂, 1 − β₂,
    rate, ε, how far the average moves, and by what share weights shrink where `decayed` is 1.
    """
    module = ir.Module()
    for name in ("adam", "adam_decayed"):
        decays = name == "adam_decayed"
        w = Writer(module, name, [COUNT, *[ARRAY] * (6 + decays)])
        _update(w, *w.arguments)
        w.end()
    return module


def _update(
    w: Writer, N: Value, numbers: Value, weights: Value, g: Value, m: Value, v: Value, averages: Value, *decayed: Value
) -> None:
    code = w.code
    scale, beta1, rest1, beta2, rest2, rate, epsilon, average, shrink = (w.spread(numbers, i) for i in range(9))

    def vector(i: Value) -> None:
        gradient, before = code.fmul(w.load(g, i), scale), w.load(weights, i)
        first = w.multiply_add(rest1, gradient, code.fmul(beta1, w.load(m, i)))
        second = w.multiply_add(rest2, code.fmul(gradient, gradient), code.fmul(beta2, w.load(v, i)))
        step = code.fdiv(code.fmul(rate, first), code.fadd(w.square_root(second), epsilon))
        for mask in decayed:
            before = code.fsub(before, code.fmul(code.fmul(w.load(mask, i), shrink), before))
        new, mean = code.fsub(before, step), w.load(averages, i)
        w.store(first, m, i)
        w.store(second, v, i)
        w.store(new, weights, i)
        w.store(w.multiply_add(average, code.fsub(new, mean), mean), averages, i)

    w.each(N, LANES, vector)
