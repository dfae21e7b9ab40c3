"""The GPU of these tests, or why there is none."""

from __future__ import annotations

import functools

import pytest

from chargru.engine.backend import open_device
from chargru.errors import BackendError
from tests.conftest import VISIBLE


@functools.cache
def opened(precision):
    """A device, or in words why there is none: asked once, for CUDA remembers its first answer too."""
    try:
        return open_device(precision)
    except BackendError as error:
        return error.message


@pytest.fixture
def gpu():
    """`gpu(precision)` gives the device, or skips; the GPU is hidden again afterwards."""

    def device(precision="float32"):
        found = opened(precision)
        if isinstance(found, str):
            pytest.skip(f"no GPU to test on: {found}")
        return found

    with pytest.MonkeyPatch.context() as patch:
        if VISIBLE is None:
            patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            patch.setenv("CUDA_VISIBLE_DEVICES", VISIBLE)
        yield device


@pytest.fixture
def device(gpu):
    """The GPU, in float32."""
    return gpu()
