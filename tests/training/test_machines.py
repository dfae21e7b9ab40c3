"""What computes a training, as a forecast knows it: a GPU's sizes are those that the training chooses there."""

from __future__ import annotations

import types

import pytest

from chargru.config import ModelConfig, TrainRequest
from chargru.training import autotune, backends
from chargru.training.device_sizes import ROWS
from chargru.training.device_speed import DeviceSpeed
from chargru.training.forecast import forecast
from chargru.training.machines import Gpu, Processor, sizes_on_gpu

QUICK = DeviceSpeed(step=8e-6, rate=30e12)
GPU = Gpu("Imaginary GPU", 64 << 30, QUICK)
V, TEXT = 65, 30_000_000


@pytest.mark.parametrize("seconds", [1.0, 30.0, 600.0])
def test_a_gpus_forecast_has_the_sizes_that_the_training_chooses(monkeypatch, seconds):
    monkeypatch.setattr(backends, "device_speed", lambda device: QUICK)
    device = types.SimpleNamespace(memory=lambda: (GPU.free, GPU.free))
    request = TrainRequest(corpus="x", time=seconds)
    chosen = backends.sizes_for_device(device, {"time": seconds}, request, int(0.9 * TEXT), V)
    assert GPU.sizes(seconds, int(0.9 * TEXT), V) == chosen
    found = forecast(None, TEXT, V, seconds, GPU)
    assert (found.hidden_size, found.num_layers) == (chosen.hidden_size, chosen.num_layers)
    updates = QUICK.updates_in(
        seconds, ModelConfig(V, chosen.hidden_size, chosen.num_layers), chosen.batch_size, chosen.seq_len, TEXT // 10
    )
    assert found.characters == pytest.approx(updates * chosen.batch_size * chosen.seq_len, rel=1e-6)


def test_a_quicker_machine_reads_more():
    few, many = (forecast(None, TEXT, V, 60.0, machine).characters for machine in (Processor(5e10), GPU))
    assert many > 10 * few


def test_a_gpu_without_room_gets_the_smallest_sizes():
    assert Gpu("full", 1 << 20, QUICK).sizes(600.0, TEXT, V).hidden_size == 128


def test_budgets_of_steps_and_epochs_measure_nothing():
    def speed():
        raise AssertionError("measured")

    steps = sizes_on_gpu({"steps": 50_000}, TEXT, V, speed, 64 << 30)
    assert (steps.hidden_size, steps.batch_size) == (1024, ROWS)
    small = sizes_on_gpu({"steps": 50_000}, TEXT, V, speed, 1 << 30, batch_size=4096)
    assert small.hidden_size < 1024
    once = sizes_on_gpu({"epochs": 1}, TEXT, V, speed, 64 << 30)
    more = sizes_on_gpu({"epochs": 1}, TEXT, V, speed, 64 << 30, batch_size=ROWS // 8, seq_len=autotune.SEQ_LEN // 2)
    assert more.hidden_size > once.hidden_size  # smaller windows are more updates
