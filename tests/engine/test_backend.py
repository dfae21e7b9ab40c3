"""The choice of a backend: every way in which a GPU cannot be had, told in one line, by what CuPy raises for it."""

from __future__ import annotations

import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec

import pytest

from chargru.engine import backend
from chargru.engine.backend import choose_backend, explain, open_device
from chargru.errors import BackendError


class CUDARuntimeError(RuntimeError):
    """As cupy_backends.cuda.api.runtime has it: the number in `status`, its name and CUDA's words in the message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class CUDADriverError(CUDARuntimeError):
    pass


class CUBLASError(CUDARuntimeError):
    pass


class OutOfMemoryError(MemoryError):
    pass


class DynamicLibNotFoundError(RuntimeError):
    """cuda-pathfinder's."""


class CompileException(Exception):  # noqa: N818  CuPy's name
    pass


INSUFFICIENT = CUDARuntimeError(
    35, "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version"
)
NO_DEVICE = CUDARuntimeError(100, "cudaErrorNoDevice: no CUDA-capable device is detected")
FULL = OutOfMemoryError("Out of memory allocating 1,073,741,824 bytes (allocated so far: 2,147,483,648 bytes).")


def fake_cupy(*, devices=1, driver=13000, hip=False):
    """As much of CuPy as the choice asks; `devices` may be what asking for their number raises."""

    def count():
        if isinstance(devices, Exception):
            raise devices
        return devices

    runtime = types.SimpleNamespace(
        is_hip=hip, getDeviceCount=count, driverGetVersion=lambda: driver, runtimeGetVersion=lambda: 13020
    )
    module = types.ModuleType("cupy")
    module.__spec__ = ModuleSpec("cupy", None)
    module.__version__ = "14.2.0"
    module.cuda = types.SimpleNamespace(runtime=runtime)
    return module


class FakeDevice:
    name = "Imaginary GPU"
    raises: Exception | None = None

    @classmethod
    def cupy(cls, precision="float32"):
        if cls.raises is not None:
            raise cls.raises
        device = cls()
        device.precision = precision
        return device


@pytest.fixture
def machine(monkeypatch):
    """`machine(cupy module or None, gpu=, device=what making one raises)` sets up what is found."""

    def set_up(cupy, *, gpu=True, device=None):
        made = type("Device", (FakeDevice,), {"raises": device})
        monkeypatch.setattr(backend, "gpu_present", lambda: gpu)
        monkeypatch.setattr(backend, "cupy_installed", lambda: cupy is not None)
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        monkeypatch.setitem(sys.modules, "chargru.engine.device", types.SimpleNamespace(Device=made))

    return set_up


def test_numpy_is_numpy_whatever_there_is(machine):
    machine(fake_cupy())
    chosen = choose_backend("numpy")
    assert (chosen.name, chosen.note, chosen.gpu) == ("numpy", "", None)
    assert chosen.device


@pytest.mark.parametrize("name", ["auto", "cupy"])
def test_a_gpu_that_can_be_trusted_is_taken(machine, name):
    machine(fake_cupy())
    chosen = choose_backend(name, "tf32", lambda device: "")
    assert (chosen.name, chosen.device, chosen.note) == ("cupy", "Imaginary GPU", "")
    assert chosen.gpu.precision == "tf32"


def test_nothing_of_a_gpu_is_nothing_to_tell(machine):
    machine(None, gpu=False)
    assert choose_backend("auto").note == ""


def test_a_gpu_without_cupy_is_told_with_what_to_install(machine):
    machine(None, gpu=True)
    note = choose_backend("auto").note
    assert "CuPy is not installed" in note
    assert 'pip install "chargru[cuda13]"' in note


def test_cupy_without_a_gpu_is_told_and_not_imported(machine):
    machine(fake_cupy(devices=AssertionError("asked")), gpu=False)
    assert "no NVIDIA GPU is seen" in choose_backend("auto").note


PROBLEMS = {
    "no driver": ({"devices": INSUFFICIENT, "driver": 0}, None, "no NVIDIA driver is here", ""),
    "an old driver": (
        {"devices": INSUFFICIENT, "driver": 12040}, None,
        "driver is too old: it knows CUDA 12.4, CuPy 14.2.0 is made for 13.2", "cuda12",
    ),
    "a driver too old for the compiler": (
        {"driver": 13000},
        CUDARuntimeError(222, "cudaErrorUnsupportedPtxVersion: the provided PTX was compiled with an unsupported ..."),
        "too old for this CuPy's compiler", "update the NVIDIA driver",
    ),
    "no device": ({"devices": NO_DEVICE}, None, "no GPU is visible to CUDA", "CUDA_VISIBLE_DEVICES"),
    "a hidden device": ({"devices": 0}, None, "no GPU is visible to CUDA", "CUDA_VISIBLE_DEVICES"),
    "a taken device": (
        {}, CUDARuntimeError(46, "cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy or unavailable"),
        "taken by another process", "",
    ),
    "an old device": (
        {}, CUDARuntimeError(209, "cudaErrorNoKernelImageForDevice: no kernel image is available for execution on ..."),
        "the GPU is too old", "",
    ),
    "a broken device": (
        {}, CUDARuntimeError(719, "cudaErrorLaunchFailure: unspecified launch failure"),
        "cannot be used: cudaErrorLaunchFailure: unspecified launch failure", "",
    ),
    "the driver's own error": ({}, CUDADriverError(999, "CUDA_ERROR_UNKNOWN: unknown error"), "CUDA_ERROR_UNKNOWN", ""),
    "CuPy's pool is full": ({}, FULL, "the GPU's memory is full", "nvidia-smi"),
    "the device is full": (
        {}, CUDARuntimeError(2, "cudaErrorMemoryAllocation: out of memory"), "the GPU's memory is full", "nvidia-smi",
    ),
    "no room for cuBLAS": ({}, CUBLASError(3, "CUBLAS_STATUS_ALLOC_FAILED"), "the GPU's memory is full", "nvidia-smi"),
    "cuBLAS does not start": (
        {}, CUBLASError(1, "CUBLAS_STATUS_NOT_INITIALIZED"), "cuBLAS does not start, as on a GPU whose memory is full",
        "nvidia-smi",
    ),
    "no compiler": (
        {}, RuntimeError("CuPy failed to load libnvrtc.so.13: OSError: libnvrtc.so.13: cannot open shared object file"),
        "a library of CUDA is missing: libnvrtc.so.13", "pip install",
    ),
    "kernels that do not compile": (
        {}, CompileException("gru.cu(7): warning: odd\ngru.cu(9): error: identifier \"x\" is undefined\n\n1 error"),
        'could not be compiled: gru.cu(9): error: identifier "x" is undefined', "",
    ),
    "no compiler, as cuda-pathfinder tells it": (
        {}, DynamicLibNotFoundError('Failure finding "libnvrtc.so": No such file: libnvrtc.so*'),
        'a library of CUDA is missing: Failure finding "libnvrtc.so"', "pip install",
    ),
    "no cuBLAS": (
        {}, ImportError("libcublas.so.13: cannot open shared object file: No such file or directory"),
        "a library of CUDA is missing: libcublas.so.13", "pip install",
    ),
    "no headers": ({}, RuntimeError("Failed to find CUDA headers. Please ..."), "Failed to find CUDA headers", "pip"),
    "too old for the compiler": (
        {}, CompileException("nvrtc: error: invalid value for --gpu-architecture (-arch)"),
        "too old for this CuPy's compiler", "cuda12",
    ),
    "AMD's CuPy": ({"hip": True}, None, "ROCm", ""),
}  # fmt: skip


@pytest.mark.parametrize(("found", "raised", "told", "hint"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_every_reason_is_refused_with_a_hint_and_told_by_auto(machine, found, raised, told, hint):
    machine(fake_cupy(**found), device=raised)
    with pytest.raises(BackendError) as refused:
        choose_backend("cupy")
    assert told in refused.value.message
    assert hint in refused.value.hint
    assert refused.value.hint
    chosen = choose_backend("auto")
    assert (chosen.name, chosen.gpu) == ("numpy", None)
    assert told in chosen.note
    assert "\n" not in chosen.note


def test_what_the_self_check_found_is_told(machine):
    machine(fake_cupy())
    with pytest.raises(BackendError, match=r"self-check on Imaginary GPU failed: dU_h is off by 0\.3"):
        choose_backend("cupy", verify=lambda device: "dU_h is off by 0.3")
    assert "dU_h is off by 0.3" in choose_backend("auto", verify=lambda device: "dU_h is off by 0.3").note


def test_what_the_self_check_raises_is_told_as_well(machine):
    def verify(device):
        raise CUDARuntimeError(700, "cudaErrorIllegalAddress: an illegal memory access was encountered")

    machine(fake_cupy())
    with pytest.raises(BackendError, match="an illegal memory access was encountered"):
        choose_backend("cupy", verify=verify)


def test_a_mistake_of_ours_is_a_traceback_when_the_gpu_was_asked_for_and_a_line_when_not(machine):
    machine(fake_cupy(), device=TypeError("wrong number of arguments"))
    with pytest.raises(TypeError):
        choose_backend("cupy")
    chosen = choose_backend("auto")
    assert chosen.name == "numpy"
    assert "TypeError: wrong number of arguments" in chosen.note


def test_cupy_that_cannot_be_imported_is_told_by_the_last_line(machine, monkeypatch):
    def fail(name):
        raise ImportError(
            "=====\nFailed to import CuPy.\n\nOriginal error:\n  ImportError: libcublas.so.13: gone\n=====\n"
        )

    machine(fake_cupy())
    monkeypatch.setattr(backend.importlib, "import_module", fail)
    with pytest.raises(BackendError, match=r"cannot be imported: ImportError: libcublas.so.13: gone"):
        choose_backend("cupy")
    assert "libcublas.so.13: gone" in choose_backend("auto").note


def test_refused_without_cupy_says_what_to_install(machine):
    machine(None, gpu=False)
    with pytest.raises(BackendError, match="CuPy is not installed") as refused:
        choose_backend("cupy")
    assert 'pip install "chargru[cuda13]"' in refused.value.hint


def test_an_exception_that_is_not_the_machines_is_left_alone():
    assert explain(ValueError("shapes"), fake_cupy()) is None
    assert explain(RuntimeError("something else"), fake_cupy()) is None


def test_the_driver_tells_its_version(tmp_path):
    file = tmp_path / "version"
    assert backend.driver_version(file) == ""
    file.write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U16-I3)\n"
        "GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n"
    )
    assert backend.driver_version(file) == "580.65.06"
    file.write_text("something else\n")
    assert backend.driver_version(file) == ""


needs_cupy = pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="CuPy is not installed")


@needs_cupy
def test_cupys_own_exceptions_are_as_these_tests_have_them():
    import cupy
    from cupy.cuda.compiler import CompileException as RealCompileException
    from cupy.cuda.memory import OutOfMemoryError as RealOutOfMemoryError
    from cupy_backends.cuda.api import driver, runtime
    from cupy_backends.cuda.libs import cublas

    assert cupy.cuda.cublas is cublas  # asked for in this way CuPy finds the library wherever it is installed
    assert cublas.CUBLAS_POINTER_MODE_HOST == 0
    assert callable(cublas.sgemm)
    assert len(cupy.cuda.nvrtc.getVersion()) == 2
    for status in (2, 35, 46, 100, 209, 222, 719, 999):
        with pytest.raises(RuntimeError) as raised:
            runtime.check_status(status)
        assert type(raised.value).__name__ == "CUDARuntimeError"
        assert raised.value.status == status
        told = explain(raised.value, fake_cupy(driver=12040))
        assert told is not None
        assert told.message
    with pytest.raises(RuntimeError, match="CUBLAS_STATUS_ALLOC_FAILED") as raised:
        cublas.check_status(3)
    full = [raised.value, RealOutOfMemoryError(1 << 30, 1 << 31, 0)]
    for error in full:
        told = explain(error, fake_cupy())
        assert told is not None
        assert told.message == "the GPU's memory is full"
    with pytest.raises(RuntimeError) as raised:  # of the driver, or that there is none
        driver.check_status(999)
    told = explain(raised.value, fake_cupy())
    assert told is not None
    assert "CUDA_ERROR_UNKNOWN" in told.message or told.message == "no NVIDIA driver is here"
    compiled = RealCompileException("gru.cu(9): error: no\n", "source", "gru.cu", ())
    told = explain(compiled, fake_cupy())
    assert told is not None
    assert "gru.cu(9): error: no" in told.message


@needs_cupy
@pytest.mark.skipif(backend.gpu_present(), reason="a GPU is here")
def test_the_real_cupy_without_a_gpu_is_refused_in_one_line():
    with pytest.raises(BackendError, match=r"no NVIDIA driver is here|no GPU is visible|too old"):
        open_device()
