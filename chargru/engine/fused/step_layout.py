"""Where the weights lie that a compiled step reads, one after the other; and how they get there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chargru.config import ModelConfig
from chargru.engine.fused.sequence import LANES
from chargru.engine.parameters import Array, Parameters

PANEL = 64
"""Columns of a panel."""

STATE, CHARACTER, ARRIVED, HELPED, SHARED = 0, 8, (16, 24), 32, 40
"""Places in what two threads share, `SHARED` whole numbers: each in a line of the cache of its own."""

_PAGE = 1 << 19  # numbers of a large page (2 MB)


class Places(NamedTuple):
    """Where a layer's panels and biases begin, counted in numbers.

    The panels of z, r and h̃ have the rows of W above those of U, but in the first layer, whose `bias` (V, 3H) has
    what each character adds; above it is (3H,).
    """

    z: int
    r: int
    h: int
    bias: int


class StepLayout(NamedTuple):
    """The whole model; `padded` are its characters with what fills up the last vector."""

    layers: int
    units: int
    padded: int
    places: tuple[Places, ...]
    output: int
    output_bias: int
    size: int


def step_layout(config: ModelConfig) -> StepLayout:
    """The layout for a model of this shape."""
    V, H, L = config.vocab_size, config.hidden_size, config.num_layers
    padded, begin = -(-V // LANES) * LANES, 0
    places = []
    for layer in range(L):
        panels = H * H if layer == 0 else 2 * H * H
        bias = begin + 3 * panels
        places.append(Places(begin, begin + panels, begin + 2 * panels, bias))
        begin = bias + 3 * H * (V if layer == 0 else 1)
    return StepLayout(L, H, padded, tuple(places), begin, begin + H * padded, begin + H * padded + padded)


def laid_out(parameters: Parameters) -> Array:
    """The weights as `step_layout` has them, z and r halved, in large pages where the system gives them.

    Reading the weights is all that a step of 2 × 512 units waits for; in large pages it takes a sixth less
    (benchmarks/LOG.md).
    """
    config, layout = parameters.config, step_layout(parameters.config)
    H, V, dtype = config.hidden_size, config.vocab_size, parameters.flat.dtype
    memory = np.empty(layout.size + _PAGE, dtype)
    start = -(memory.ctypes.data // memory.itemsize) % _PAGE
    weights = memory[start : start + layout.size]
    halves = np.repeat(np.array([0.5, 0.5, 1.0], dtype), H)
    for layer, place in enumerate(layout.places):
        W, U_zr, U_h, b = (parameters[f"layers.{layer}.{name}"] for name in ("W", "U_zr", "U_h", "b"))
        U = np.concatenate([U_zr, U_h], axis=1)
        rows = (U if layer == 0 else np.concatenate([W, U])) * halves
        for gate, begin in enumerate(place[:3]):
            _put(weights, begin, rows[:, gate * H : (gate + 1) * H])
        bias = (W + b if layer == 0 else b) * halves
        weights[place.bias : place.bias + bias.size] = bias.ravel()
    output = np.zeros((H, layout.padded), dtype)
    output[:, :V] = parameters["output.W_y"]
    _put(weights, layout.output, output)
    weights[layout.output_bias :] = 0
    weights[layout.output_bias : layout.output_bias + V] = parameters["output.b_y"]
    return weights


def _put(weights: Array, begin: int, matrix: Array) -> None:
    """Panel after panel of a matrix."""
    for column in range(0, matrix.shape[1], PANEL):
        panel = matrix[:, column : column + PANEL]
        weights[begin : begin + panel.size] = panel.ravel()
        begin += panel.size
