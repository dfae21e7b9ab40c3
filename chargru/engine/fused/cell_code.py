"""The loops of `chargru.engine.fused.numpy_gru` as one compiled function each, for one number of rows and units."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from chargru.engine.fused import product_code
from chargru.engine.fused.sequence import LANES
from chargru.engine.fused.vectors import ARRAY, COUNT, Value, Writer, whole


def window_module(rows: int, hidden_size: int, most_rows: int) -> Any:
    """LLVM code of what a layer of so many units does with the steps of a window, each (rows, hidden_size).

    `most_rows` sums of vectors are kept in registers at most.
    """
    module = ir.Module()
    product = product_code.add_product(module, rows, (hidden_size, hidden_size), most_rows)
    _forward(module, rows, hidden_size, product)
    _backward(module, rows, hidden_size, product)
    product_code.read_inputs(module, rows, hidden_size, product)
    product_code.input_gradient(module, rows, hidden_size, product)
    return module


def _forward(module: Any, rows: int, H: int, add_product: Any) -> None:
    """forward(T, kept, a, h, s, d, U): all T steps.

    `a` (3, T, rows, H) holds x W + b with halved z and r and then the gates; `h` (T + 1, rows, H), `h[0]` given; `s`
    and `d` (T, rows, H), or one step each where `kept` is 0 and not 1; `U` the panels of z, r (halved) and h.
    """
    w = Writer(module, "forward", [COUNT, COUNT, *[ARRAY] * 5])
    T, kept, a, h, s, d, U = w.arguments
    size = rows * H
    gate = w.times(T, size)

    def step(t: Value) -> None:
        now = w.times(t, size)
        before, after = w.at(h, now), w.at(h, w.add(now, size))
        z, r, h_tilde = (w.at(a, w.add(now, w.times(gate, i))) for i in range(3))
        s_now, d_now = (w.at(each, w.times(kept, now)) for each in (s, d))
        w.code.call(add_product, [before, U, z])
        w.code.call(add_product, [before, w.at(U, H * H), r])

        def gates(i: Value) -> None:
            r_i = w.sigmoid_of_twice(w.load(r, i))
            w.store(w.sigmoid_of_twice(w.load(z, i)), z, i)
            w.store(r_i, r, i)
            w.store(w.code.fmul(r_i, w.load(before, i)), s_now, i)

        w.each(size, LANES, gates)
        w.code.call(add_product, [s_now, w.at(U, 2 * H * H), h_tilde])

        def state(i: Value) -> None:
            candidate, h_i = w.tanh(w.load(h_tilde, i)), w.load(before, i)
            difference = w.code.fsub(candidate, h_i)
            w.store(candidate, h_tilde, i)
            w.store(difference, d_now, i)
            w.store(w.multiply_add(w.load(z, i), difference, h_i), after, i)

        w.each(size, LANES, state)

    w.each(T, 1, step)
    w.end()


def _backward(module: Any, rows: int, H: int, add_product: Any) -> None:
    """backward(T, a, s, d, dh, da, carried, ds, U): all T steps back.

    From what `forward` left in `a`, `s` and `d`, and from `dh` (T, rows, H), to `da` (3, T, rows, H). `carried`
    (rows, H), zero at first, ends as the gradient of the state before the window, `ds` is room for as much; `U` holds
    the panels of the transposes, not halved. The equations stand at `chargru.engine.gru.sequence_backward`.
    """
    w = Writer(module, "backward", [COUNT, *[ARRAY] * 8])
    T, a, s, d, dh, da, carried, ds, U = w.arguments
    size = rows * H
    gate = w.times(T, size)
    code, one, zero = w.code, w.number(1), w.number(0)

    def step(i: Value) -> None:
        now = w.times(code.sub(code.sub(T, i), whole(1)), size)
        z, r, h_tilde, da_z, da_r, da_h = (
            w.at(each, w.add(now, w.times(gate, i))) for each in (a, da) for i in range(3)
        )
        s_now, d_now, dh_now = (w.at(each, now) for each in (s, d, dh))

        def above(i: Value) -> None:
            g, z_i, h_i = code.fadd(w.load(dh_now, i), w.load(carried, i)), w.load(z, i), w.load(h_tilde, i)
            g_z, kept = code.fmul(g, z_i), code.fsub(one, z_i)
            w.store(code.fmul(g_z, w.multiply_add(code.fneg(h_i), h_i, one)), da_h, i)
            w.store(code.fmul(code.fmul(g_z, w.load(d_now, i)), kept), da_z, i)
            w.store(code.fmul(g, kept), carried, i)
            w.store(zero, ds, i)

        w.each(size, LANES, above)
        code.call(add_product, [da_h, w.at(U, 2 * H * H), ds])

        def reset(i: Value) -> None:
            ds_i, r_i = w.load(ds, i), w.load(r, i)
            through = code.fmul(code.fsub(one, r_i), w.load(s_now, i))  # h ⊙ r ⊙ (1 − r), with s = r ⊙ h
            w.store(code.fmul(ds_i, through), da_r, i)
            w.store(w.multiply_add(ds_i, r_i, w.load(carried, i)), carried, i)

        w.each(size, LANES, reset)
        code.call(add_product, [da_z, U, carried])
        code.call(add_product, [da_r, w.at(U, H * H), carried])

    w.each(T, 1, step)
    w.end()
