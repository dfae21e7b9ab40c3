"""What the benchmarks share: the machine in words, medians of rounds taken in turns, Markdown tables."""

from __future__ import annotations

import importlib.metadata
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chargru.engine import available_cores
from chargru.engine.backend import processor_name


def machine() -> str:
    """One line: processor, cores, Python and the versions that decide the figures."""
    versions = []
    for package in ("numpy", "torch", "onnxruntime"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    return f"{processor_name()}, {available_cores()} cores, Python {platform.python_version()}, " + ", ".join(versions)


def medians(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Median of what each contender returns, measured in turns so that a busy moment hits all of them alike."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table on stdout."""
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()
