"""The stories of tests/training/test_device_training.py on a real GPU, and the speed that is measured on it."""

from __future__ import annotations

import pytest

from chargru.engine.device_rates import measure
from chargru.training.device_speed import device_speed
from tests.training.test_device_training import *  # noqa: F403  every test and its trainers, with the fixture below

pytestmark = pytest.mark.gpu


@pytest.fixture
def new_device(gpu):
    """The GPU: there is only one."""
    return gpu


def test_what_is_measured_is_possible(device, record_property):
    speed, rates = device_speed(device), measure(device)
    record_property("summary", f"a step of a layer {1e6 * speed.step:.1f} µs, products {speed.rate / 1e12:.1f} TF/s")
    assert 0 < speed.step < 1e-2
    assert speed.rate > 1e9
    assert rates.products > 1e9
    assert rates.on_device > 1e9
