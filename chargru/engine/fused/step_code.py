"""Compiled code that moves one state on by a character: products of a row with weights, which are read once, in order.

All of a step waits for the weights to come from memory. So they lie in the order in which they are used, in panels of
64 columns (the last one may be narrower), (.., H, 64): four vectors of sums while H goes by. `step_layout` tells
where each panel lies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from chargru.engine.fused.step_layout import PANEL, StepLayout
from chargru.engine.fused.vectors import ARRAY, COUNT, LANES, Value, Writer

_UNROLLED = 4


def step_module(layout: StepLayout) -> Any:
    """step(id, weights, h, room, logits) and predict(weights, h, room, logits): `h` (L, H), `room` for 2 H numbers."""
    module = ir.Module()
    for name in ("step", "predict"):
        ids = [COUNT] if name == "step" else []
        w = Writer(module, name, [*ids, *[ARRAY] * 4])
        *character, weights, h, room, logits = w.arguments
        if character:
            for layer in range(layout.layers):
                _move(w, layout, layer, character[0], weights, h, room)
        top = (w.at(h, (layout.layers - 1) * layout.units), layout.units)
        _columns(w, layout.padded, weights, layout.output, [top], w.at(weights, layout.output_bias), _into(w, logits))
        w.end()
    return module


def _move(w: Writer, layout: StepLayout, layer: int, character: Value, weights: Value, h: Value, room: Value) -> None:
    """The state of a layer after the character; z lies in `room` meanwhile, and s = r ⊙ h behind it."""
    H, place = layout.units, layout.places[layer]
    state, s = w.at(h, layer * H), w.at(room, H)
    below = [(w.at(h, (layer - 1) * H), H)] if layer else []
    bias = w.at(weights, w.add(place.bias, 0 if layer else w.times(character, 3 * H)))

    def reset(j: Value, sums: Value) -> None:
        w.store(w.code.fmul(w.sigmoid_of_twice(sums), w.load(state, j)), s, j)

    def candidate(j: Value, sums: Value) -> None:
        before = w.load(state, j)
        w.store(w.multiply_add(w.load(room, j), w.code.fsub(w.tanh(sums), before), before), state, j)

    gates = [*below, (state, H)]
    _columns(w, H, weights, place.z, gates, bias, lambda j, sums: w.store(w.sigmoid_of_twice(sums), room, j))
    _columns(w, H, weights, place.r, gates, w.at(bias, H), reset)
    _columns(w, H, weights, place.h, [*below, (s, H)], w.at(bias, 2 * H), candidate)


def _columns(
    w: Writer,
    count: int,
    weights: Value,
    panels: int,
    rows: Sequence[tuple[Value, int]],
    bias: Value,
    use: Callable[[Value, Value], None],
) -> None:
    """`use(j, vector)` for all columns j of the `rows` (array, length), side by side, times panels, plus bias."""
    length = sum(each for _, each in rows)
    whole = count // PANEL * PANEL

    def panel(j: Value, width: int) -> None:
        matrix = w.at(weights, w.add(panels, w.times(j, length)))
        sums = [w.load(bias, w.add(j, lane)) for lane in range(0, width, LANES)]
        for row, numbers in rows:
            sums = _times(w, row, numbers, matrix, width, sums)
            matrix = w.at(matrix, numbers * width)
        for lane, value in zip(range(0, width, LANES), sums, strict=True):
            use(w.add(j, lane), value)

    if whole:
        w.each(whole, PANEL, lambda j: panel(j, PANEL))
    if whole < count:
        panel(whole, count - whole)


def _times(w: Writer, row: Value, count: int, matrix: Value, width: int, sums: Sequence[Value]) -> list[Value]:
    def along(k: Value, values: list[Value]) -> Sequence[Value]:
        for further in range(_UNROLLED):
            number, start = w.spread(row, w.add(k, further)), w.times(w.add(k, further), width)
            values = [
                w.multiply_add(number, w.load(matrix, w.add(start, i * LANES)), value) for i, value in enumerate(values)
            ]
        return values

    return w.loop(count, _UNROLLED, along, sums)


def _into(w: Writer, out: Value) -> Callable[[Value, Value], None]:
    return lambda j, sums: w.store(sums, out, j)
