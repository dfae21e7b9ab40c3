"""The machine's speed is measured once, and what a training takes follows from it."""

from __future__ import annotations

import pytest

from chargru.config import ModelConfig
from chargru.engine import Crew
from chargru.training import speed as module
from chargru.training.judge import MOST
from chargru.training.speed import machine_speed, probe, update_seconds, updates_in

SPEED = 5e10


def model(hidden_size=128, num_layers=1, vocab_size=65):
    return ModelConfig(vocab_size, hidden_size, num_layers)


def test_the_probe_measures_something_possible():
    with Crew(1) as crew:
        speed = probe(crew, seconds=0.05)
    assert 1e7 < speed < 1e14


def test_the_machine_is_measured_once_for_each_number_of_threads(monkeypatch):
    measured = []

    def counting(crew, seconds):
        measured.append(crew.workers)
        return float(len(measured))

    module._measured.cache_clear()
    monkeypatch.setattr(module, "probe", counting)
    try:
        monkeypatch.setattr(module, "available_cores", lambda: 2)
        assert [machine_speed(1), machine_speed(1), machine_speed(2), machine_speed()] == [1.0, 1.0, 2.0, 2.0]
        assert measured == [1, 2]
    finally:
        module._measured.cache_clear()


def test_an_update_takes_longer_the_more_there_is_to_do():
    small = update_seconds(model(), 32, 64, SPEED)
    for larger in (
        update_seconds(model(256), 32, 64, SPEED),
        update_seconds(model(128, 2), 32, 64, SPEED),
        update_seconds(model(vocab_size=3000), 32, 64, SPEED),
        update_seconds(model(), 64, 64, SPEED),
        update_seconds(model(), 32, 128, SPEED),
        update_seconds(model(), 32, 64, SPEED / 2),
    ):
        assert larger > small
    # in NumPy's loops a few rows cost nearly as much as many: most of it is the step itself
    assert update_seconds(model(60), 4, 64, SPEED) > update_seconds(model(60), 32, 64, SPEED) / 4


def test_updates_fill_the_budget_but_for_what_else_takes_time():
    one = update_seconds(model(), 32, 64, SPEED)
    assert updates_in(60.0, model(), 32, 64, 0, SPEED) == pytest.approx(0.93 * 60 / one)
    with_tail = updates_in(60.0, model(), 32, 64, 500_000, SPEED)
    huge_tail = updates_in(60.0, model(), 32, 64, 10**9, SPEED)
    assert 0.93 * 60 / one > with_tail > huge_tail == pytest.approx((0.93 - 0.25) * 60 / one)
    hour = [updates_in(3600.0, model(), 32, 64, chars, SPEED) for chars in (MOST // 2, MOST, 10**9)]
    assert hour[0] > hour[1] == hour[2]  # no more than that is ever scored
    assert updates_in(1.0, model(8192, 6, 20_000), 32, 64, 0, 1e6) == 1.0
