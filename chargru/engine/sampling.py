"""Logits → the next character, for a batch of states at once; and the single steps that make the logits."""

from __future__ import annotations

import numpy as np

from chargru.config import SamplingConfig
from chargru.engine.fused.numpy_gru import PackedLayer, SequenceGru
from chargru.engine.parameters import Array, Parameters

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
        self._layers: list[PackedLayer] = like._layers if like is not None else _packed(parameters)
        self._whole = [(packed.U_zr[:, 0, 0], packed.U_h[0, 0]) for packed in self._layers]
        self._table = self._layers[0].W.reshape(3 * V, H)
        self._offsets = np.arange(3).reshape(3, 1) * V
        self._index = np.empty((3, rows), np.intp)
        self._W_y, self._b_y = parameters["output.W_y"], parameters["output.b_y"]
        self._a = np.empty((3, rows, H), dtype)
        self._pair = np.empty((2, rows, H), dtype)
        self._s = np.empty((rows, H), dtype)
        self._sequence: list[SequenceGru] = []

    def step(self, ids: Array) -> Array:
        """Read one character each, `ids` (N,); returns `logits` (N, V) for the next (the same array every time)."""
        a, pair, s = self._a, self._pair, self._s
        np.add(ids, self._offsets, out=self._index)
        for i, (packed, (U_zr, U_h)) in enumerate(zip(self._layers, self._whole, strict=True)):
            h = self.h[i]
            if i == 0:
                np.take(self._table, self._index, axis=0, out=a, mode="clip")
            else:
                np.matmul(self.h[i - 1], packed.W, out=a)
                a += packed.b
            np.matmul(h, U_zr, out=pair)
            pair += a[:2]
            np.tanh(pair, out=pair)
            pair *= 0.5
            pair += 0.5
            np.multiply(pair[1], h, out=s)
            np.matmul(s, U_h, out=a[0])
            a[2] += a[0]
            np.tanh(a[2], out=a[2])
            a[2] -= h
            a[2] *= pair[0]
            h += a[2]
        return self.predict()

    def predict(self) -> Array:
        """`logits` (N, V) of the states as they are in `h`."""
        np.matmul(self.h[-1], self._W_y, out=self.logits)
        self.logits += self._b_y
        return self.logits

    def window(self, ids: Array) -> tuple[Array, Array]:
        """Read `WINDOW` characters into the only row at once, which costs half of as many steps with two layers.

        Returns the states (L, WINDOW, H) and logits (WINDOW, V) after each; both are the caller's own. `h` and
        `logits` are as after the last character.
        """
        if self.rows != 1 or len(ids) != WINDOW:
            raise ValueError(f"a window has {WINDOW} characters and one row")
        H, dtype = self.h.shape[2], self.h.dtype
        if not self._sequence:
            self._sequence = [SequenceGru(WINDOW, 1, H, dtype, train=False, width=H) for _ in self._layers]
        index = np.asarray(ids, np.intp)[:, None] + self._offsets.reshape(3, 1, 1)  # (3, WINDOW, 1)
        below = np.empty(0)
        for i, (packed, layer) in enumerate(zip(self._layers, self._sequence, strict=True)):
            if i == 0:
                np.take(self._table, index, axis=0, out=layer.a, mode="clip")
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


def _packed(parameters: Parameters) -> list[PackedLayer]:
    """Every layer's weights as the steps want them; the first one's rows have the bias in them."""
    config, dtype = parameters.config, parameters.flat.dtype
    V, H = config.vocab_size, config.hidden_size
    layers = [PackedLayer(V if i == 0 else H, H, dtype, train=False, width=H) for i in range(config.num_layers)]
    for i, packed in enumerate(layers):
        packed.pack(*(parameters[f"layers.{i}.{name}"] for name in ("W", "U_zr", "U_h", "b")))
    layers[0].W += layers[0].b
    return layers


def surprisal(logits: Array, ids: Array) -> Array:
    """−ln p of the characters `ids` (N,) under `logits` (N, V) at temperature 1, in nats: (N,) float64."""
    peak = logits.max(axis=1)
    total = np.exp(logits - peak[:, None]).sum(axis=1, dtype=np.float64)
    found: Array = np.log(total) - (logits[np.arange(len(ids)), ids] - peak)
    return np.maximum(found, 0.0)  # rounding may leave a certain character a hair above 1


def probabilities(logits: Array, config: SamplingConfig) -> Array:
    """The distribution (N, V) that characters are drawn from, in float64; temperature must be above 0.

    In this order, as elsewhere in the field: temperature, then the `top_k` likeliest (the lower id wins a tie), then
    the fewest likeliest that hold `top_p` of what is left, then those above `min_p` of the likeliest. The likeliest
    character always stays. Rows sum to 1.
    """
    scaled = logits.astype(np.float64)
    scaled -= scaled.max(axis=1, keepdims=True)  # before dividing: a temperature near 0 must not overflow
    scaled /= max(config.temperature, 1e-300)
    p = np.exp(np.maximum(scaled, -745.0))
    V = p.shape[1]
    if 0 < config.top_k < V or config.top_p < 1:
        order = np.argsort(-p, axis=1, kind="stable")
        ranked = np.take_along_axis(p, order, axis=1)
        if 0 < config.top_k < V:
            ranked[:, config.top_k :] = 0
        if config.top_p < 1:
            before = np.cumsum(ranked, axis=1) - ranked  # what the likelier ones already hold
            drop = before >= config.top_p * ranked.sum(axis=1, keepdims=True)
            drop[:, 0] = False
            ranked[drop] = 0
        np.put_along_axis(p, order, ranked, axis=1)
    if config.min_p > 0:
        p[p < config.min_p * p.max(axis=1, keepdims=True)] = 0
    p /= p.sum(axis=1, keepdims=True)
    return p


def draw(logits: Array, config: SamplingConfig, rng: np.random.Generator) -> Array:
    """The next characters (N,) for `logits` (N, V): the likeliest at temperature 0, else drawn by inverse CDF."""
    if config.temperature == 0:
        likeliest: Array = np.argmax(logits, axis=1)
        return likeliest
    cumulative = np.cumsum(probabilities(logits, config), axis=1)
    u = rng.random((len(logits), 1)) * cumulative[:, -1:]
    drawn: Array = np.argmax(cumulative > u, axis=1)
    return drawn
