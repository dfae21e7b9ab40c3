"""Sizes for a GPU: what fits, what the budget bears, and rows that cost nothing."""

from __future__ import annotations

import pytest

from chargru.config import ModelConfig
from chargru.training import device_speed
from chargru.training.autotune import regularization
from chargru.training.device_sizes import MOST_ROWS, ROWS, choose
from chargru.training.device_speed import DeviceSpeed, solved
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

QUICK = DeviceSpeed(step=8e-6, rate=30e12)  # about what an H100 is expected to do
SLOW = DeviceSpeed(step=50e-6, rate=2e12)


def sizes(characters, seconds, speed=QUICK, **options):
    def updates(hidden, layers, rows):
        return seconds / speed.update_seconds(ModelConfig(65, hidden, layers), rows, 64)

    return choose(characters, updates, **options)


def test_more_time_more_units():
    units = [sizes(100_000_000, seconds).hidden_size for seconds in (1, 10, 30, 180, 3_600)]
    assert units == sorted(units)
    assert units[0] == 128
    assert units[-1] == 1024


def test_a_slower_gpu_gets_smaller_networks():
    assert sizes(10**8, 60, SLOW).hidden_size < sizes(10**8, 60).hidden_size


def test_a_short_text_gets_a_small_network_and_is_not_read_by_more_rows():
    chosen = sizes(20_000, 600)
    assert chosen.hidden_size <= 256
    assert chosen.batch_size == ROWS
    assert chosen.dropout == regularization(1_000, 10_000)[0]


def test_a_long_text_is_read_by_as_many_rows_as_cost_nothing():
    assert sizes(10**10, 1).batch_size == MOST_ROWS
    assert sizes(10**10, 2).batch_size == 2 * ROWS
    assert sizes(10**10, 1, DeviceSpeed(step=1e-7, rate=1e12)).batch_size == ROWS
    assert sizes(10**10, 30).batch_size == ROWS  # 384 units keep it busy with few rows


def test_rows_and_units_are_what_there_is_memory_for():
    few = sizes(10**10, 1, fits=lambda hidden, layers, rows: rows <= 128)
    assert few.batch_size == 128
    small = sizes(10**10, 3_600, fits=lambda hidden, layers, rows: hidden <= 384)
    assert small.hidden_size == 384
    assert sizes(10**10, 30, fits=lambda *_: False).hidden_size == 128  # refused later, in one line


def test_a_budget_of_updates_leaves_rows_alone():
    chosen = choose(10**10, lambda hidden, layers, rows: 50_000.0, timed=False)
    assert (chosen.hidden_size, chosen.batch_size) == (1024, ROWS)


@pytest.mark.parametrize(("step", "rate"), [(8e-6, 30e12), (50e-6, 2e12), (2e-6, 60e12)])
def test_a_speed_is_found_again_from_what_two_windows_take(step, rate):
    truth = DeviceSpeed(step, rate)
    windows = [
        truth.update_seconds(ModelConfig(65, hidden, 1), rows, 64) - 5e-5 for hidden, rows in ((128, 32), (1024, 128))
    ]
    found = solved(*windows)
    assert found.step == pytest.approx(step)
    assert found.rate == pytest.approx(rate)


@pytest.mark.parametrize(("small", "large"), [(1e-3, 1e-3), (1e-3, 0.5e-3), (1e-3, 1.0)])
def test_odd_measurements_give_a_speed_all_the_same(small, large):
    found = solved(small, large)
    assert found.step > 0
    assert found.rate > 0


def test_an_update_is_bound_by_steps_when_small_and_by_products_when_large():
    small = QUICK.update_seconds(ModelConfig(65, 64, 2), 32, 64)
    assert small == pytest.approx(64 * 2 * QUICK.step, rel=0.2)
    wide = [QUICK.update_seconds(ModelConfig(65, 8192, 1), rows, 64) for rows in (64, 128)]
    assert wide[1] == pytest.approx(2 * wide[0], rel=0.05)


def test_a_budget_holds_fewer_updates_than_seconds_of_them():
    model = ModelConfig(65, 256, 2)
    plain = 60 / QUICK.update_seconds(model, 64, 64)
    assert 0.7 * plain < QUICK.updates_in(60, model, 64, 64, 100_000) < plain
    assert QUICK.updates_in(1e-9, model, 64, 64, 100_000) == 1.0


@needs_compiler
@pytest.mark.long
def test_a_speed_is_measured(monkeypatch):
    """On a processor that plays a GPU, with smaller windows than a real one gets."""
    monkeypatch.setattr(device_speed, "_SMALL", (8, 2))
    monkeypatch.setattr(device_speed, "_LARGE", (32, 4))
    monkeypatch.setattr(device_speed, "_T", 4)
    monkeypatch.setattr(device_speed, "_SECONDS", 0.001)
    device = emulated_device()
    found = device_speed.device_speed(device)
    assert 0 < found.step < 10
    assert 1 < found.rate < 1e15
    assert device_speed.device_speed(device) is found
