"""Whether a device computes what the reference computes: looked at before it is trusted with anybody's training.

A small window by every variant that the precision has, and a wider one by the quickest, forward and back, against NumPy
in float64: the loss and every gradient, twice in a row so that the carried state and whatever was captured count too;
then three whole updates. Well under a second, but for the compiling of the kernels the first time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine.device import Device
from chargru.engine.device_lesson import DeviceLesson
from chargru.engine.device_network import DeviceNetwork
from chargru.engine.fused.variants import variants_for
from chargru.engine.network import Network
from chargru.engine.optimizer import Adam, global_norm
from chargru.engine.parameters import Array, Parameters


class Allowed(NamedTuple):
    """What a precision may be off by: of the largest number, of the loss, of the way that three updates went."""

    array: float
    loss: float
    way: float


# Of TF32 and bf16 some three times what these cases are off by where a processor lowers every factor as tensor cores
# do; cuBLAS may cut off where our kernels round, which is worse (benchmarks/LOG.md, "The GPU path").
ALLOWED = {
    "float32": Allowed(1e-4, 1e-5, 1e-2),
    "tf32": Allowed(1e-2, 1e-4, 2e-2),
    "bf16": Allowed(1e-2, 2e-4, 5e-2),
}
# V, H, L, B, T: each variant that the precision has computes the first, the quickest the second
_SMALL, _WIDE = (29, 40, 2, 6, 7), (65, 256, 1, 32, 5)
_UPDATES = 3


def differs(device: Device) -> str:
    """What the device computes otherwise than the reference, in a few words; empty when nothing does."""
    small = [(_SMALL, variant) for variant in variants_for(device.precision)]
    for (V, H, L, B, T), variant in [*small, (_WIDE, None)]:
        config = ModelConfig(vocab_size=V, hidden_size=H, num_layers=L)
        if found := next(_window(device, config, B, T, variant), ""):
            return f"{found} ({L} × {H} units, {variant or 'the quickest'} kernels)"
    return _updates(device)


def _window(device: Device, config: ModelConfig, B: int, T: int, variant: str | None) -> Iterator[str]:
    """What is off in two windows, each thing when it is found."""
    rng = np.random.default_rng(5)
    initial = Parameters.initial(config, 3)
    exact = Parameters(config, np.float64, initial.flat.astype(np.float64))
    here = Parameters(config, np.float32, device.array(initial.flat))
    expected = Network(config, B, T, np.float64)
    found = DeviceNetwork(device, config, B, T, variant=variant)
    assert expected.gradients is not None
    assert found.gradients is not None
    allowed = ALLOWED[device.precision]
    for _ in range(2):
        x, y = rng.integers(0, config.vocab_size, (2, T, B))
        loss = expected.loss_and_gradients(exact, x, y)
        on_device = found.loss_and_gradients(here, *(device.array(ids.astype(np.int32)) for ids in (x, y)))
        error = _off(device.host(on_device), np.array(loss))
        if not error <= allowed.loss:
            yield f"the loss is off by {error:.1e}"
        gradients = Parameters(config, np.float32, device.host(found.gradients.flat))
        for name in gradients:
            error = _off(gradients[name], expected.gradients[name])
            if not error <= allowed.array:
                yield f"the gradient of {name} is off by {error:.1e}, {allowed.array:.0e} allowed"
        error = _off(device.host(found.state), expected.state)
        if not error <= allowed.array:
            yield f"the state is off by {error:.1e}"
    losses = found.losses(here, *(device.array(ids.astype(np.int32)) for ids in (x, y)))
    error = _off(losses, expected.losses(exact, x, y))
    if not error <= allowed.array:
        yield f"what is scored is off by {error:.1e}"


def _updates(device: Device) -> str:
    """What is off after a few updates."""
    B, T = 4, 6
    config = ModelConfig(vocab_size=17, hidden_size=32, num_layers=2)
    training = TrainingConfig(steps=10, batch_size=B, seq_len=T, clip_norm=0.5, weight_decay=0.01)
    ids = np.random.default_rng(6).integers(0, 17, 83)
    initial = Parameters.initial(config, 4)
    state = np.zeros((config.num_layers, B, config.hidden_size), np.float32)
    zeros = np.zeros_like(initial.flat)
    kept = (initial.flat, initial.flat.copy(), zeros, zeros.copy(), state)
    lesson = DeviceLesson(device, ids.astype(np.uint8), config, training, arrays=kept)
    adam = Adam(Parameters(config, np.float64, initial.flat.astype(np.float64)), training)
    network = Network(config, B, T, np.float64)
    assert network.gradients is not None
    starts = np.arange(B) * len(ids) // B
    expected = []
    for step in range(_UPDATES):
        rate = 1e-3 * (step + 1)
        window = ids[(starts + np.arange(step * T, step * T + T + 1)[:, None]) % len(ids)]  # (T+1, B)
        loss = network.loss_and_gradients(adam.parameters, window[:-1], window[1:])
        expected.append((loss, global_norm(network.gradients)))
        adam.update(network.gradients, expected[-1][1], rate)
        lesson.update(rate)
    error = _off(np.array(lesson.collect()), np.array(expected))
    if not error <= ALLOWED[device.precision].array:
        return f"losses and norms of updates are off by {error:.1e}"
    reached = (adam.parameters.flat, adam.averaged.flat)
    for name, here, there in zip(("weights", "averages"), lesson.arrays(), reached, strict=False):
        way = float(np.linalg.norm(there - initial.flat))
        error = float(np.linalg.norm(here - there)) / way
        if not error <= ALLOWED[device.precision].way:
            return f"the {name} after {_UPDATES} updates are off by {error:.1e} of the way"
    return ""


def _off(found: Array, expected: Array) -> float:
    """The largest difference over the largest number expected; not finite when anything found is not."""
    difference = np.max(np.abs(np.asarray(found, np.float64) - expected))
    return float(difference / max(float(np.max(np.abs(expected))), 1e-30)) if math.isfinite(difference) else math.inf
