"""Compiled code that moves one state on by a character: products of a row with weights, which are read once, in order.

All of a step waits for the weights to come from memory. So they lie in the order in which they are used, in panels of
64 columns (the last one may be narrower), (.., H, 64): four vectors of sums while H goes by. `step_layout` tells
where each panel lies.

Two threads read twice as fast. A companion waits in `serve`, spinning, for `step_along` to tell it a character, and
does its part of the columns; they meet after the gates and after the candidate of each layer. What is computed is the
same to the bit, whoever does it. Nobody waits for a companion that is not there: it leaves when it has not been told
anything for a while, and then `step_along` does all of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llvmlite import ir

from chargru.engine.fused.sequence import LANES
from chargru.engine.fused.step_layout import ARRIVED, CHARACTER, HELPED, PANEL, STATE, StepLayout
from chargru.engine.fused.vectors import ARRAY, COUNT, IDS, Value, Writer, whole

_ABSENT, _WAITING, _TOLD = 0, 1, 2  # what STATE says of the companion
_ALONE = None
_UNROLLED = 4


class _Arrays(NamedTuple):
    weights: Value
    h: Value
    room: Value
    logits: Value


def step_module(layout: StepLayout, triple: str) -> Any:
    """Functions of (weights, h, room, logits): `h` (L, H), `room` for 2 H numbers.

    step(id, ..), predict(..), step_along(id, shared, ..) and, for the companion, serve(patience, shared, ..). `shared`
    is zero at first; HELPED of it tells after `step_along` whether there was a companion.
    """
    module = ir.Module()
    module.triple = triple
    w = Writer(module, "step", [COUNT, *[ARRAY] * 4])
    _step(w, layout, w.arguments[0], _Arrays(*w.arguments[1:]))
    w.end()
    w = Writer(module, "predict", [ARRAY] * 4)
    _predict(w, layout, _Arrays(*w.arguments), _ALONE)
    w.end()
    _step_along(module, layout)
    _serve(module, layout)
    return module


def _step_along(module: Any, layout: StepLayout) -> None:
    w = Writer(module, "step_along", [COUNT, IDS, *[ARRAY] * 4], shared=True)
    character, shared, *arrays = w.arguments
    w.write_shared(character, shared, CHARACTER)
    with w.code.if_else(w.swap(shared, STATE, _WAITING, _TOLD)) as (helped, alone):
        with helped:
            _step(w, layout, character, _Arrays(*arrays), 0, shared)
            w.write_shared(1, shared, HELPED)
        with alone:
            _step(w, layout, character, _Arrays(*arrays))
            w.write_shared(0, shared, HELPED)
    w.end()


def _serve(module: Any, layout: StepLayout) -> None:
    w = Writer(module, "serve", [COUNT, IDS, *[ARRAY] * 4], shared=True)
    patience, shared, *arrays = w.arguments
    w.write_shared(_WAITING, shared, STATE)

    def told() -> Value:
        return w.code.icmp_signed("==", w.read_shared(shared, STATE), whole(_TOLD))

    turn, leave = w.function.append_basic_block(), w.function.append_basic_block()
    w.code.branch(turn)
    w.code.position_at_end(turn)
    w.wait(told, patience)
    with w.code.if_then(w.swap(shared, STATE, _WAITING, _ABSENT)):
        w.code.branch(leave)
    _step(w, layout, w.read_shared(shared, CHARACTER), _Arrays(*arrays), 1, shared)
    w.code.branch(turn)
    w.code.position_at_end(leave)
    w.end()


def _step(
    w: Writer, layout: StepLayout, character: Value, arrays: _Arrays, part: int | None = _ALONE, shared: Value = None
) -> None:
    """A step, or the part of it that one of two threads does."""
    for layer in range(layout.layers):
        _gates(w, layout, layer, character, arrays, part)
        _meet(w, part, shared)
        _candidate(w, layout, layer, character, arrays, part)
        _meet(w, part, shared)
    _predict(w, layout, arrays, part)
    if part == 1:
        w.write_shared(_WAITING, shared, STATE)  # before it arrives: the next step finds it waiting
    _meet(w, part, shared, wait=part == 0)


def _meet(w: Writer, part: int | None, shared: Value, *, wait: bool = True) -> None:
    """Say that this thread has come so far, and wait for the other one."""
    if part is None:
        return
    mine, other = ARRIVED[part], ARRIVED[1 - part]
    count = w.code.add(w.count(shared, mine), whole(1))
    w.write_shared(count, shared, mine)
    if wait:
        w.wait(lambda: w.code.icmp_signed(">=", w.read_shared(shared, other), count))


def _gates(w: Writer, layout: StepLayout, layer: int, character: Value, arrays: _Arrays, part: int | None) -> None:
    """z into `room` and, the companion's part, s = r ⊙ h behind it."""
    H, place = layout.units, layout.places[layer]
    state, s = w.at(arrays.h, layer * H), w.at(arrays.room, H)
    rows, bias = [*_below(w, layout, layer, arrays), (state, H)], _bias(w, layout, layer, character, arrays)

    def update(j: Value, sums: Value) -> None:
        w.store(w.sigmoid_of_twice(sums), arrays.room, j)

    def reset(j: Value, sums: Value) -> None:
        w.store(w.code.fmul(w.sigmoid_of_twice(sums), w.load(state, j)), s, j)

    if part in (_ALONE, 0):
        _columns(w, (0, H), arrays.weights, place.z, rows, bias, update)
    if part in (_ALONE, 1):
        _columns(w, (0, H), arrays.weights, place.r, rows, w.at(bias, H), reset)


def _candidate(w: Writer, layout: StepLayout, layer: int, character: Value, arrays: _Arrays, part: int | None) -> None:
    """The new state of a layer, each thread its columns."""
    H = layout.units
    state, s = w.at(arrays.h, layer * H), w.at(arrays.room, H)
    rows, bias = [*_below(w, layout, layer, arrays), (s, H)], _bias(w, layout, layer, character, arrays)

    def move(j: Value, sums: Value) -> None:
        before = w.load(state, j)
        w.store(w.multiply_add(w.load(arrays.room, j), w.code.fsub(w.tanh(sums), before), before), state, j)

    _columns(w, _share(H, part), arrays.weights, layout.places[layer].h, rows, w.at(bias, 2 * H), move)


def _predict(w: Writer, layout: StepLayout, arrays: _Arrays, part: int | None) -> None:
    """The logits, each thread its columns."""
    top = (w.at(arrays.h, (layout.layers - 1) * layout.units), layout.units)
    bias = w.at(arrays.weights, layout.output_bias)

    def put(j: Value, sums: Value) -> None:
        w.store(sums, arrays.logits, j)

    _columns(w, _share(layout.padded, part), arrays.weights, layout.output, [top], bias, put)


def _below(w: Writer, layout: StepLayout, layer: int, arrays: _Arrays) -> list[tuple[Value, int]]:
    return [(w.at(arrays.h, (layer - 1) * layout.units), layout.units)] if layer else []


def _bias(w: Writer, layout: StepLayout, layer: int, character: Value, arrays: _Arrays) -> Value:
    first = 0 if layer else w.times(character, 3 * layout.units)
    return w.at(arrays.weights, w.add(layout.places[layer].bias, first))


def _share(count: int, part: int | None) -> tuple[int, int]:
    """Whole panels for the first thread, the rest for the other."""
    middle = -(-count // (2 * PANEL)) * PANEL
    return (0, count) if part is None else (0, min(middle, count)) if part == 0 else (min(middle, count), count)


def _columns(
    w: Writer,
    stretch: tuple[int, int],
    weights: Value,
    panels: int,
    rows: Sequence[tuple[Value, int]],
    bias: Value,
    use: Callable[[Value, Value], None],
) -> None:
    """`use(j, vector)` for columns j of a stretch: `rows` (array, length), side by side, times panels, plus bias."""
    length = sum(each for _, each in rows)
    start, stop = stretch
    even = start + (stop - start) // PANEL * PANEL

    def panel(j: Value, width: int) -> None:
        matrix = w.at(weights, w.add(panels, w.times(j, length)))
        sums = [w.load(bias, w.add(j, lane)) for lane in range(0, width, LANES)]
        for row, numbers in rows:
            sums = _times(w, row, numbers, matrix, width, sums)
            matrix = w.at(matrix, numbers * width)
        for lane, value in zip(range(0, width, LANES), sums, strict=True):
            use(w.add(j, lane), value)

    if start < even:
        w.each(even - start, PANEL, lambda j: panel(w.add(j, start), PANEL))
    if even < stop:
        panel(even, stop - even)


def _times(w: Writer, row: Value, count: int, matrix: Value, width: int, sums: Sequence[Value]) -> list[Value]:
    """`sums` plus a row of `count` numbers times a panel."""

    def along(k: Value, values: list[Value]) -> Sequence[Value]:
        for further in range(_UNROLLED):
            number, start = w.spread(row, w.add(k, further)), w.times(w.add(k, further), width)
            values = [
                w.multiply_add(number, w.load(matrix, w.add(start, i * LANES)), value) for i, value in enumerate(values)
            ]
        return values

    return w.loop(count, _UNROLLED, along, sums)
