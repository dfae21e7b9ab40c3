from __future__ import annotations

import json
from pathlib import Path

import pytest

from chargru.cli import machine

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
