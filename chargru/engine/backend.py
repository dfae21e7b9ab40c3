"""Which arrays the engine computes with, said plainly.

This version trains on NumPy. "cupy" is refused with the reason, and "auto" says when it leaves a GPU idle.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from chargru.errors import BackendError


@dataclass(frozen=True)
class Backend:
    """An array library and the device beneath it; `note` is for the user, empty when there is nothing to tell."""

    name: str
    device: str
    note: str = ""


def choose_backend(name: str) -> Backend:
    """The backend for "auto", "numpy" or "cupy".

    Raises:
        BackendError: "cupy", which this version cannot train on.
    """
    if name == "cupy":
        raise BackendError("this version has no GPU kernels yet", "train with --backend numpy")
    note = ""
    if name == "auto" and gpu_present():
        note = "an NVIDIA GPU is here, but this version trains on the processor only"
    return Backend("numpy", processor_name(), note)


def gpu_present() -> bool:
    """Whether an NVIDIA driver has a device here; nothing is imported or started to find out."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/proc/driver/nvidia/version").exists()


def processor_name() -> str:
    """The processor as the system names it, for people to read."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
