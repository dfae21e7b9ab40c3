"""Which kernels go through a time step: those that a precision has, the quickest of a race, or an estimate."""

from __future__ import annotations

import pytest

from chargru.config import PRECISIONS, ModelConfig
from chargru.engine import Device, DeviceNetwork
from chargru.engine.fused import variants
from chargru.engine.fused.variants import VARIANTS, chosen, make_layer, quickest, variants_for
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler
from tests.engine.cuda_on_cpu.fake_cupy import FakeCupy


@pytest.fixture
def cupy(monkeypatch):
    fake = FakeCupy()
    fake.install(monkeypatch)
    return fake


def test_a_precision_has_the_kernels_that_multiply_no_less_exactly():
    assert {each: variants_for(each) for each in PRECISIONS} == {
        "float32": ("gemm", "fused"),
        "tf32": VARIANTS,
        "bf16": ("tensor",),
    }


@pytest.mark.parametrize(("precision", "variant"), [("float32", "tensor"), ("bf16", "fused"), ("tf32", "fussed")])
def test_other_variants_are_refused(precision, variant):
    with pytest.raises(ValueError, match=f"no variant {variant} in {precision}"):
        make_layer(emulated_device(precision), variant, 8, train=False)


def test_the_quickest_is_the_one_with_the_least_median():
    seconds = {"gemm": [1.0, 9.0, 9.0], "fused": [3.0, 2.0, 50.0], "tensor": [4.0, 4.0, 4.0]}
    assert quickest(seconds) == "fused"


def test_a_race_is_run_once_for_each_size(cupy, monkeypatch):
    device, asked = Device.cupy("tf32"), []

    def seconds(_, variant, batch_size, hidden_size):
        asked.append((variant, batch_size, hidden_size))
        return [{"gemm": 3.0, "fused": 2.0, "tensor": 1.0 if hidden_size > 8 else 5.0}[variant]]

    monkeypatch.setattr(variants, "_seconds", seconds)
    assert [chosen(device, 4, 8), chosen(device, 4, 16), chosen(device, 4, 8)] == ["fused", "tensor", "fused"]
    assert asked == [(variant, 4, H) for H in (8, 16) for variant in VARIANTS]


def test_where_there_is_one_variant_nobody_races(cupy, monkeypatch):
    monkeypatch.setattr(variants, "_seconds", lambda *size: pytest.fail("a race"))
    assert chosen(Device.cupy("bf16"), 4, 8) == "tensor"
    assert chosen(emulated_device("tf32"), 4, 8) == "tensor"  # no clock tells anything of a GPU there
    assert chosen(emulated_device(), 4, 8) == "fused"


@needs_compiler
def test_all_contenders_run_and_leave_nothing_behind(cupy):
    device = Device.cupy("tf32")
    network = DeviceNetwork(device, ModelConfig(vocab_size=5, hidden_size=8), 3, 4)
    assert network.variant == device.chosen[3, 8]
    assert {"gate_h", "gru_candidate", "tensor_candidate"} <= set(cupy.emulator.launched)
    assert not cupy.streams
