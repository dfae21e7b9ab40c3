"""The CUDA source, and how its kernels are launched: checked once, then often.

A raw kernel checks nothing: a wrong type, shape or stride reads somebody else's memory. So every kernel has a method
here that looks at its arrays and returns a `Launch`, which can then be repeated as often as its arrays live.
"""

from __future__ import annotations

from typing import Any, Protocol

DeviceArray = Any
"""An array of the device's library (a cupy.ndarray; a numpy.ndarray where tests run the kernels on the processor)."""


class Launcher(Protocol):
    """Runs a kernel of `gru.cu` by name over arrays and NumPy scalars, whose types are those of its parameters."""

    def launch(
        self,
        name: str,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: tuple[Any, ...],
        shared_bytes: int = 0,
    ) -> None:
        """Queue the kernel; returns at once."""
        ...
