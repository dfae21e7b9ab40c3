"""The self-check: a device that computes as the reference does passes, one with a fault is told what is off."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import PRECISIONS
from chargru.engine import selfcheck
from chargru.engine.fused.kernels import GRU
from chargru.engine.fused.variants import variants_for
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler
from tests.engine.rounding import rounded

pytestmark = needs_compiler


@pytest.fixture(autouse=True)
def small_cases(monkeypatch):
    """The wide case takes the emulator seconds; `test_the_whole_check` does it once."""
    monkeypatch.setattr(selfcheck, "_WIDE", (11, 48, 1, 3, 2))


def like_tensor_cores(device):
    """Large products round what they multiply, as cuBLAS does where it may use TF32."""

    def product(a, b, out, *, exact=False):
        def multiply():
            factors = (np.array(a), np.array(b))
            out[...] = np.matmul(*factors if exact else (rounded(each, "tf32") for each in factors))

        return multiply

    device.product = product
    return device


def test_a_right_device_passes():
    assert selfcheck.differs(emulated_device()) == ""


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_a_device_that_rounds_passes_in_that_precision_only(precision):
    device = like_tensor_cores(emulated_device(precision))
    assert selfcheck.differs(device) == ""
    assert set(device.chosen.values()) <= set(variants_for(precision))
    device = like_tensor_cores(emulated_device())
    assert "off by" in selfcheck.differs(device)


@pytest.mark.long
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_whole_check(precision, monkeypatch):
    monkeypatch.undo()
    assert selfcheck._WIDE[1] == 256
    assert selfcheck.differs(emulated_device(precision)) == ""


class Faulty:
    """A launcher that lets a kernel do its work and then spoils one of the arrays it was given."""

    def __init__(self, launcher, name, spoil):
        self.launcher, self.name, self.spoil = launcher, name, spoil
        self.met = 0

    def launch(self, name, grid, block, arguments, source=GRU):
        self.launcher.launch(name, grid, block, arguments, source)
        if name == self.name:
            self.met += 1
            self.spoil(arguments)


def spoiling(index, change):
    def spoil(arguments):
        arrays = [each for each in arguments if isinstance(each, np.ndarray) and each.dtype == np.float32]
        change(arrays[index])

    return spoil


def faulty(name, spoil, precision="float32"):
    device = emulated_device(precision)
    device.launcher = Faulty(device.launcher, name, spoil)
    return device


def shift(array):
    array.reshape(-1)[0] += 0.05


def not_a_number(array):
    array.reshape(-1)[0] = np.nan


@pytest.mark.parametrize("change", [shift, not_a_number])
@pytest.mark.parametrize(
    ("kernel", "array", "precision"),
    [
        ("gru_back_first", -1, "float32"),
        ("gru_candidate", -1, "float32"),
        ("sum_rows_by_id", -1, "float32"),
        ("adam", 0, "float32"),
        ("tensor_candidate", -1, "tf32"),
        ("tensor_back_second", -2, "bf16"),
    ],
)
def test_a_faulty_kernel_is_found(kernel, array, precision, change):
    device = faulty(kernel, spoiling(array, change), precision)
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
