"""What the GPU benchmarks share: the device or one line why there is none, times of queued work, results as JSON."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common import medians, print_table  # noqa: F401  which also makes the package importable

from chargru.engine.backend import cuda_version, driver_version, open_device
from chargru.engine.device import Device
from chargru.errors import BackendError

NO_GPU = 3  # the exit code where there is none


def peer() -> Any:
    """The module torch where it is to be had with a GPU, else None; why not is told when it is installed."""
    try:
        import torch

        if torch.cuda.is_available():
            return torch
        print("torch finds no GPU: no comparison", file=sys.stderr)
    except ModuleNotFoundError:
        pass
    except Exception as error:  # whatever an installation that does not fit this machine raises
        print(f"torch cannot be imported: {type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
    return None


def device(precision: str = "float32") -> Device:
    """The GPU; without one the program says so in one line and ends with `NO_GPU`."""
    try:
        return open_device(precision)
    except BackendError as error:
        print(f"no GPU to measure on: {error.message}", file=sys.stderr)
        sys.exit(NO_GPU)


def machine(gpu: Device) -> str:
    """One line: the GPU and the versions that decide the figures."""
    facts = gpu.facts
    try:
        torch = f"torch {importlib.metadata.version('torch')}"
    except importlib.metadata.PackageNotFoundError:
        torch = "torch not installed"
    return (
        f"{gpu.name} (compute capability {facts.compute_capability}, {facts.memory / 2**30:.0f} GiB), driver "
        f"{driver_version() or 'unknown'} (CUDA {cuda_version(facts.driver_version)}), CuPy {facts.library_version} "
        f"(CUDA {cuda_version(facts.runtime_version)}), {torch}, Python {platform.python_version()}"
    )


def timed(work: Callable[[], object], wait: Callable[[], object], seconds: float) -> Callable[[], float]:
    """Measures seconds of one `work`, of many that are queued and waited for together, for about `seconds`."""

    def many(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            work()
        wait()
        return (time.perf_counter() - start) / count

    for _ in range(3):
        many(1)  # compiles, captures, warms up
    count = max(1, min(100_000, int(seconds / many(2))))
    return lambda: many(count)


def arguments(doc: str | None, seconds: float) -> argparse.ArgumentParser:
    """Options that all have."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--seconds", type=float, default=seconds, help="of one round of one contender")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1e9, help="begin nothing new after so many seconds")
    return parser


def write(path: Path | None, figures: Mapping[str, Any] | list[Any]) -> None:
    """Keep the figures, after every one of them: whoever ends this program early has those that there are."""
    if path is not None:
        path.write_text(json.dumps(figures), encoding="utf-8")
