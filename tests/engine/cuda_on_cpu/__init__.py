"""The CUDA kernels on the processor, compiled by g++ behind a shim and launched over NumPy arrays.

from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

@needs_compiler            # skips visibly where there is no g++
def test(): device = emulated_device()
"""

from __future__ import annotations

import shutil
import sys

import pytest

from chargru.engine.device import Device, DeviceFacts
from tests.engine.cuda_on_cpu.emulator import Edit, Emulator
from tests.engine.cuda_on_cpu.guarded import Guarded

needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("g++") is None, reason="no g++ on Linux to compile the CUDA kernels with"
)

FACTS = DeviceFacts("a processor that plays a GPU", "9.0", 1 << 30, 13000, 13000, "none", 132)


def emulated_device(precision: str = "float32", order: int = 0, edit: Edit | None = None) -> Device:
    """A device whose kernels run on the processor over NumPy arrays.

    What `xp.empty` makes holds NaN (or a number far out of range) until it is written, and is fenced: a kernel that
    leaves it is stopped, or found out by `device.xp.check()`. `order` is that of threads and `edit` changes the CUDA,
    see `Emulator`.
    """
    return Device(Guarded(), Emulator(order, edit), FACTS, precision)
