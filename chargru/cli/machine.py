"""What this machine is and has, measured or read where that is possible, None where it is not."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from chargru.errors import BackendError

GEMM_SECONDS = 0.3


def look() -> dict[str, Any]:
    """Everything `chargru doctor` tells, as plain values; takes about half a second, with a GPU a few more."""
    return {
        "chargru": _version("chargru"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "numpy": _version("numpy"),
        "blas": _blas(),
        "compiled": _compiled(),
        "processor": _processor(),
        "cores": _cores(),
        "memory": _memory("MemTotal"),
        "memory_free": _memory("MemAvailable"),
        "sgemm_gflops": sgemm(),
        "cupy": cupy_version(),
        "gpu": gpu_name(),
        "gpu_path": gpu_path(),
        "terminal": _terminal(),
        "runs": _runs(),
        "choices": _choices(),
    }


def sgemm(seconds: float = GEMM_SECONDS) -> float:
    """Single-precision matrix products of a training step's shape: the best of many, in 10⁹ operations a second."""
    import numpy as np

    m, k, n = 512, 512, 1536
    rng = np.random.default_rng(0)
    a, b = rng.random((m, k), np.float32), rng.random((k, n), np.float32)
    out = np.empty((m, n), np.float32)
    best = float("inf")
    begin = time.perf_counter()
    while best == float("inf") or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        best = min(best, time.perf_counter() - start)
    return 2e-9 * m * k * n / best


def cupy_version() -> str | None:
    """The version of CuPy if it is installed; found without importing it, which costs a second or more."""
    if importlib.util.find_spec("cupy") is None:
        return None
    names = metadata.packages_distributions().get("cupy", [])
    return _version(names[0]) if names else "unknown version"


def gpu_name(proc: Path = Path("/proc/driver/nvidia/gpus")) -> str | None:
    """The first NVIDIA GPU by its name, if the driver tells it."""
    for information in sorted(proc.glob("*/information")):
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("Model:"):
                return line.removeprefix("Model:").strip()
    from chargru.engine.backend import gpu_present

    return "an NVIDIA GPU" if gpu_present() else None


def gpu_path() -> dict[str, Any]:
    """Whether training uses the GPU, and what it is and does; `reason` says why not, if there is anything to say.

    The self-check is made anew. CuPy is only imported where it is installed and a GPU is seen.
    """
    from chargru.engine.backend import Backend, choose_backend, cuda_version, driver_version, explained
    from chargru.engine.device_rates import measure
    from chargru.training.trusted import check_apart

    chosen: Backend = choose_backend("auto", verify=check_apart)
    device = chosen.gpu
    if device is None:
        return {"used": False, "reason": chosen.note}
    facts, (free, total) = device.facts, device.memory()
    try:
        with explained():
            rates: dict[str, Any] = asdict(measure(device))
    except BackendError as error:  # its memory is full, as likely as not
        rates = dict.fromkeys(("products", "to_device", "from_device", "on_device")) | {"unmeasured": error.message}
    return {
        "used": True,
        "reason": "",
        "name": device.name,
        "compute_capability": facts.compute_capability,
        "memory": total,
        "memory_free": free,
        "driver": driver_version(),
        "driver_cuda": cuda_version(facts.driver_version),
        "cupy": facts.library_version,
        "cupy_cuda": cuda_version(facts.runtime_version),
        "libraries": facts.libraries,
        "products_tflops": _scaled(rates["products"], 1e12),
        "to_device_gbs": _scaled(rates["to_device"], 1e9),
        "from_device_gbs": _scaled(rates["from_device"], 1e9),
        "on_device_gbs": _scaled(rates["on_device"], 1e9),
        "unmeasured": rates.get("unmeasured", ""),
    }


def _scaled(rate: float | None, by: float) -> float | None:
    return None if rate is None else rate / by


def _version(name: str) -> str | None:
    if name == "chargru":
        from chargru import __version__

        return __version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _blas() -> list[dict[str, Any]]:
    import numpy as np

    from chargru.engine.blas import threadpool_info

    np.dot(np.ones(1), np.ones(1))  # the library is loaded with NumPy, which an optimiser of imports might drop
    return [
        {
            "name": each.get("internal_api"),
            "version": each.get("version"),
            "threads": each.get("num_threads"),
            "kernels": each.get("architecture"),
        }
        for each in threadpool_info()
        if each.get("user_api") == "blas"
    ]


def _compiled() -> dict[str, str]:
    from chargru.engine.fused import choice, compiled_step, compiler

    reason = choice.why_not() or ("" if compiled_step.is_right() else "a compiled step computes something else")
    target = None if reason else compiler.host()
    if target is None:
        return {"compiler": "", "for": "", "reason": reason}
    return {"compiler": compiler.version(), "for": target.name, "reason": ""}


def _processor() -> str:
    from chargru.engine.backend import processor_name

    return processor_name()


def _cores() -> int:
    from chargru.engine import available_cores

    return available_cores()


def _memory(field: str) -> int | None:
    """Bytes, by /proc/meminfo; the total elsewhere too, where the system tells it."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if field == "MemTotal" else None
    except (AttributeError, ValueError, OSError):
        return None


def _terminal() -> dict[str, Any]:
    columns, rows = shutil.get_terminal_size()
    return {
        "stdin": sys.stdin.isatty(),
        "stdout": sys.stdout.isatty(),
        "columns": columns,
        "rows": rows,
        "term": os.environ.get("TERM"),
        "truecolor": os.environ.get("COLORTERM") in ("truecolor", "24bit"),
        "no_color": bool(os.environ.get("NO_COLOR")),
        "encoding": sys.stdout.encoding,
    }


def _runs() -> dict[str, Any]:
    from chargru.storage.runs import runs_root

    root = runs_root()
    place = next((each for each in (root, *root.absolute().parents) if each.exists()), Path.cwd())
    return {
        "path": str(root),
        "writable": os.access(place, os.W_OK),
        "disk_free": shutil.disk_usage(place).free,
    }


def _choices() -> dict[str, Any]:
    """The file in which the app remembers how its user likes it."""
    from chargru.storage.places import config_path

    path = config_path()
    return {"path": str(path), "exists": path.is_file()}
