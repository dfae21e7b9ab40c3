"""A device that computes: its array library, its kernels, its memory, and what can be captured and replayed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from chargru.engine.fused.kernels import DeviceArray, Launcher
from chargru.engine.parameters import Array


@dataclass(frozen=True)
class DeviceFacts:
    """What a device says of itself. Versions as CUDA numbers them (13000 is 13.0), memory in bytes."""

    name: str
    compute_capability: str
    memory: int
    driver_version: int
    runtime_version: int
    library_version: str  # of CuPy
    multiprocessors: int
    libraries: str = ""  # those that multiply and compile, with their versions


class Device:
    """An array library `xp` and a launcher of kernels; `Device.cupy` makes the real one.

    Work is queued and done in order; nothing here waits but `host`, `synchronize` and what says so. Every use of
    `xp` itself stands inside `with device.active():` (the current device and stream are a thread's). A device is one
    thread's at a time: what another one launched meanwhile could become a part of what this one captures.

    This class is all of a device that computes at once, as NumPy does; CuPy's overrides what is different.
    """

    can_be_timed = False
    """Whether a clock tells which kernels are the quicker ones here."""

    def __init__(self, xp: Any, launcher: Launcher, facts: DeviceFacts, precision: str = "float32") -> None:
        self.xp = xp
        self.launcher = launcher
        self.facts = facts
        self.precision = precision
        self.chosen: dict[tuple[int, int], str] = {}
        """The variant of the kernels for each size that was asked for, see `fused.variants.chosen`."""

    @classmethod
    def cupy(cls, precision: str = "float32") -> Device:
        """The first NVIDIA GPU through CuPy. Nothing of CuPy is imported before this is called.

        Raises:
            BackendError: no CuPy, no device, a driver that is too old, or a precision that is not to be had.
        """
        from chargru.engine.cupy_device import CupyDevice

        return CupyDevice(precision)

    @property
    def name(self) -> str:
        """The device as people know it."""
        return self.facts.name

    def active(self) -> AbstractContextManager[None]:
        """Makes the device and its stream this thread's current ones."""
        return nullcontext()

    def array(self, host: Array) -> DeviceArray:
        """A copy on the device, of the same type."""
        return np.array(host, order="C")

    def copy(self, host: Array, to: DeviceArray) -> None:
        """Copy a host array into one on the device, of the same shape and type."""
        to[...] = host

    def host(self, array: DeviceArray) -> Array:
        """A copy on the host; waits for all work that was queued before."""
        return np.array(array)

    def synchronize(self) -> None:
        """Wait for everything that was queued."""

    def product(self, a: DeviceArray, b: DeviceArray, out: DeviceArray, *, exact: bool = False) -> Callable[[], None]:
        """What computes out = a b when it is called, as often as the arrays live.

        `a` and `b` are matrices with one unit stride each and any other, `out` has its rows in one piece each. In the
        device's precision, or in float32 if it is to be `exact`.
        """
        return partial(self.xp.matmul, a, b, out=out)

    def captured(self, work: Callable[[], None]) -> Callable[[], None]:
        """`work` (kernels only, the same arrays every time) as one thing to launch: a CUDA graph where there is one."""
        return work

    def memory(self) -> tuple[int, int]:
        """Free bytes (those the pool keeps in reserve included) and all bytes of the device."""
        return self.facts.memory, self.facts.memory

    def free_pool(self) -> None:
        """Give memory that nothing uses any more back to the system."""

    def is_memory_error(self, error: BaseException) -> bool:
        """Whether this is how the device says that its memory is full."""
        return isinstance(error, MemoryError)
