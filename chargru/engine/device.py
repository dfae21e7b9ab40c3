"""A device that computes: its array library, its kernels, its memory, and what can be captured and replayed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from chargru.engine.fused.kernels import DeviceArray, Launcher
from chargru.engine.parameters import Array


@dataclass(frozen=True)
class DeviceFacts:
    """What a device says of itself. Versions as CUDA numbers them (13000 is 13.0), memory in bytes, clock in Hz."""

    name: str
    compute_capability: str
    memory: int
    driver_version: int
    runtime_version: int
    library_version: str  # of CuPy
    multiprocessors: int
    clock: float


class Device:
    """An array library `xp` and a launcher of kernels; `Device.cupy` makes the real one.

    Work is queued and done in order; nothing here waits but `host`, `synchronize` and what says so. Every use of
    `xp` itself stands inside `with device.active():` (the current device and stream are a thread's).
    """

    facts: DeviceFacts
    precision: str

    def __init__(self, xp: Any, launcher: Launcher, facts: DeviceFacts, precision: str = "float32") -> None:
        raise NotImplementedError

    @classmethod
    def cupy(cls, precision: str = "float32") -> Device:
        """The first NVIDIA GPU through CuPy. Nothing of CuPy is imported before this is called.

        Raises:
            BackendError: no CuPy, no device, a driver that is too old, or a precision that is not to be had.
        """
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The device as people know it."""
        raise NotImplementedError

    def active(self) -> AbstractContextManager[None]:
        """Makes the device and its stream this thread's current ones."""
        raise NotImplementedError

    def array(self, host: Array) -> DeviceArray:
        """A copy on the device, of the same type."""
        raise NotImplementedError

    def host(self, array: DeviceArray) -> Array:
        """A copy on the host; waits for all work that was queued before."""
        raise NotImplementedError

    def synchronize(self) -> None:
        """Wait for everything that was queued."""
        raise NotImplementedError

    def product(self, a: DeviceArray, b: DeviceArray, out: DeviceArray) -> None:
        """out = a b for matrices of any stride with one unit stride each, in the device's precision."""
        raise NotImplementedError

    def captured(self, work: Callable[[], None]) -> Callable[[], None]:
        """`work` (kernels only, the same arrays every time) as one thing to launch: a CUDA graph where there is one."""
        raise NotImplementedError

    def memory(self) -> tuple[int, int]:
        """Free bytes (those the pool keeps in reserve included) and all bytes of the device."""
        raise NotImplementedError

    def free_pool(self) -> None:
        """Give memory that nothing uses any more back to the system."""
        raise NotImplementedError
