"""Stopwatch, pace and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_what_helpers_have_for_themselves_counts():
    with subprocess.Popen([sys.executable, "-c", "x = bytearray(80_000_000); input()"], stdin=subprocess.PIPE) as other:
        while resident_memory([other.pid]) < resident_memory() + 70_000_000:
            assert other.poll() is None
    assert resident_memory([other.pid]) < resident_memory() + 70_000_000  # it is gone, and that is no trouble
