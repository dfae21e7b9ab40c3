"""The CUDA sources, and how their kernels are launched: checked once, then often.

A raw kernel checks nothing: a wrong type, shape or stride reads somebody else's memory. So every kernel has a function
(in `cell_launches`, `tensor_launches`, `window_launches`, `update_launches`) that looks at its arrays and returns a
`Launch`, which can be repeated as long as its arrays live. That costs nothing in the loops and is what a graph is
captured from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

DeviceArray = Any
"""An array of the device's library (a cupy.ndarray; a numpy.ndarray where tests run the kernels on the processor)."""

FOLDER = Path(__file__).parent

Dimensions = tuple[int, int, int]

_GRID_X, _GRID_YZ = 2**31 - 1, 65535  # the most blocks that CUDA launches along an axis


@dataclass(frozen=True, eq=False)
class Source:
    """Files of this folder that are compiled as one, and what is defined for them, NAME=value.

    One object for each: launchers look their kernels up by it at every launch.
    """

    files: tuple[str, ...]
    defines: tuple[str, ...] = ()

    def text(self) -> str:
        """The files, one behind the other."""
        return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in self.files)


GRU = Source(("cell.cuh", "gru.cu"))


class Launcher(Protocol):
    """Runs a kernel of a source by name over arrays and NumPy scalars, whose types are those of its parameters."""

    def launch(
        self, name: str, grid: Dimensions, block: Dimensions, arguments: tuple[Any, ...], source: Source = GRU
    ) -> None:
        """Queue the kernel; returns at once."""
        ...


@dataclass(frozen=True, eq=False)
class Launch:
    """A kernel with everything it is launched with; calling it queues it."""

    launcher: Launcher
    name: str
    grid: Dimensions
    block: Dimensions
    arguments: tuple[Any, ...]
    source: Source = GRU

    def __post_init__(self) -> None:
        x, y, z = self.grid
        if not (1 <= x <= _GRID_X and 1 <= y <= _GRID_YZ and 1 <= z <= _GRID_YZ):
            raise ValueError(f"{self.name} cannot be launched with {self.grid} blocks")

    def __call__(self) -> None:
        self.launcher.launch(self.name, self.grid, self.block, self.arguments, self.source)


def check(name: str, array: DeviceArray, dtype: type[np.generic], *shape: int) -> None:
    """Raises ValueError unless `array` is of this type and shape and lies in one piece, aligned to its items."""
    if array.dtype != dtype or array.shape != shape:
        expected = np.dtype(dtype)
        raise ValueError(f"{name} must be {expected} of shape {shape}, not {array.dtype} of shape {array.shape}")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name} must lie in one piece")


def blocks(count: int, size: int) -> int:
    """How many blocks of `size` hold `count`."""
    return -(-count // size)


def line(count: int, size: int = 256) -> tuple[Dimensions, Dimensions]:
    """Grid and block for a thread for each of `count` elements."""
    return (blocks(count, size), 1, 1), (size, 1, 1)
