from __future__ import annotations

from typing import Any

import pytest

from chargru.cli.doctor import describe

FOUND: dict[str, Any] = {
    "chargru": "1", "python": "3.11", "system": "Linux", "numpy": "2.4", "cores": 2, "processor": "Zen",
    "blas": [{"name": "openblas", "version": "0.3", "threads": 2, "kernels": "Zen"}],
    "memory": 8 << 30, "memory_free": 4 << 30, "sgemm_gflops": 150.0, "cupy": None, "gpu": None,
    "gpu_path": {"used": False, "reason": ""}, "compiled": {"compiler": "LLVM 20", "for": "znver4", "reason": ""},
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
    assert line.endswith("training uses NumPy")
    path = {"used": False, "reason": "computing on the processor: the NVIDIA driver is too old"}
    assert lines(gpu="H100", cupy="14.2", gpu_path=path)["gpu"].endswith("NumPy: the NVIDIA driver is too old")


def test_a_gpu_that_is_used_is_described() -> None:
    path = {
        "used": True, "reason": "", "name": "Imaginary 1", "compute_capability": "9.0", "memory": 80 << 30,
        "memory_free": 79 << 30, "driver": "580.65.06", "driver_cuda": "13.0", "cupy": "14.2.0", "cupy_cuda": "13.2",
        "libraries": "cuBLAS 130500, NVRTC 13.5", "unmeasured": "",
        "products_tflops": 51.23, "to_device_gbs": 25.0, "from_device_gbs": 24.0, "on_device_gbs": 3100.4,
    }  # fmt: skip
    assert lines(gpu_path=path)["gpu"] == (
        "Imaginary 1, used for training; compute capability 9.0, 80 GiB, 79 GiB free; driver 580.65.06 "
        "(CUDA 13.0), CuPy 14.2.0 for CUDA 13.2, cuBLAS 130500, NVRTC 13.5; 51.2 TF/s in single-precision "
        "products, copies 25.0 GB/s to it, 24.0 from it, 3100 on it; it passed the self-check"
    )
    assert "; CUDA 13.0, CuPy" in lines(gpu_path={**path, "driver": ""})["gpu"]
    full = {**path, "products_tflops": None, "to_device_gbs": None, "unmeasured": "the GPU's memory is full"}
    assert "; not measured: the GPU's memory is full; it passed" in lines(gpu_path=full)["gpu"]


def test_what_is_compiled_is_told_and_why_not() -> None:
    assert lines()["compiled"] == "the loops of training, for znver4 by LLVM 20; they passed the self-check"
    missing = {"compiler": "", "for": "", "reason": "llvmlite is not installed"}
    assert lines(compiled=missing)["compiled"] == "nothing, training runs in NumPy's loops: llvmlite is not installed"


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
