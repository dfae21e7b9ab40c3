from __future__ import annotations

from typing import Any

import pytest

from chargru.cli.doctor import describe

FOUND: dict[str, Any] = {
    "chargru": "1", "python": "3.11", "system": "Linux", "numpy": "2.4", "cores": 2, "processor": "Zen",
    "blas": [{"name": "openblas", "version": "0.3", "threads": 2, "kernels": "Zen"}],
    "memory": 8 << 30, "memory_free": 4 << 30, "sgemm_gflops": 150.0, "cupy": None, "gpu": None,
    "terminal": {
        "stdin": True, "stdout": True, "columns": 100, "rows": 40, "term": "xterm", "truecolor": False,
        "no_color": False, "encoding": "utf-8",
    },
    "runs": {"path": "/runs", "writable": True, "disk_free": 1 << 40},
    "choices": {"path": "/home/me/config.toml", "exists": False},
}  # fmt: skip


def lines(**changes: Any) -> dict[str, str]:
    return dict(describe({**FOUND, **changes}))


@pytest.mark.parametrize(("gpu", "cupy"), [(None, None), ("H100", None), ("H100", "14.2")])
def test_the_gpu_is_spoken_of_honestly(gpu: str | None, cupy: str | None) -> None:
    line = lines(gpu=gpu, cupy=cupy)["gpu"]
    assert (gpu or "no NVIDIA GPU") in line
    assert (cupy or "not installed") in line
    assert "trains on NumPy" in line


def test_what_stands_in_the_way_is_said() -> None:
    terminal = {**FOUND["terminal"], "columns": 60, "encoding": "latin-1", "no_color": True}
    found = lines(terminal=terminal, runs={**FOUND["runs"], "writable": False}, memory=None, memory_free=None, blas=[])
    assert "small" in found["terminal"]
    assert "need UTF-8" in found["terminal"]
    assert "NO_COLOR" in found["terminal"]
    assert "CANNOT BE WRITTEN" in found["runs"]
    assert found["memory"] == "unknown"
    assert "none" in found["blas"]


def test_nothing_is_said_to_be_wrong_where_nothing_is() -> None:
    found = lines()
    assert found["terminal"] == "100 x 40, colour, utf-8"
    assert found["memory"] == "8.0 GiB, 4.0 GiB free"
    assert found["runs"] == "/runs (1.0 TiB free)"
    assert found["choices"] == "/home/me/config.toml (not written yet)"
    there = {**FOUND["choices"], "exists": True}
    assert lines(choices=there)["choices"] == "/home/me/config.toml (what the app remembers)"
