"""Every parameter of the network in one flat buffer, with named views.

Gradients, Adam's moments and the averaged weights are buffers of the same layout, so clipping, an update, averaging,
saving and a sum over machines are one pass each over one array.

For layer i, with H units and an input of I (= V for the first layer, H above it), gates in the order [z | r | h]:

    layers.{i}.W     (I, 3H)   input products W_z, W_r, W_h side by side
    layers.{i}.U_zr  (H, 2H)   recurrent products U_z, U_r side by side
    layers.{i}.U_h   (H, H)    recurrent product of the candidate
    layers.{i}.b     (3H,)     b_z, b_r, b_h
    output.W_y       (H, V)
    output.b_y       (V,)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.config import ModelConfig

Array = npt.NDArray[Any]
GATES = ("z", "r", "h")


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name to shape of every parameter, in the order of the flat buffer."""
    V, H = config.vocab_size, config.hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(config.num_layers):
        shapes[f"layers.{layer}.W"] = (V if layer == 0 else H, 3 * H)
        shapes[f"layers.{layer}.U_zr"] = (H, 2 * H)
        shapes[f"layers.{layer}.U_h"] = (H, H)
        shapes[f"layers.{layer}.b"] = (3 * H,)
    shapes["output.W_y"] = (H, V)
    shapes["output.b_y"] = (V,)
    return shapes


def parameter_count(config: ModelConfig) -> int:
    """How many numbers the model has (P)."""
    return sum(math.prod(shape) for shape in parameter_shapes(config).values())


def flops_per_character(hidden_size: int, num_layers: int, vocab_size: int) -> float:
    """Floating-point operations of training one character: 18 H² (2L − 1) + 6 V H."""
    return 18.0 * hidden_size**2 * (2 * num_layers - 1) + 6.0 * vocab_size * hidden_size


class Parameters:
    """A flat buffer of P numbers and its named views; also the form of a gradient, a moment, an average.

    `buffer` (P,) is used as it is, not copied; without it the buffer starts at zero.
    """

    def __init__(self, config: ModelConfig, dtype: npt.DTypeLike = np.float32, buffer: Array | None = None) -> None:
        count = parameter_count(config)
        if buffer is None:
            buffer = np.zeros(count, dtype)
        if buffer.shape != (count,):
            raise ValueError(f"a buffer of {count} numbers is needed, got shape {buffer.shape}")
        self.config = config
        self.flat = buffer
        self.views: dict[str, Array] = {}
        start = 0
        for name, shape in parameter_shapes(config).items():
            size = math.prod(shape)
            self.views[name] = buffer[start : start + size].reshape(shape)
            start += size

    @classmethod
    def initial(cls, config: ModelConfig, seed: int, dtype: npt.DTypeLike = np.float32) -> Parameters:
        """Weights to start from: small random input rows, orthogonal U per gate, update bias −1 (a long memory)."""
        rng = np.random.default_rng(seed)
        parameters = cls(config, dtype)
        H = config.hidden_size
        for layer in range(config.num_layers):
            W = parameters[f"layers.{layer}.W"]
            # a one-hot input has norm 1, a layer's state about sqrt(H)/2: both give gate sums of the same size
            W[:] = rng.normal(0.0, 0.3 if layer == 0 else 1.0 / math.sqrt(H), W.shape)
            for gate in GATES:
                parameters.gate(layer, "U", gate)[:] = orthogonal(rng, H)
            parameters.gate(layer, "b", "z")[:] = -1.0
        W_y = parameters["output.W_y"]
        W_y[:] = rng.normal(0.0, 1.0 / math.sqrt(H), W_y.shape)
        return parameters

    def __getitem__(self, name: str) -> Array:
        return self.views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.views)

    def gate(self, layer: int, matrix: str, gate: str) -> Array:
        """A view of one gate's part, by the equations' names: `gate(0, "U", "r")` is U_r of the first layer."""
        H = self.config.hidden_size
        if matrix == "U" and gate == "h":
            return self[f"layers.{layer}.U_h"]
        column = GATES.index(gate) * H
        return self[f"layers.{layer}.{'U_zr' if matrix == 'U' else matrix}"][..., column : column + H]

    def decayed(self) -> Array:
        """Mask (P,) of what weight decay shrinks: matrices, not biases."""
        mask = Parameters(self.config, self.flat.dtype)
        for view in mask.views.values():
            view[:] = view.ndim > 1
        return mask.flat


def orthogonal(rng: np.random.Generator, size: int) -> Array:
    """A random orthogonal matrix (size, size), uniform over the group (QR of a Gaussian, signs fixed)."""
    Q, R = np.linalg.qr(rng.normal(size=(size, size)))
    result: Array = Q * np.sign(np.diagonal(R))
    return result
