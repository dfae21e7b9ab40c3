"""The model one character at a time: from ids and states to the logits of the next character."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chargru.engine.fused.choice import compiles
from chargru.engine.fused.compiled_step import CompiledRow, is_right
from chargru.engine.fused.numpy_gru import PackedLayer, SequenceGru
from chargru.engine.fused.products import blocks, factors, results, rows_at_once
from chargru.engine.fused.step_layout import laid_out
from chargru.engine.parameters import Array, Parameters

_LINE, _PAGE = 16, 1 << 19  # numbers of four bytes in a line of the cache, and in a large page
WINDOW = 64  # characters that `Stepper.window` reads at once


class Stepper:
    """The model one character at a time, for N states side by side; allocates nothing in a step.

    `h` (L, N, H) holds the states (zero at first). The state after a text depends on that text alone, so states may
    be copied out, kept and copied in again.

    `like`, another stepper of the same parameters, lends its packed weights: nothing is packed again, and all of them
    read the same memory.
    """

    def __init__(self, parameters: Parameters, rows: int = 1, *, like: Stepper | None = None) -> None:
        config, dtype = parameters.config, parameters.flat.dtype
        V, H, L = config.vocab_size, config.hidden_size, config.num_layers
        self.rows = rows
        self.h = np.zeros((L, rows, H), dtype)
        self.logits = np.zeros((rows, V), dtype)
        self._weights: _Weights = like._weights if like is not None else _Weights(parameters)
        self._W_y, self._b_y = parameters["output.W_y"], parameters["output.b_y"]
        self._row: CompiledRow | None = None
        if rows == 1 and compiles(H, dtype) and is_right():
            self._row = CompiledRow(config, self._weights.laid_out, self.h)
            self.logits = self._row.logits
        else:
            self._cell = (_OneRow if rows == 1 else _ManyRows)(self._weights, self.h)
        self._sequence: list[SequenceGru] = []

    def step(self, ids: Array) -> Array:
        """Read one character each, `ids` (N,); returns `logits` (N, V) for the next (the same array every time)."""
        if self._row is not None:
            return self._row.step(ids)
        self._cell.step(ids)
        return self.predict()

    def predict(self) -> Array:
        """`logits` (N, V) of the states as they are in `h`."""
        if self._row is not None:
            return self._row.predict()
        np.dot(self.h[-1], self._W_y, out=self.logits)
        self.logits += self._b_y
        return self.logits

    def window(self, ids: Array) -> tuple[Array, Array]:
        """Read `WINDOW` characters into the only row at once, which costs half of as many steps with two layers.

        Returns the states (L, WINDOW, H) and logits (WINDOW, V) after each; both are the caller's own. `h` and
        `logits` are as after the last character.
        """
        if self.rows != 1 or len(ids) != WINDOW:
            raise ValueError(f"a window has {WINDOW} characters and one row")
        H, dtype, layers = self.h.shape[2], self.h.dtype, self._weights.layers
        if not self._sequence:
            self._sequence = [SequenceGru(WINDOW, 1, H, dtype, train=False) for _ in layers]
        below = np.empty(0)
        for i, (packed, layer) in enumerate(zip(layers, self._sequence, strict=True)):
            if i == 0:
                for gate in range(3):
                    np.take(packed.W[gate], ids, axis=0, out=layer.a[gate, :, 0], mode="clip")
            else:
                np.matmul(below, packed.W, out=layer.a.reshape(3, WINDOW, H))
                layer.a += packed.b[:, None]
            layer.h[0] = self.h[i]
            layer.forward(packed)
            self.h[i] = layer.h[WINDOW]
            below = layer.h[1:, 0]
        logits: Array = below @ self._W_y
        logits += self._b_y
        self.logits[0] = logits[-1]
        return np.stack([layer.h[1:, 0] for layer in self._sequence]), logits

    def read(self, ids: Array) -> Array:
        """Read the characters `ids` (n,) one after the other into every row; returns the last logits (N, V)."""
        start = 0
        if self.rows == 1:
            for start in range(WINDOW, len(ids) + 1, WINDOW):
                self.window(ids[start - WINDOW : start])
        for each in ids[start:]:
            self.step(np.full(self.rows, each))
        return self.logits


class _Column(NamedTuple):
    """A layer's weights for one row. Of a layer above the first W stands over U, since [x h] [W; U] = x W + h U.

    The z and r parts are halved: σ(x) = ½ + ½ tanh(x/2).
    """

    zr: Array  # (H, 2H), above the first layer (2H, 2H)
    h: Array  # (H, H), above the first layer (2H, H)
    b_zr: Array  # (2H,); of the first layer (V, 2H), a row for each character
    b_h: Array  # (H,); of the first layer (V, H)


class _Weights:
    """A model's weights in the forms that steps want, each made when it is first asked for."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    @functools.cached_property
    def layers(self) -> list[PackedLayer]:
        """For windows and for many rows; the rows of the first layer's W have the bias in them."""
        config, dtype = self._parameters.config, self._parameters.flat.dtype
        V, H = config.vocab_size, config.hidden_size
        layers = [PackedLayer(V if i == 0 else H, H, dtype, train=False) for i in range(config.num_layers)]
        for i, packed in enumerate(layers):
            packed.pack(*self._arrays(i))
        layers[0].W += layers[0].b
        return layers

    @functools.cached_property
    def inputs(self) -> list[Array]:
        """W of each layer above the first in blocks (3, K, 1, H, n), as `layers` have their U."""
        return [np.stack([blocks(gate, packed.width)[:, None] for gate in packed.W]) for packed in self.layers[1:]]

    @functools.cached_property
    def laid_out(self) -> Array:
        """For one row in compiled code."""
        return laid_out(self._parameters)

    @functools.cached_property
    def columns(self) -> list[_Column]:
        """For one row: the fewest products and passes there can be, each over one piece of memory."""
        H, columns = self._parameters.config.hidden_size, list[_Column]()
        for i in range(self._parameters.config.num_layers):
            W, U_zr, U_h, b = self._arrays(i)
            W_zr, W_h, b_zr, b_h = 0.5 * W[:, : 2 * H], W[:, 2 * H :], 0.5 * b[: 2 * H], b[2 * H :]
            if i == 0:
                columns.append(_Column(0.5 * U_zr, U_h, W_zr + b_zr, W_h + b_h))
            else:
                columns.append(_Column(np.concatenate([W_zr, 0.5 * U_zr]), np.concatenate([W_h, U_h]), b_zr, b_h))
        return [_Column(*pieces) for pieces in _side_by_side(columns)]

    def _arrays(self, layer: int) -> tuple[Array, Array, Array, Array]:
        W, U_zr, U_h, b = (self._parameters[f"layers.{layer}.{name}"] for name in ("W", "U_zr", "U_h", "b"))
        return W, U_zr, U_h, b


def _side_by_side(groups: Sequence[Sequence[Array]]) -> list[list[Array]]:
    """Copies of the arrays, all of them in one piece of memory.

    For a piece of 4 MB or more NumPy asks the system for large pages: reading the weights, all that a step of 2 × 512
    units waits for, then takes a sixth less (benchmarks/LOG.md).
    """
    sizes = [[-(-each.size // _LINE) * _LINE for each in group] for group in groups]
    whole = np.empty(sum(map(sum, sizes)) + _PAGE, groups[0][0].dtype)
    start, found = -(whole.ctypes.data // whole.itemsize) % _PAGE, list[list[Array]]()
    for group, rooms in zip(groups, sizes, strict=True):
        found.append([])
        for each, room in zip(group, rooms, strict=True):
            piece = whole[start : start + each.size].reshape(each.shape)
            piece[:] = each
            found[-1].append(piece)
            start += room
    return found


class _OneRow:
    """A step of one state on NumPy: two products a layer, since what is below stands beside the state in memory."""

    def __init__(self, weights: _Weights, state: Array) -> None:
        L, _, H = state.shape
        self._columns = weights.columns
        self._states = [state[i, 0] for i in range(L)]
        self._inputs = [state[max(0, i - 1) : i + 1].reshape(-1) for i in range(L)]  # [x h], or h of the first layer
        self._pair = np.empty(2 * H, state.dtype)
        self._z, self._r = self._pair.reshape(2, H)
        self._xs = np.empty(2 * H, state.dtype)  # [x s], s = r ⊙ h
        self._x, self._s = self._xs.reshape(2, H)
        self._c = np.empty(H, state.dtype)
        self._half = np.array(0.5, state.dtype)  # an array: a Python number is converted at every call

    def step(self, ids: Array) -> None:
        """Move the state on by a character, `ids` (1,)."""
        character = ids[0]
        dot, add, multiply, tanh = np.dot, np.add, np.multiply, np.tanh
        pair, z, r, s, c, half = self._pair, self._z, self._r, self._s, self._c, self._half
        below: Array | None = None
        for (U_zr, U_h, b_zr, b_h), h, x_h in zip(self._columns, self._states, self._inputs, strict=True):
            dot(x_h, U_zr, out=pair)
            add(pair, b_zr[character] if below is None else b_zr, pair)
            tanh(pair, pair)
            multiply(pair, half, pair)
            add(pair, half, pair)
            multiply(r, h, s)
            if below is None:
                dot(s, U_h, out=c)
                add(c, b_h[character], c)
            else:
                self._x[:] = below
                dot(self._xs, U_h, out=c)
                add(c, b_h, c)
            tanh(c, c)
            np.subtract(c, h, c)
            multiply(c, z, c)
            add(h, c, h)
            below = h


class _ManyRows:
    """A step of several states: products in blocks, as in training (see `fused.products`)."""

    def __init__(self, weights: _Weights, state: Array) -> None:
        _, N, H = state.shape
        self._layers, self._state = weights.layers, state
        self._W = [self._layers[0].W, *weights.inputs] if len(state) > 1 else [self._layers[0].W]
        self._b = [np.repeat(packed.b, N, axis=1) for packed in self._layers]  # broadcasting would take memory
        width = self._layers[0].width
        rows = rows_at_once(N, H, width)
        self._a, self._pair = np.empty((3, N, H), state.dtype), np.empty((2, N, H), state.dtype)
        self._s, self._c = np.empty((2, N, H), state.dtype)
        self._a_blocks, self._pair_blocks = results(self._a, rows, width), results(self._pair, rows, width)
        self._c_blocks = results(self._c, rows, width)
        self._h_rows, self._s_rows = factors(state, rows), factors(self._s, rows)

    def step(self, ids: Array) -> None:
        """Move every state on by its character, `ids` (N,)."""
        a, pair, s, c = self._a, self._pair, self._s, self._c
        for i, (packed, W, h) in enumerate(zip(self._layers, self._W, self._state, strict=True)):
            if i == 0:
                for gate in range(3):
                    np.take(W[gate], ids, axis=0, out=a[gate], mode="clip")
            else:
                np.matmul(self._h_rows[i - 1], W, out=self._a_blocks)
                a += self._b[i]
            np.matmul(self._h_rows[i], packed.U_zr, out=self._pair_blocks)
            pair += a[:2]
            np.tanh(pair, out=pair)
            pair *= 0.5
            pair += 0.5
            np.multiply(pair[1], h, out=s)
            np.matmul(self._s_rows, packed.U_h, out=self._c_blocks)
            c += a[2]
            np.tanh(c, out=c)
            c -= h
            c *= pair[0]
            h += c
