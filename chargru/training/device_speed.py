"""How fast a GPU trains: two updates timed on it, and what an update of other sizes then takes, about.

A small update is bound by the time steps, which wait for each other, a large one by its products:

    seconds = T · L · step + operations / rate

with `step` from windows of few units and `rate` from windows of many. That it is a sum, and these two shapes, are
reasoning and not measurements: no GPU was at hand (benchmarks/LOG.md, "The GPU path: never run").
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import numpy as np

from chargru.config import ModelConfig
from chargru.engine import Parameters
from chargru.engine.device import Device
from chargru.engine.device_network import DeviceNetwork
from chargru.errors import BackendError
from chargru.training.speed import operations

_SECONDS = 0.15  # of each of the two
_V, _T = 65, 64
_SMALL, _LARGE = (128, 32), (1024, 128)  # units of one layer, rows
_UPDATE = 5e-5  # seconds of norm, Adam and launches, beyond the window; an estimate
_SCORING = 0.4  # a character that is only scored, against one that is trained
_ON_THE_WAY = 0.07  # of a time budget: evaluations, samples, checkpoints


@dataclass(frozen=True)
class DeviceSpeed:
    """`step`: seconds of a time step of one layer, forward and back; `rate`: operations a second of the products."""

    step: float
    rate: float

    def update_seconds(self, model: ModelConfig, batch_size: int, seq_len: int) -> float:
        """What one update of these sizes takes, about."""
        products = operations(model, batch_size, seq_len) / self.rate
        return _UPDATE + seq_len * model.num_layers * self.step + products

    def updates_in(self, seconds: float, model: ModelConfig, batch_size: int, seq_len: int, val_chars: int) -> float:
        """About how many updates a time budget holds, at least 1."""
        update = self.update_seconds(model, batch_size, seq_len)
        last = min(0.25 * seconds, 1.5 * val_chars * _SCORING * update / (batch_size * seq_len))
        return max(1.0, ((1 - _ON_THE_WAY) * seconds - last) / update)


@functools.cache
def device_speed(device: Device) -> DeviceSpeed:
    """Measured for about a third of a second when it is first asked for, and remembered.

    Raises:
        BackendError: the device's memory is too small for that.
    """
    try:
        return solved(*(window_seconds(device, *shape) for shape in (_SMALL, _LARGE)))
    except BackendError as error:  # its hint is about sizes that nobody asked for
        raise BackendError(error.message, "end what else uses the GPU, or use --backend numpy") from error


def solved(small: float, large: float) -> DeviceSpeed:
    """The speed of a device that takes so many seconds for the two windows that are timed."""
    cost = [operations(ModelConfig(_V, hidden, 1), rows, _T) for hidden, rows in (_SMALL, _LARGE)]
    rate = (cost[1] - cost[0]) / max(large - small, 1e-3 * large)
    step = max(small - cost[0] / rate, 0.1 * small) / _T
    return DeviceSpeed(step, rate)


def window_seconds(device: Device, hidden_size: int, rows: int, seconds: float = _SECONDS) -> float:
    """A window's forward and backward pass, from many that are queued one behind the other."""
    config = ModelConfig(_V, hidden_size, 1)
    parameters = Parameters(config, np.float32, device.array(Parameters.initial(config, 0).flat))
    network = DeviceNetwork(device, config, rows, _T)
    ids = np.random.default_rng(0).integers(0, _V, (2, _T, rows)).astype(np.int32)
    inputs, targets = device.array(ids[0]), device.array(ids[1])

    def timed(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            network.loss_and_gradients(parameters, inputs, targets)
        device.synchronize()
        return (time.perf_counter() - start) / count

    timed(2)  # compiles, captures, warms up
    return timed(max(1, min(1000, int(seconds / timed(2)))))
