"""Logits → the next character, for a batch of states at once; and the single steps that make the logits."""

from __future__ import annotations

import numpy as np

from chargru.config import SamplingConfig
from chargru.engine.fused.numpy_gru import PackedLayer
from chargru.engine.parameters import Array, Parameters


class Stepper:
    """The model one character at a time, for N states side by side; allocates nothing in a step.

    `h` (L, N, H) holds the states (zero at first). The state after a text depends on that text alone, so states may
    be copied out, kept and copied in again.
    """

    def __init__(self, parameters: Parameters, rows: int = 1) -> None:
        config, dtype = parameters.config, parameters.flat.dtype
        V, H, L = config.vocab_size, config.hidden_size, config.num_layers
        self.rows = rows
        self.h = np.zeros((L, rows, H), dtype)
        self.logits = np.zeros((rows, V), dtype)
        self._layers = [PackedLayer(V if i == 0 else H, H, dtype, train=False) for i in range(L)]
        for i, packed in enumerate(self._layers):
            packed.pack(*(parameters[f"layers.{i}.{name}"] for name in ("W", "U_zr", "U_h", "b")))
        self._layers[0].W += self._layers[0].b
        self._table = self._layers[0].W.reshape(3 * V, H)
        self._offsets = np.arange(3).reshape(3, 1) * V
        self._index = np.empty((3, rows), np.intp)
        self._W_y, self._b_y = parameters["output.W_y"], parameters["output.b_y"]
        self._a = np.empty((3, rows, H), dtype)
        self._pair = np.empty((2, rows, H), dtype)
        self._s = np.empty((rows, H), dtype)

    def step(self, ids: Array) -> Array:
        """Read one character each, `ids` (N,); returns `logits` (N, V) for the next (the same array every time)."""
        a, pair, s = self._a, self._pair, self._s
        np.add(ids, self._offsets, out=self._index)
        for i, packed in enumerate(self._layers):
            h = self.h[i]
            if i == 0:
                np.take(self._table, self._index, axis=0, out=a, mode="clip")
            else:
                np.matmul(self.h[i - 1], packed.W, out=a)
                a += packed.b
            np.matmul(h, packed.U_zr, out=pair)
            pair += a[:2]
            np.tanh(pair, out=pair)
            pair *= 0.5
            pair += 0.5
            np.multiply(pair[1], h, out=s)
            np.matmul(s, packed.U_h, out=a[0])
            a[2] += a[0]
            np.tanh(a[2], out=a[2])
            a[2] -= h
            a[2] *= pair[0]
            h += a[2]
        np.matmul(self.h[-1], self._W_y, out=self.logits)
        self.logits += self._b_y
        return self.logits

    def read(self, ids: Array) -> Array:
        """Read the characters `ids` (n,) one after the other into every row; returns the last logits (N, V)."""
        for each in ids:
            self.step(np.full(self.rows, each))
        return self.logits


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
