"""What a device has passed is remembered, per device, driver and version; a damaged memory is ignored and made anew."""

from __future__ import annotations

import dataclasses
import json
import os
import types

import pytest

from chargru.engine.device import DeviceFacts
from chargru.training import trusted
from chargru.training.trusted import FILE, remembered, verify

FACTS = DeviceFacts("Imaginary GPU", "9.0", 1 << 30, 13000, 13020, "14.2.0", 132, 1.7e9)


def device(precision="float32", **changes):
    return types.SimpleNamespace(name="it", precision=precision, facts=dataclasses.replace(FACTS, **changes))


class Check:
    """Counts how often it is asked."""

    def __init__(self, problem=""):
        self.calls, self.problem = 0, problem

    def __call__(self, device):
        self.calls += 1
        return self.problem


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path))
    return tmp_path / "cache" / FILE


def test_a_device_is_checked_once(file):
    check = Check()
    assert [verify(device(), check) for _ in range(3)] == ["", "", ""]
    assert check.calls == 1
    assert [each["name"] for each in json.loads(file.read_text())] == ["Imaginary GPU"]


@pytest.mark.parametrize(
    "changes",
    [{"name": "Another"}, {"driver_version": 13010}, {"library_version": "14.3.0"}, {"runtime_version": 13030},
     {"compute_capability": "10.0"}, {"precision": "tf32"}],
)  # fmt: skip
def test_another_device_driver_or_version_is_checked_on_its_own(changes):
    check = Check()
    for _ in range(2):
        verify(device(), check)
        verify(device(**changes), check)
    assert check.calls == 2


@pytest.mark.parametrize("name", ["__version__", "_kernels"])
def test_another_version_of_ours_is_checked_on_its_own(monkeypatch, name):
    check = Check()
    verify(device(), check)
    monkeypatch.setattr(trusted, name, "9.9" if name == "__version__" else lambda: "others")
    verify(device(), check)
    assert check.calls == 2


def test_what_failed_is_told_every_time_and_never_remembered(file):
    check = Check("the loss is off")
    assert [verify(device(), check) for _ in range(2)] == ["the loss is off"] * 2
    assert check.calls == 2
    assert not file.exists()


DAMAGED = {
    "no JSON": b"{", "empty": b"", "not text": b"\xff\xfe\x00", "another shape": b'{"name": "Imaginary GPU"}',
    "wrong entries": b'[1, null, {"name": 3}, []]', "deep": b"[" * 100_000, "large": b" " * (2 << 20),
}  # fmt: skip


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_memory_is_ignored_and_written_anew(file, data):
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    check = Check()
    assert [verify(device(), check) for _ in range(2)] == ["", ""]
    assert check.calls == 1
    assert len(remembered(file)) == 1


def test_a_memory_that_is_no_file_is_left_alone(file):
    file.parent.mkdir(parents=True)
    os.mkfifo(file)
    check = Check()
    assert verify(device(), check) == ""
    assert check.calls == 1


def test_a_cache_that_cannot_be_written_only_costs_another_check(file):
    file.parent.parent.mkdir(exist_ok=True)
    file.parent.write_text("in the way")
    check = Check()
    assert [verify(device(), check) for _ in range(2)] == ["", ""]
    assert check.calls == 2


def test_the_memory_stays_small(file):
    for number in range(50):
        verify(device(name=f"GPU {number}"), Check())
    names = [each["name"] for each in remembered(file)]
    assert names == [f"GPU {number}" for number in range(18, 50)]
