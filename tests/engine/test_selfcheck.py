"""The self-check: a device that computes as the reference does passes, one with a fault is told what is off."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine import selfcheck
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

pytestmark = needs_compiler


@pytest.fixture(autouse=True)
def small_cases(monkeypatch):
    """The wide case takes the emulator seconds; `test_the_whole_check` does it once."""
    monkeypatch.setattr(selfcheck, "_CASES", selfcheck._CASES[:2])


def test_a_right_device_passes():
    assert selfcheck.differs(emulated_device()) == ""


@pytest.mark.long
def test_the_whole_check(monkeypatch):
    monkeypatch.undo()
    assert len(selfcheck._CASES) == 3
    assert selfcheck.differs(emulated_device()) == ""


class Faulty:
    """A launcher that lets a kernel do its work and then spoils one of the arrays it was given."""

    def __init__(self, launcher, name, spoil):
        self.launcher, self.name, self.spoil = launcher, name, spoil
        self.met = 0

    def launch(self, name, grid, block, arguments, shared_bytes=0):
        self.launcher.launch(name, grid, block, arguments, shared_bytes)
        if name == self.name:
            self.met += 1
            self.spoil(arguments)


def spoiling(index, change):
    def spoil(arguments):
        arrays = [each for each in arguments if isinstance(each, np.ndarray) and each.dtype == np.float32]
        change(arrays[index])

    return spoil


def faulty(name, spoil):
    device = emulated_device()
    device.launcher = Faulty(device.launcher, name, spoil)
    return device


def shift(array):
    array.reshape(-1)[0] += 0.05


def not_a_number(array):
    array.reshape(-1)[0] = np.nan


@pytest.mark.parametrize("change", [shift, not_a_number])
@pytest.mark.parametrize(
    ("kernel", "array"), [("gru_back_first", -1), ("gru_candidate", -1), ("sum_rows_by_id", -1), ("adam", 0)]
)
def test_a_faulty_kernel_is_found(kernel, array, change):
    device = faulty(kernel, spoiling(array, change))
    found = selfcheck.differs(device)
    assert device.launcher.met > 0
    assert "off by" in found


def scale_products(device, factor):
    right = device.product

    def scaled(a, b, out, **how):
        product = right(a, b, out, **how)
        return lambda: (product(), np.multiply(out, factor, out=out))

    device.product = scaled


def test_a_product_that_is_off_is_found_and_named():
    device = emulated_device()
    scale_products(device, 1.001)
    found = selfcheck.differs(device)
    assert "off by" in found
    assert "allowed" in found or "loss" in found


def test_tf32_is_allowed_what_tf32_loses():
    device = emulated_device("tf32")
    scale_products(device, 1.0005)
    assert selfcheck.differs(device) == ""
    device.precision = "float32"
    assert "off by" in selfcheck.differs(device)
