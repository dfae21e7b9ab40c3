"""The CUDA kernels on the processor: gru.cu compiled by g++ behind a shim, launched over NumPy arrays.

from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

@needs_compiler            # skips visibly where there is no g++
def test(): device = emulated_device()
"""

from __future__ import annotations

import shutil

import pytest

from chargru.engine.device import Device

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ to compile the CUDA kernels with")


def emulated_device(precision: str = "float32") -> Device:
    """A device whose kernels run on the processor over NumPy arrays."""
    raise NotImplementedError
