"""The network once more, from the equations alone, with loops and no cleverness: what the engine is held to.

Shares no code with `chargru.engine` but the parameters' names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chargru.engine import Parameters

Array = np.ndarray[Any, Any]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def states(parameters: Parameters, inputs: Array, h0: Array) -> Array:
    """Top states (T, B, H) for ids (T, B) from `h0` (L, B, H)."""
    V = parameters.config.vocab_size
    x = np.eye(V)[inputs]
    for layer in range(parameters.config.num_layers):

        def part(matrix: str, gate: str, layer: int = layer) -> Array:
            return parameters.gate(layer, matrix, gate)

        h, out = h0[layer], []
        for x_t in x:
            z = sigmoid(x_t @ part("W", "z") + h @ part("U", "z") + part("b", "z"))
            r = sigmoid(x_t @ part("W", "r") + h @ part("U", "r") + part("b", "r"))
            h_tilde = np.tanh(x_t @ part("W", "h") + (r * h) @ part("U", "h") + part("b", "h"))
            h = (1 - z) * h + z * h_tilde
            out.append(h)
        x = np.array(out)
    return x


def losses(parameters: Parameters, inputs: Array, targets: Array, h0: Array) -> Array:
    """Cross-entropy (T, B) in nats."""
    logits = states(parameters, inputs, h0) @ parameters["output.W_y"] + parameters["output.b_y"]
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]


def central_differences(loss: Callable[[], float], flat: Array, step: float = 1e-5) -> Array:
    """The gradient of `loss()` with respect to `flat` (P,), in place and put back."""
    gradient = np.zeros_like(flat)
    for i, value in enumerate(flat):
        flat[i] = value + step
        above = loss()
        flat[i] = value - step
        below = loss()
        flat[i] = value
        gradient[i] = (above - below) / (2 * step)
    return gradient
