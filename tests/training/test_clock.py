"""Stopwatch, pace and memory."""

from __future__ import annotations

import pytest

from chargru.training.clock import Clock, Pace, resident_memory


def test_pauses_do_not_count():
    now = [0.0]
    clock = Clock(100.0, lambda: now[0])
    assert clock.elapsed == 100
    clock.start()
    now[0] = 5
    assert clock.elapsed == 105
    clock.stop()
    now[0] = 50
    assert clock.elapsed == 105
    clock.start()
    clock.start()
    now[0] = 51
    assert clock.elapsed == 106


def test_pace_is_of_the_last_seconds():
    pace = Pace(window=2.0)
    assert pace.rate == 0
    for second in range(10):
        pace.note(second, 100 * second if second < 5 else 500 + 10 * (second - 5))
    assert pace.rate == pytest.approx(10)
    pace.restart()
    assert pace.rate == 0


def test_memory_is_a_plausible_number():
    assert 10_000_000 < resident_memory() < 10**12
