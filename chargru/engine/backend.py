"""Which arrays the engine computes with, NumPy's or CuPy's, said plainly.

"cupy" is had or refused with the reason; "auto" takes a GPU that can be trusted and else goes on with NumPy, and says
why where there is anything of a GPU to be seen. This is the one place where CuPy is imported, and only when it is asked
for: the import alone takes a second.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargru.errors import BackendError

if TYPE_CHECKING:
    from chargru.engine.device import Device

INSTALL = 'pip install "chargru[cuda13]", or "chargru[cuda12]" for a driver that knows CUDA 12 only'
TAKEN = "the GPU is taken by another process, or set to refuse new ones"
_PROCESSOR = "use --backend numpy"
_SHARED = "end what else uses it (nvidia-smi tells), or " + _PROCESSOR
_OLDER = 'pip install "chargru[cuda12]" instead, or use --backend numpy'
_NEWER = 'update the NVIDIA driver, or pip install "chargru[cuda12]" instead'

# What CUDA's runtime answers (the numbers of cudaError): the ones whose own words say too little.
_NO_MEMORY, _OLD_DRIVER, _NO_DEVICE, _BUSY, _NO_KERNEL, _OLD_FOR_PTX = 2, 35, 100, 46, 209, 222
_CUBLAS_NO_MEMORY, _CUBLAS_NO_START = "CUBLAS_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_NOT_INITIALIZED"

Verify = Callable[["Device"], str]
"""Why a device is not to be trusted, in a few words; empty when it is."""


@dataclass(frozen=True)
class Backend:
    """An array library and the device beneath it; `note` is for the user, empty when there is nothing to tell."""

    name: str
    device: str
    note: str = ""
    gpu: Device | None = field(default=None, compare=False)


def choose_backend(name: str, precision: str = "float32", verify: Verify | None = None) -> Backend:
    """The backend for "auto", "numpy" or "cupy"; a GPU is only taken once `verify` finds nothing against it.

    Raises:
        BackendError: "cupy", and the GPU cannot be had or trusted.
    """
    if name == "numpy":
        return Backend("numpy", processor_name())
    if name == "auto":
        note = _why_not_even_tried()
        if note is not None:
            return Backend("numpy", processor_name(), note)
    try:
        device = open_device(precision, verify)
    except BackendError as error:
        if name == "cupy":
            raise
        advice = f" ({error.hint})" if error.hint and error.hint != _PROCESSOR else ""
        note = f"{error.message}{advice}"
    except Exception as error:
        if name == "cupy":
            raise
        first = next(iter(str(error).splitlines()), "")  # a mistake of ours: "auto" must train all the same
        note = f"the GPU path failed ({type(error).__name__}: {first}; --backend cupy --debug shows where)"
    else:
        return Backend("cupy", device.name, gpu=device)
    return Backend("numpy", processor_name(), f"computing on the processor: {note}")


def open_device(precision: str = "float32", verify: Verify | None = None) -> Device:
    """The GPU that CUDA calls the first, ready to compute, once `verify` finds nothing against it.

    Raises:
        BackendError: there is none, or it cannot be used or trusted; one line and what to do about it.
    """
    cupy = import_cupy()
    with explained():
        require_device(cupy)
        from chargru.engine.device import Device

        device = Device.cupy(precision)
        problem = verify(device) if verify is not None else ""
    if problem:
        raise BackendError(f"the self-check on {device.name} failed: {problem}", _PROCESSOR)
    return device


def import_cupy() -> Any:
    """The module `cupy`.

    Raises:
        BackendError: it is not installed, or cannot be imported.
    """
    if not cupy_installed():
        raise BackendError("CuPy is not installed", INSTALL)
    try:
        return importlib.import_module("cupy")
    except ImportError as error:  # CuPy's own text is a page long; what the loader said stands last
        words = [line.strip() for line in str(error).splitlines() if line.strip(" =")]
        raise BackendError(
            f"CuPy cannot be imported: {words[-1] if words else type(error).__name__}", INSTALL
        ) from error
    except OSError as error:  # it makes a directory for compiled kernels
        raise unwritable(error, "CuPy cannot be imported") from error


def unwritable(error: OSError, what: str) -> BackendError:
    """What to say when CuPy cannot write into its directory of compiled kernels."""
    return BackendError(f"{what}: {error.strerror or error}", "set CUPY_CACHE_DIR to a directory it may write into")


def require_device(cupy: Any) -> None:
    """Raises CUDA's own error, or BackendError, where there is no device to compute on."""
    runtime = cupy.cuda.runtime
    if runtime.is_hip:
        raise BackendError("this CuPy is made for AMD's ROCm, and our kernels are CUDA's", _PROCESSOR)
    if runtime.getDeviceCount() < 1:
        raise BackendError("no GPU is visible to CUDA", "is CUDA_VISIBLE_DEVICES set?")


def explain(error: Exception, cupy: Any) -> BackendError | None:
    """What an exception of CuPy's or CUDA's means, in one line; None for one that is neither's.

    CuPy raises CUDARuntimeError, CUDADriverError and CUBLASError (all RuntimeError, the number in `status`),
    OutOfMemoryError (MemoryError), CompileException (Exception) and, where a library of CUDA's or its headers cannot be
    found, an ImportError, cuda-pathfinder's DynamicLibNotFoundError or a bare RuntimeError.
    """
    if isinstance(error, BackendError):
        return error
    words = str(error).strip()
    first = next((line.strip() for line in words.splitlines() if line.strip()), type(error).__name__)
    kind, status = type(error).__name__, getattr(error, "status", None)
    if kind == "OutOfMemoryError" or _CUBLAS_NO_MEMORY in words or (kind.startswith("CUDA") and status == _NO_MEMORY):
        return BackendError("the GPU's memory is full", _SHARED)
    if _CUBLAS_NO_START in words:
        return BackendError("cuBLAS does not start, as on a GPU whose memory is full", _SHARED)
    if kind == "CompileException" and "gpu-architecture" in words:
        return BackendError("the GPU is too old for this CuPy's compiler", _OLDER)
    if kind == "CompileException":
        fault = next((line.strip() for line in words.splitlines() if "error" in line.lower()), first)
        return BackendError(f"the GPU kernels could not be compiled: {fault}", _PROCESSOR)
    if words.startswith("CuPy failed to load libcuda."):  # the driver's own library
        return BackendError("no NVIDIA driver is here", _PROCESSOR)
    if words.startswith("CuPy failed to load") or _tells_of_library(error):
        return BackendError(f"a library of CUDA is missing: {first.removeprefix('CuPy failed to load ')}", INSTALL)
    if kind not in ("CUDARuntimeError", "CUDADriverError", "CUBLASError", "NVRTCError"):
        return None
    if kind == "CUDARuntimeError" and status == _OLD_DRIVER:
        return _of_driver(cupy)
    if status == _NO_DEVICE:
        return BackendError("no GPU is visible to CUDA", "is CUDA_VISIBLE_DEVICES set?")
    if kind == "CUDARuntimeError" and status == _BUSY:
        return BackendError(TAKEN, _PROCESSOR)
    if status == _OLD_FOR_PTX:
        return BackendError(f"the NVIDIA driver is too old for this CuPy's compiler ({_versions(cupy)})", _NEWER)
    if status == _NO_KERNEL:
        return BackendError("the GPU is too old for this CuPy, which has no code for it", _PROCESSOR)
    return BackendError(f"the GPU cannot be used: {first}", _PROCESSOR)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turns what CUDA and CuPy raise into a line for the user.

    Raises:
        BackendError: see `explain`.
    """
    try:
        yield
    except Exception as error:
        told = explain(error, sys.modules.get("cupy"))
        if told is None:
            raise  # a mistake of ours, not of the machine
        raise told from error


def _tells_of_library(error: Exception) -> bool:
    """Whether a library or the headers of CUDA were not found; an ImportError may also be a mistake of ours."""
    words = str(error)
    if isinstance(error, ImportError):
        return any(sign in words for sign in (".so", ".dll", "Failure finding"))
    return type(error).__name__ == "DynamicLibNotFoundError" or "find CUDA headers" in words


def gpu_present() -> bool:
    """Whether an NVIDIA driver has a device here that is not hidden; nothing is imported or started to find out."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):  # hidden on purpose
        return False
    if sys.platform == "win32":
        return Path(r"C:\Windows\System32\nvcuda.dll").exists()
    if any(Path("/dev").glob("nvidia[0-9]*")) or Path("/proc/driver/nvidia/version").exists():
        return True
    return Path("/dev/dxg").exists() and Path("/usr/lib/wsl/lib/libcuda.so.1").exists()  # Linux inside Windows


def driver_version(proc: Path = Path("/proc/driver/nvidia/version")) -> str:
    """The NVIDIA driver's own version, 580.65.06; empty where the system does not tell it."""
    try:
        found = re.search(r"\b\d{3,}\.\d+(?:\.\d+)?\b", proc.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return found.group() if found else ""


def cupy_installed() -> bool:
    """Whether CuPy is installed; it is not imported to find out."""
    try:
        return importlib.util.find_spec("cupy") is not None
    except (ImportError, ValueError):  # somebody keeps it from being found
        return False


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


def _why_not_even_tried() -> str | None:
    """For "auto": what to tell where CuPy need not be imported to know that it is of no use; None where it may be."""
    present, installed = gpu_present(), cupy_installed()
    if present and installed:
        return None
    if present:
        return f"computing on the processor: an NVIDIA GPU is here, but CuPy is not installed ({INSTALL})"
    return "computing on the processor: CuPy is installed, but no NVIDIA GPU is seen here" if installed else ""


def _of_driver(cupy: Any) -> BackendError:
    """CUDA says that the driver is insufficient, which it also says when there is none."""
    if cupy.cuda.runtime.driverGetVersion() == 0:
        return BackendError("no NVIDIA driver is here", _PROCESSOR)
    return BackendError(f"the NVIDIA driver is too old: {_versions(cupy)}", _NEWER)


def _versions(cupy: Any) -> str:
    runtime = cupy.cuda.runtime
    driver, needed = cuda_version(runtime.driverGetVersion()), cuda_version(runtime.runtimeGetVersion())
    return f"it knows CUDA {driver}, CuPy {cupy.__version__} is made for {needed}"


def cuda_version(number: int) -> str:
    """CUDA's number for a version, 12040, as people write it: 12.4."""
    return f"{number // 1000}.{number % 1000 // 10}"
