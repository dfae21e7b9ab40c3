"""One thread's share of a window: its rows of the batch through gather, layers and output, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chargru.config import ModelConfig
from chargru.engine.dropout import fill_mask, generator
from chargru.engine.fused.choice import layer_weights, output_weights, sequence, softmax_output
from chargru.engine.parameters import Array, Parameters
from chargru.engine.threads import Crew

_WEIGHT_DROP = 1_000_000  # the part number of the recurrent weights' masks, beyond any shard's


@dataclass(frozen=True)
class Regularization:
    """What is dropped in one update. `seed` and `step` fix the masks."""

    dropout: float = 0.0  # of the values before the output; between layers it only did harm (benchmarks/LOG.md)
    weight_drop: float = 0.0  # of single recurrent weights, the same for all steps of the window
    seed: int = 0
    step: int = 0


class PackedNetwork:
    """All layers' weights in the form the loops want, made once an update."""

    def __init__(self, config: ModelConfig, dtype: npt.DTypeLike, *, train: bool) -> None:
        V, H = config.vocab_size, config.hidden_size
        self.layers = [
            layer_weights(V if i == 0 else H, H, dtype, first=i == 0, train=train) for i in range(config.num_layers)
        ]
        self._masks = [(np.empty((H, 2 * H), dtype), np.empty((H, H), dtype)) for _ in self.layers if train]
        self._dropped = [(np.empty((H, 2 * H), dtype), np.empty((H, H), dtype)) for _ in self.layers if train]
        self.output = output_weights(H, V, dtype)

    def pack(
        self, parameters: Parameters, regularization: Regularization | None = None, crew: Crew | None = None
    ) -> None:
        """Refresh every copy, each layer by a thread of `crew`; with weight drop, recurrent ones of masked weights."""
        self.output.pack(parameters["output.W_y"], parameters["output.b_y"])
        drop = regularization if regularization is not None and regularization.weight_drop > 0 else None
        (crew or Crew(1)).map(lambda i: self._pack(i, parameters, drop), range(len(self.layers)))

    def _pack(self, i: int, parameters: Parameters, drop: Regularization | None) -> None:
        W, U_zr, U_h, b = (parameters[f"layers.{i}.{name}"] for name in ("W", "U_zr", "U_h", "b"))
        if drop is not None:
            rng = generator(drop.seed, drop.step, _WEIGHT_DROP + i)
            for mask in self._masks[i]:
                fill_mask(rng, drop.weight_drop, mask)
            U_zr = np.multiply(U_zr, self._masks[i][0], out=self._dropped[i][0])
            U_h = np.multiply(U_h, self._masks[i][1], out=self._dropped[i][1])
        packed = self.layers[i]
        packed.pack(W, U_zr, U_h, b)
        if i == 0:
            packed.W += packed.b  # a one-hot input takes exactly one row, so the bias can ride on it

    def mask_gradients(self, gradients: Parameters) -> None:
        """A dropped weight has no gradient, a kept one its scaled one."""
        for i, (mask_zr, mask_h) in enumerate(self._masks):
            gradients[f"layers.{i}.U_zr"].__imul__(mask_zr)
            gradients[f"layers.{i}.U_h"].__imul__(mask_h)


class Shard:
    """The rows [start, stop) of the batch: buffers for one window, forward and back."""

    def __init__(
        self,
        config: ModelConfig,
        start: int,
        stop: int,
        seq_len: int,
        dtype: npt.DTypeLike,
        gradients: Parameters | None = None,
    ) -> None:
        """`gradients` are to be written by `window`; without them the shard can only score."""
        T, B, H = seq_len, stop - start, config.hidden_size
        train = gradients is not None
        self.rows = slice(start, stop)
        self.layers = [sequence(T, B, H, dtype, train=train) for _ in range(config.num_layers)]
        self.output = softmax_output(T, B, H, config.vocab_size, dtype)
        self.gradients = gradients
        self._index = np.empty((3, T, B), np.intp)
        self._offsets = (np.arange(3) * config.vocab_size).reshape(3, 1, 1)
        self._mask = np.empty((T if train else 0, B, H), dtype)
        self._dropped = np.empty_like(self._mask)

    def window(
        self,
        weights: PackedNetwork,
        inputs: Array,
        targets: Array,
        state: Array,
        drop: Regularization,
        scale: float,
        part: int,
    ) -> float:
        """Its rows of a whole window (T, B), forward and back: the sum of their losses.

        Fills `gradients` with those of `scale` times the sum and moves the rows of `state` (L, B, H) on. A sum that is
        not finite has no gradients worth computing: nobody may use them.
        """
        x, y = inputs[:, self.rows], targets[:, self.rows]
        losses = self.forward(weights, x, y, state[:, self.rows], drop, part)
        total = float(losses.sum(dtype=np.float64))
        if math.isfinite(total):
            self.backward(weights, x, y, scale, drop.dropout > 0)
        return total

    def forward(
        self, weights: PackedNetwork, inputs: Array, targets: Array, state: Array, drop: Regularization, part: int
    ) -> Array:
        """Losses (T·B,) of this shard's rows; `state` (L, B, H) is read and then holds the state after the window."""
        for i, (layer, packed) in enumerate(zip(self.layers, weights.layers, strict=True)):
            T, _, H = layer.shape
            if i == 0:
                np.add(inputs, self._offsets, out=self._index)
                table = packed.W.reshape(-1, H)
                np.take(table, self._index, axis=0, out=layer.a, mode="clip")
            else:
                layer.read(self._states(i - 1), packed)
            layer.h[0] = state[i]
            layer.forward(packed)
            state[i] = layer.h[T]
        if drop.dropout > 0:
            fill_mask(generator(drop.seed, drop.step, part), drop.dropout, self._mask)
            np.multiply(self.layers[-1].h[1:], self._mask, out=self._dropped)
        top = self._top(dropped=drop.dropout > 0)
        return self.output.losses(top, targets.reshape(-1), weights.output)

    def backward(self, weights: PackedNetwork, inputs: Array, targets: Array, scale: float, dropped: bool) -> None:
        """Fill `gradients` with those of `scale` times the sum of this shard's losses, after `forward`."""
        gradients = self.gradients
        assert gradients is not None
        last = len(self.layers) - 1
        T, B, H = self.layers[last].shape
        N = T * B
        self.output.gradients(
            self._top(dropped),
            targets.reshape(-1),
            weights.output,
            scale,
            gradients["output.W_y"],
            gradients["output.b_y"],
            self.layers[last].dh.reshape(N, H),
        )
        if dropped:
            self.layers[last].dh *= self._mask
        for i in reversed(range(len(self.layers))):
            layer = self.layers[i]
            layer.backward(weights.layers[i])
            layer.recurrent_gradients(gradients[f"layers.{i}.U_zr"], gradients[f"layers.{i}.U_h"])
            dW, db = gradients[f"layers.{i}.W"], gradients[f"layers.{i}.b"]
            if i == 0:
                layer.character_gradients(inputs.reshape(-1), dW)
                np.sum(dW, axis=0, out=db)  # every position took exactly one row of W
            else:
                layer.input_gradients(self._states(i - 1), dW, db)
                layer.gradient_below(weights.layers[i], self.layers[i - 1].dh.reshape(N, H))

    def _states(self, i: int) -> Array:
        """The states of layer i after every step, (T·B, H)."""
        T, B, H = self.layers[i].shape
        return self.layers[i].h[1:].reshape(T * B, H)

    def _top(self, dropped: bool) -> Array:
        """What the output sees, (T·B, H): the last layer's states, or what dropout left of them."""
        if not dropped:
            return self._states(len(self.layers) - 1)
        return self._dropped.reshape(-1, self._dropped.shape[-1])
