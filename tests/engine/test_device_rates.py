"""What a device does a second, measured; on the processor that plays one, since only the arithmetic is ours."""

from __future__ import annotations

import pytest

from chargru.engine import device_rates
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler


@needs_compiler
def test_everything_is_measured():
    device, multiplied = emulated_device(), []
    right = device.product

    def counted(a, b, out):
        work = right(a, b, out)
        return lambda: (work(), multiplied.append(bool(out.any())))

    device.product = counted
    found = device_rates.measure(device, side=64, size=1 << 16, seconds=0.001)
    assert len(multiplied) > 2
    assert all(multiplied)
    for rate in (found.products, found.to_device, found.from_device, found.on_device):
        assert 0 < rate < 1e15


def test_a_rate_is_of_many_in_a_row(monkeypatch):
    now, calls = [0.0], []

    class Device:
        def synchronize(self):
            now[0] += 0.5  # what only the last of many waits for

    def work():
        calls.append(now[0])
        now[0] += 0.01

    monkeypatch.setattr(device_rates.time, "perf_counter", lambda: now[0])
    each = device_rates._each(Device(), work, 102.0)
    assert len(calls) == 1 + 1 + 200
    assert each == pytest.approx(0.01 + 0.5 / 200)
