"""The device that CuPy reaches: an NVIDIA GPU.

What is used of CuPy is little and stable: arrays and their pool, raw modules, streams and their capture, and cuBLAS's
sgemm, called directly since `cupy.matmul` copies slices and cannot be told a precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np

from chargru.config import PRECISIONS
from chargru.engine.backend import INSTALL, explain, import_cupy, unwritable
from chargru.engine.device import Device, DeviceFacts
from chargru.engine.fused.gemm import gemm
from chargru.engine.fused.kernels import GRU, DeviceArray, Dimensions, Source
from chargru.engine.parameters import Array
from chargru.errors import BackendError

_DRIVER_TOO_OLD, _NO_DEVICE = 35, 100  # cudaErrorInsufficientDriver, cudaErrorNoDevice
_MULTIPROCESSORS = 16  # cudaDeviceAttr
_DEFAULT_MATH, _TF32_MATH = 0, 3  # cublasMath_t
_OUT_OF_MEMORY = {"CUDARuntimeError": 2, "CUDADriverError": 2, "CUBLASError": 3}


class CupyLauncher:
    """Launches kernels; their sources are compiled at the first launch and kept by CuPy in its own cache."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._compile_error = cupy.cuda.compiler.CompileException
        self._modules: dict[Source, Any] = {}
        self._kernels: dict[tuple[Source, str], Any] = {}

    def launch(
        self, name: str, grid: Dimensions, block: Dimensions, arguments: tuple[Any, ...], source: Source = GRU
    ) -> None:
        """Queue the kernel on the current stream.

        Raises:
            BackendError: the kernels do not compile here.
        """
        kernel = self._kernels.get((source, name))
        if kernel is None:
            try:
                kernel = self._kernels[source, name] = self._module(source).get_function(name)
            except self._compile_error as error:
                raise explain(error, self._cupy) or error from None
            except OSError as error:  # what it compiles it writes into a directory
                raise explain(error, self._cupy) or unwritable(error, "the GPU kernels cannot be kept") from None
            except (ImportError, RuntimeError) as error:  # no nvrtc, a driver that does not load what it made
                message = f"the GPU kernels cannot be loaded: {_first_line(error)}"
                unknown = BackendError(message, "install the CuPy that fits your CUDA, or use --backend numpy")
                raise explain(error, self._cupy) or unknown from None
        kernel(grid, block, arguments)

    def _module(self, source: Source) -> Any:
        if source not in self._modules:
            options = ("-std=c++17", *(f"-D{each}" for each in source.defines))
            self._modules[source] = self._cupy.RawModule(code=source.text(), options=options)
        return self._modules[source]


class CupyDevice(Device):
    """The first NVIDIA GPU, with a stream of its own (graphs are captured from one, never from the default stream)."""

    can_be_timed = True

    def __init__(self, precision: str = "float32") -> None:
        """Raises BackendError as `Device.cupy` says."""
        if precision not in PRECISIONS:
            raise BackendError(
                f"there are no {precision} kernels in this version", f"choose one of {', '.join(PRECISIONS)}"
            )
        cupy = import_cupy()
        _look_for_device(cupy)
        self._cupy = cupy
        self._cublas = _cublas(cupy)
        facts = _facts(cupy, self._cublas)
        if precision != "float32" and float(facts.compute_capability) < 8:
            raise BackendError(
                f"{facts.name} has no {precision} (compute capability {facts.compute_capability}, 8.0 is needed)",
                "use --precision float32",
            )
        super().__init__(cupy, CupyLauncher(cupy), facts, precision)
        self._place = cupy.cuda.Device(0)
        with self._place:
            self._stream = cupy.cuda.Stream(non_blocking=True)
            # CUDA waits by asking over and over, which takes all of a core; for such an event it sleeps
            self._done = cupy.cuda.Event(block=True, disable_timing=True)
        self._one, self._zero = np.ones((), np.float32), np.zeros((), np.float32)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Makes the device and its stream this thread's current ones."""
        with self._place, self._stream:
            yield

    def array(self, host: Array) -> DeviceArray:
        """A copy on the device, of the same type."""
        with self.active():
            return self.xp.array(host, order="C")

    def copy(self, host: Array, to: DeviceArray) -> None:
        """Copy a host array into one on the device, of the same shape and type."""
        host = np.ascontiguousarray(host)
        with self.active():
            to.set(host)
            self._stream.synchronize()  # `set` comes back before the host's memory has been read

    def host(self, array: DeviceArray) -> Array:
        """A copy on the host; waits for all work that was queued before, asleep."""
        with self.active():
            self._done.record(self._stream)
            self._done.synchronize()
            found: Array = self.xp.asnumpy(array)
            return found

    def synchronize(self) -> None:
        """Wait for everything that was queued, awake: the sooner known, a core's time the price."""
        self._stream.synchronize()

    def product(self, a: DeviceArray, b: DeviceArray, out: DeviceArray, *, exact: bool = False) -> Callable[[], None]:
        """What computes out = a b by cuBLAS, see `Device.product`. Cannot be captured."""
        call = gemm(a, b, out)
        mode = _DEFAULT_MATH if self.precision == "float32" or exact else _TF32_MATH
        arguments = (
            *(call.transpose_a, call.transpose_b, call.m, call.n, call.k),  # CUBLAS_OP_N is 0, CUBLAS_OP_T is 1
            *(self._one.ctypes.data, call.A.data.ptr, call.lda, call.B.data.ptr, call.ldb),
            *(self._zero.ctypes.data, call.C.data.ptr, call.ldc),
        )
        return partial(self._multiply, mode, arguments, (a, b, out))

    def _multiply(self, mode: int, arguments: tuple[int, ...], _arrays: tuple[DeviceArray, ...]) -> None:
        """One sgemm on the current stream; `_arrays` only have to live as long as their addresses are used."""
        cublas, handle = self._cublas, self._cupy.cuda.device.get_cublas_handle()  # a thread has its own
        cublas.setMathMode(handle, mode)
        cublas.setPointerMode(handle, cublas.CUBLAS_POINTER_MODE_HOST)
        cublas.sgemm(handle, *arguments)

    def captured(self, work: Callable[[], None]) -> Callable[[], None]:
        """`work` as a CUDA graph: done as it is the first time, which loads its kernels, captured the second time."""
        return _Graph(self, self._stream, work)

    def memory(self) -> tuple[int, int]:
        """Free bytes (those the pool keeps in reserve included) and all bytes of the device."""
        with self.active():
            free, whole = self.xp.cuda.runtime.memGetInfo()
            return int(free) + int(self.xp.get_default_memory_pool().free_bytes()), int(whole)

    def free_pool(self) -> None:
        """Give memory that nothing uses any more back to the system."""
        with self.active():
            self._stream.synchronize()
            self.xp.get_default_memory_pool().free_all_blocks()

    def is_memory_error(self, error: BaseException) -> bool:
        """Whether this is how the device says that its memory is full."""
        if isinstance(error, MemoryError):  # CuPy's own is one
            return True
        expected = _OUT_OF_MEMORY.get(type(error).__name__)
        return expected is not None and getattr(error, "status", None) == expected


class _Graph:
    """Kernels that are launched together."""

    def __init__(self, device: CupyDevice, stream: Any, work: Callable[[], None]) -> None:
        self._device, self._stream, self._work = device, stream, work
        self._loaded = False
        self._graph: Any = None

    def __call__(self) -> None:
        if not self._loaded:
            self._work()
            self._loaded = True
            return
        if self._graph is None:
            self._graph = self._capture()
        self._graph.launch(self._stream)

    def _capture(self) -> Any:
        with self._device.active():
            self._stream.begin_capture()
            try:
                self._work()
            except BaseException:
                with suppress(Exception):  # a capture that went wrong is told of once more when it ends
                    self._stream.end_capture()
                raise
            return self._stream.end_capture()


def _look_for_device(cupy: Any) -> None:
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        if error.status == _DRIVER_TOO_OLD:
            message = "the NVIDIA driver is missing or too old for the installed CuPy"
            raise BackendError(message, "update the driver, or install chargru[cuda12]") from None
        if error.status == _NO_DEVICE:
            count = 0
        else:
            raise BackendError(f"CUDA does not start: {_first_line(error)}", "use --backend numpy") from None
    if count == 0:
        raise BackendError("there is no NVIDIA GPU here", "use --backend numpy")


def _cublas(cupy: Any) -> Any:
    """CuPy's binding of cuBLAS. Asked for by this attribute CuPy loads the library from wherever it is installed."""
    try:
        return cupy.cuda.cublas
    except ImportError as error:
        raise BackendError(f"cuBLAS cannot be loaded: {_first_line(error)}", INSTALL) from None


def _facts(cupy: Any, cublas: Any) -> DeviceFacts:
    runtime = cupy.cuda.runtime
    # made now, before the pool takes what there is: a small card may have no room for it later
    handle = cupy.cuda.device.get_cublas_handle()
    nvrtc = ".".join(map(str, cupy.cuda.nvrtc.getVersion()))
    properties = runtime.getDeviceProperties(0)
    capability = str(cupy.cuda.Device(0).compute_capability)  # "90", "120"
    return DeviceFacts(
        name=properties["name"].decode(errors="replace"),
        compute_capability=f"{capability[:-1]}.{capability[-1]}",
        memory=int(properties["totalGlobalMem"]),
        driver_version=int(runtime.driverGetVersion()),
        runtime_version=int(runtime.runtimeGetVersion()),
        library_version=str(cupy.__version__),
        multiprocessors=int(runtime.deviceGetAttribute(_MULTIPROCESSORS, 0)),
        libraries=f"cuBLAS {cublas.getVersion(handle)}, NVRTC {nvrtc}",
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
