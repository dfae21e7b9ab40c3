"""What a device does a second: products and copies, measured for people to read (`chargru doctor`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chargru.engine.device import Device

_SIDE = 4096  # of the matrices that are multiplied
_BYTES = 1 << 26  # that are copied
_SECONDS = 0.1  # for each of the four


@dataclass(frozen=True)
class DeviceRates:
    """`products` in operations a second, in the device's precision; copies in bytes a second.

    Copies are those that everything here does: CuPy's own, of ordinary memory of the host's.
    """

    products: float
    to_device: float
    from_device: float
    on_device: float


def measure(device: Device, side: int = _SIDE, size: int = _BYTES, seconds: float = _SECONDS) -> DeviceRates:
    """Measured for about four tenths of a second."""
    rng = np.random.default_rng(0)
    a, b = (device.array(rng.random((side, side), np.float32)) for _ in range(2))
    out = device.array(np.zeros((side, side), np.float32))
    host = np.zeros(size // 4, np.float32)
    source, target = device.array(host), device.array(host)

    with device.active():
        product = device.product(a, b, out)

    def multiply() -> None:
        with device.active():
            product()

    def copy() -> None:
        with device.active():
            target[...] = source

    return DeviceRates(
        products=2.0 * side**3 / _each(device, multiply, seconds),
        to_device=size / _each(device, lambda: device.array(host), seconds),
        from_device=size / _each(device, lambda: device.host(source), seconds),
        on_device=2.0 * size / _each(device, copy, seconds),  # read and written
    )


def _each(device: Device, work: Callable[[], object], seconds: float) -> float:
    """Seconds that `work` takes, of many in a row."""

    def timed(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            work()
        device.synchronize()
        return (time.perf_counter() - start) / count

    timed(1)
    return timed(max(1, min(1000, int(seconds / max(timed(1), 1e-6)))))
