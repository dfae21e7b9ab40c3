from __future__ import annotations

import json
from pathlib import Path

import pytest

from chargru.cli import machine
from chargru.engine import Backend, device_rates
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

from .conftest import Command


def test_the_speed_of_products_is_measured() -> None:
    assert machine.sgemm(0.01) > 0.01


def test_a_gpu_is_read_from_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargru.engine.backend.gpu_present", lambda: False)
    assert machine.gpu_name(tmp_path) is None
    (tmp_path / "0000:01:00.0").mkdir()
    (tmp_path / "0000:01:00.0" / "information").write_text("Model: \t NVIDIA Imaginary 1\nIRQ: 3\n")
    assert machine.gpu_name(tmp_path) == "NVIDIA Imaginary 1"
    monkeypatch.setattr("chargru.engine.backend.gpu_present", lambda: True)
    assert machine.gpu_name(tmp_path / "nothing") == "an NVIDIA GPU"


def test_cupy_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cupy.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert machine.cupy_version() is not None


@pytest.mark.long
def test_the_findings_are_plain_values(chargru: Command) -> None:
    assert chargru("doctor", "--json") == 0
    (line,) = chargru.out.splitlines()
    found = json.loads(line)
    assert found["cores"] >= 1
    assert found["sgemm_gflops"] > 0.01
    assert found["runs"]["path"].endswith("home/runs")
    assert found["runs"]["disk_free"] > 0
    assert found["choices"]["path"].endswith("config.toml")
    assert not found["choices"]["exists"]
    assert chargru.err == ""


@needs_compiler
def test_a_gpu_that_is_used_is_looked_at_and_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def choose(name: str, precision: str = "float32", verify: object = None) -> Backend:
        asked.append((name, verify))
        return Backend("cupy", "Imaginary GPU", gpu=emulated_device())

    monkeypatch.setattr("chargru.engine.backend.choose_backend", choose)
    monkeypatch.setattr(device_rates.measure, "__defaults__", (32, 1 << 12, 0.001))
    found = machine.gpu_path()
    assert asked[0][0] == "auto"
    assert asked[0][1] is not None  # the self-check, made anew
    assert (found["used"], found["reason"]) == (True, "")
    assert (found["compute_capability"], found["driver_cuda"], found["memory"]) == ("9.0", "13.0", 1 << 30)
    assert all(found[name] > 0 for name in ("products_tflops", "to_device_gbs", "from_device_gbs", "on_device_gbs"))
    json.dumps(found)


def test_why_a_gpu_is_not_used_is_among_the_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "chargru.engine.backend.choose_backend", lambda *_, **__: Backend("numpy", "a processor", "the driver is old")
    )
    assert machine.gpu_path() == {"used": False, "reason": "the driver is old"}
