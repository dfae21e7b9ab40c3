"""What a device has passed is remembered, per device, driver and version; a damaged memory is ignored and made anew."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import types
from pathlib import Path

import pytest

from chargru.engine import backend
from chargru.engine.device import DeviceFacts
from chargru.training import trusted
from chargru.training.trusted import FILE, check_apart, remembered, verify
from tests.engine.cuda_on_cpu import needs_compiler

FACTS = DeviceFacts("Imaginary GPU", "9.0", 1 << 30, 13000, 13020, "14.2.0", 132)


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


@pytest.mark.parametrize("name", ["NVIDIA_TF32_OVERRIDE", "CUBLAS_EMULATE_SINGLE_PRECISION"])
def test_what_changes_how_cublas_multiplies_is_checked_on_its_own(monkeypatch, name):
    check = Check()
    for value in ("", "1", "1"):
        monkeypatch.setenv(name, value)
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


# -- in a process of its own ------------------------------------------------------------------------------------------

ENDINGS = {
    "passed": ("print('noise'); print('self-check: ')", ""),
    "found": ("print('self-check: dU_h is off by 0.3'); print('noise')", "dU_h is off by 0.3"),
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it was ended by SIGSEGV"),
    "hanging": ("import time; time.sleep(60)", "it was not through after 2 s"),
    "raising": ("raise TypeError('wrong')", "it ended with code 1: TypeError: wrong"),
    "passed and then failed": ("print('self-check: '); raise SystemExit(4)", "it ended with code 4"),
    "saying nothing": ("pass", "it ended with code 0"),
}


@pytest.mark.long
@pytest.mark.parametrize(("program", "told"), ENDINGS.values(), ids=ENDINGS.keys())
def test_however_the_process_ends_it_is_told(monkeypatch, program, told):
    monkeypatch.setattr(trusted, "_PROGRAM", program)
    monkeypatch.setattr(trusted, "_PATIENCE", 2.0 if "sleep" in program else 60.0)
    assert check_apart(device()) == told


def test_a_process_that_cannot_be_started_is_told(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert check_apart(device()).startswith("its process could not be started: ")


def test_only_what_that_process_passes_is_remembered(monkeypatch, file):
    monkeypatch.setattr(trusted, "_PROGRAM", ENDINGS["killed"][0])
    assert verify(device()) == "it was ended by SIGSEGV"
    assert not file.exists()
    monkeypatch.setattr(trusted, "_PROGRAM", ENDINGS["passed"][0])
    assert verify(device()) == ""
    monkeypatch.setattr(trusted, "_PROGRAM", ENDINGS["killed"][0])
    assert verify(device()) == ""  # it is trusted now


def test_a_gpu_for_one_process_only_is_checked_in_this_one(monkeypatch):
    monkeypatch.setattr(trusted, "_PROGRAM", f"print('self-check: {backend.TAKEN}')")
    monkeypatch.setattr(trusted.selfcheck, "differs", Check("found here"))
    assert check_apart(device()) == "found here"


@pytest.mark.long
@needs_compiler
def test_the_process_makes_the_real_check(monkeypatch):
    """With the kernels on the processor in the place of a GPU."""
    emulated = (
        "import sys; sys.path[:] = {path!r}\n"
        "from chargru.training import trusted\n"
        "from chargru.engine import selfcheck\n"
        "from tests.engine.cuda_on_cpu import emulated_device\n"
        "selfcheck._WIDE = (11, 48, 1, 3, 2)\n"
        "trusted.open_device = emulated_device\n"
        "trusted.main({precision!r})"
    )
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    monkeypatch.setattr(trusted, "_PROGRAM", emulated)
    assert check_apart(device()) == ""
    assert check_apart(device(precision="tf32")) == ""


def test_without_a_gpu_the_process_says_so(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    assert check_apart(device()) in ("CuPy is not installed", "no NVIDIA driver is here", "no GPU is visible to CUDA")
