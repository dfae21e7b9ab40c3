"""As much of CuPy as the engine uses, over NumPy: to see that its device calls CuPy as CuPy wants to be called.

Stricter than the real one: a kernel outside of the device's stream, cuBLAS while a stream is capturing, an argument
that is no array and no NumPy scalar, or work of a capture that is done before the graph is launched are errors.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import math
import sys
import types
from typing import Any

import numpy as np

from chargru.engine.fused.cell_launches import ROWS, fused_source
from chargru.engine.fused.kernels import GRU, Source
from chargru.engine.fused.tensor_launches import LOW, TILES, lower_source, tensor_source
from tests.engine.cuda_on_cpu.emulator import Emulator, kernel_names
from tests.engine.cuda_on_cpu.guarded import fenced

SOURCES = {
    (source.text(), ("-std=c++17", *(f"-D{each}" for each in source.defines))): source
    for source in (
        GRU,
        *map(fused_source, ROWS),
        *map(lower_source, LOW),
        *(tensor_source(precision, tile, ahead) for precision in LOW for tile in TILES for ahead in (1, 2)),
    )
}
"""All there is to compile, by code and options."""


class Array(np.ndarray):
    """An array with CuPy's `data.ptr` and `set`."""

    @property
    def data(self) -> Any:
        return types.SimpleNamespace(ptr=self.ctypes.data)

    def set(self, host: np.ndarray) -> None:
        assert type(host) is np.ndarray
        assert (host.shape, host.dtype, host.flags.c_contiguous) == (self.shape, self.dtype, True)
        self[...] = host


class CUDARuntimeError(RuntimeError):
    def __init__(self, status: int) -> None:
        super().__init__(f"cudaErrorNumber{status}: told by the runtime")
        self.status = status


class FakeCupy(types.ModuleType):
    """The module `cupy`; `install` puts it where imports find it."""

    def __init__(self, *, devices: int = 1, error: int = 0, capability: str = "90") -> None:
        super().__init__("cupy")
        self.emulator = Emulator()
        self.streams: list[Stream] = []  # those that are current, innermost last
        self.graphs: list[Graph] = []
        self.math_modes: list[int] = []  # of every product
        self.compiled: list[Source] = []
        self.asleep = False  # whether what was queued was waited for by an event that sleeps
        self.__version__ = "14.2.0"
        self.ndarray = Array
        self.copyto = np.copyto
        fake = self

        def count() -> int:
            if error:
                raise CUDARuntimeError(error)
            return devices

        properties = {"name": b"A fake GPU", "totalGlobalMem": 8 << 30}
        self.cuda = types.SimpleNamespace(
            runtime=types.SimpleNamespace(
                CUDARuntimeError=CUDARuntimeError,
                getDeviceCount=count,
                getDeviceProperties=lambda device: properties,
                driverGetVersion=lambda: 13000,
                runtimeGetVersion=lambda: 13000,
                deviceGetAttribute=lambda attribute, device: {16: 132}[attribute],
                memGetInfo=lambda: (6 << 30, 8 << 30),
            ),
            compiler=types.SimpleNamespace(CompileException=type("CompileException", (Exception,), {})),
            device=types.SimpleNamespace(get_cublas_handle=lambda: 77),
            cublas=Cublas(self),
            nvrtc=types.SimpleNamespace(getVersion=lambda: (13, 0)),
            Device=lambda number: Place(capability),
            Stream=lambda *, non_blocking: Stream(fake, non_blocking),
            Event=lambda *, block, disable_timing: Event(fake, block and disable_timing),
        )

    def install(self, monkeypatch: Any) -> None:
        self.__spec__ = importlib.machinery.ModuleSpec("cupy", None)  # or nobody finds it
        monkeypatch.setitem(sys.modules, "cupy", self)

    def RawModule(self, *, code: str, options: tuple[str, ...]) -> Any:
        assert isinstance(options, tuple)
        source = SOURCES[code, options]
        names = kernel_names(code)
        self.compiled.append(source)

        def get_function(name: str) -> Any:
            assert name in names
            return lambda grid, block, arguments: self._run(name, grid, block, arguments, source)

        return types.SimpleNamespace(get_function=get_function)

    def _run(self, *launch: Any) -> None:
        stream = self.current()
        if stream.capturing is None:
            self.emulator.launch(*launch)
        else:
            stream.capturing.append(launch)

    def current(self) -> Stream:
        assert self.streams, "work on the default stream"
        return self.streams[-1]

    def get_default_memory_pool(self) -> Any:
        return types.SimpleNamespace(free_bytes=lambda: 1 << 30, free_all_blocks=lambda: None)

    def empty(self, shape: Any, dtype: str) -> Array:
        assert self.current().capturing is None, "memory taken while a stream is capturing"
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        found = fenced(math.prod(shape), dtype)[0].reshape(shape).view(Array)
        found.fill(np.nan if found.dtype.kind == "f" else 123)
        return found

    def zeros(self, shape: Any, dtype: str) -> Array:
        found = self.empty(shape, dtype)
        found.fill(0)
        return found

    def array(self, host: np.ndarray, *, order: str) -> Array:
        self.current()
        return np.array(host, order=order).view(Array)

    def asnumpy(self, array: Array) -> np.ndarray:
        assert isinstance(array, Array)
        assert self.current().capturing is None, "waited for while capturing"
        assert self.asleep, "waited for awake, which takes all of a core"
        self.asleep = False
        return np.array(array, subok=False)


class Place:
    """A device as a context."""

    def __init__(self, capability: str) -> None:
        self.compute_capability = capability

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


class Event:
    def __init__(self, cupy: FakeCupy, sleeps: bool) -> None:
        self._cupy, self._sleeps, self._recorded = cupy, sleeps, False

    def record(self, stream: Stream) -> None:
        assert stream.capturing is None
        assert self._cupy.current() is stream
        self._recorded = True

    def synchronize(self) -> None:
        assert self._recorded
        self._cupy.asleep = self._sleeps


class Stream:
    def __init__(self, cupy: FakeCupy, non_blocking: bool) -> None:
        assert non_blocking
        self._cupy = cupy
        self.capturing: list[Any] | None = None

    def __enter__(self) -> None:
        self._cupy.streams.append(self)

    def __exit__(self, *error: object) -> None:
        assert self._cupy.streams.pop() is self

    def synchronize(self) -> None: ...

    def begin_capture(self) -> None:
        assert self.capturing is None
        assert self._cupy.current() is self
        self.capturing = []

    def is_capturing(self) -> bool:
        return self.capturing is not None

    def end_capture(self) -> Graph:
        assert self.capturing is not None
        graph, self.capturing = Graph(self._cupy, self.capturing), None
        self._cupy.graphs.append(graph)
        return graph


class Graph:
    def __init__(self, cupy: FakeCupy, launches: list[Any]) -> None:
        self._cupy, self.launches, self.launched = cupy, launches, 0

    def launch(self, stream: Stream) -> None:
        assert stream.capturing is None
        self.launched += 1
        for launch in self.launches:
            self._cupy.emulator.launch(*launch)


class Cublas(types.ModuleType):
    """Its sgemm reads and writes memory by address, as the real one does."""

    CUBLAS_POINTER_MODE_HOST = 0

    def getVersion(self, handle: int) -> int:
        assert handle == 77
        return 130000

    def __init__(self, cupy: FakeCupy) -> None:
        super().__init__("cupy_backends.cuda.libs.cublas")
        self._cupy, self._mode = cupy, 0

    def setMathMode(self, handle: int, mode: int) -> None:
        assert handle == 77
        self._mode = mode

    def setPointerMode(self, handle: int, mode: int) -> None:
        assert (handle, mode) == (77, 0)

    def sgemm(
        self, handle: int, ta: int, tb: int, m: int, n: int, k: int,
        alpha: int, A: int, lda: int, B: int, ldb: int, beta: int, C: int, ldc: int,
    ) -> None:  # fmt: skip
        if self._cupy.current().capturing is not None:
            raise NotImplementedError("cuBLAS cannot be captured")
        self._cupy.math_modes.append(self._mode)
        assert (ctypes.c_float.from_address(alpha).value, ctypes.c_float.from_address(beta).value) == (1.0, 0.0)

        def columns(address: int, ld: int, rows: int, count: int) -> np.ndarray:
            """A column-major matrix at an address."""
            assert ld >= max(1, rows)
            size = ld * (count - 1) + rows
            flat = np.ctypeslib.as_array((ctypes.c_float * size).from_address(address))
            return np.lib.stride_tricks.as_strided(flat, (rows, count), (4, 4 * ld))

        a = columns(A, lda, k, m).T if ta else columns(A, lda, m, k)
        b = columns(B, ldb, n, k).T if tb else columns(B, ldb, k, n)
        columns(C, ldc, m, n)[...] = a @ b
