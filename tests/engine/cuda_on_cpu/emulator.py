"""Compiles the CUDA sources for the processor and launches their kernels over NumPy arrays."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from chargru.engine.fused.kernels import FOLDER, GRU, Source

Edit = Callable[[str, str], str]
"""Given a file's name and text, the text to compile in its place."""

_HERE = Path(__file__).resolve().parent
_CACHE = _HERE.parents[2] / ".pytest_cache" / "cuda_on_cpu"
_FLAGS = [
    *("-x", "c++", "-std=c++17", "-O2", "-march=native", "-ffp-contract=off", "-fno-strict-aliasing"),
    "-Wl,-Bsymbolic",  # a kernel's name may be that of a function somewhere in this process
    *("-fPIC", "-shared", "-U_FORTIFY_SOURCE", "-Wall", "-Wno-unknown-pragmas"),
    # an index beyond a shared array or an overflow of an int ends the process
    *("-fsanitize=bounds,signed-integer-overflow", "-fsanitize-undefined-trap-on-error"),
]


def kernel_names(source: str) -> list[str]:
    """The names of all kernels in a CUDA source, in order."""
    declaration = r'extern "C" __global__ void\s+(?:__launch_bounds__\([^)]*\)\s+)?(\w+)\('
    return re.findall(declaration, source)


def text_of(name: str) -> str:
    """A file of the CUDA sources, or what stands for it here: g++ knows no PTX."""
    path = _HERE / "tensor_core_on_cpu.h" if name == "tensor_core.cuh" else FOLDER / name
    return path.read_text(encoding="utf-8")


@functools.cache
def _library(source: Source, edit: Edit | None) -> ctypes.CDLL:
    text = "\n".join(edit(name, text_of(name)) if edit else text_of(name) for name in source.files)
    names = kernel_names(text)
    listed = ",\n".join(f"    KERNEL({name})" for name in names)
    defined = "\n".join(f"#define {each.replace('=', ' ')}" for each in source.defines)
    program = (
        f'#include "{_HERE / "shim.h"}"\n{defined}\n{text}\n'
        f"Kernel kernels[] = {{\n{listed}}};\nconst int kernel_count = {len(names)};\n"
    )
    shim = (_HERE / "shim.h").read_text(encoding="utf-8")
    key = hashlib.sha256("\0".join([program, shim, *_FLAGS]).encode()).hexdigest()[:16]
    built = _CACHE / f"{Path(source.files[-1]).stem}-{key}.so"
    if not built.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        mine = _CACHE / f"{key}-{os.getpid()}"
        mine.with_suffix(".cpp").write_text(program, encoding="utf-8")
        command = ["g++", *_FLAGS, "-o", str(mine.with_suffix(".so")), str(mine.with_suffix(".cpp"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"g++ does not compile the kernels:\n{done.stderr}")
        mine.with_suffix(".so").replace(built)  # other test processes build at the same time
        mine.with_suffix(".cpp").unlink()
    library = ctypes.CDLL(str(built))
    library.run_kernel.restype = library.kernel_signature.restype = ctypes.c_char_p
    return library


class Emulator:
    """The `Launcher` protocol on the processor.

    Arguments must have exactly the types that the kernel declares. `order` is that of threads and blocks: 0 as they
    are numbered, 1 the other way round, larger ones shuffled. `launched` counts the launches of each kernel.
    """

    def __init__(self, order: int = 0, edit: Edit | None = None) -> None:
        """`edit` changes the sources."""
        self.order = order
        self._edit = edit
        self.launched: dict[str, int] = {}

    def launch(
        self,
        name: str,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        arguments: tuple[Any, ...],
        source: Source = GRU,
    ) -> None:
        """Run the kernel to its end."""
        library = _library(source, self._edit)
        self._check(library, name, grid, block, arguments)
        slots = []
        for each in arguments:
            if isinstance(each, np.ndarray):
                slots.append(ctypes.create_string_buffer(each.ctypes.data.to_bytes(8, "little"), 8))
            else:
                slots.append(ctypes.create_string_buffer(each.tobytes(), 8))
        pointers = (ctypes.c_void_p * len(slots))(*(ctypes.addressof(slot) for slot in slots))
        three = ctypes.c_uint * 3
        wrong = library.run_kernel(name.encode(), three(*grid), three(*block), pointers, ctypes.c_uint(self.order))
        if wrong:
            raise RuntimeError(f"{name}: {wrong.decode()}")
        self.launched[name] = self.launched.get(name, 0) + 1

    def _check(self, library: ctypes.CDLL, name: str, grid: Any, block: Any, arguments: tuple[Any, ...]) -> None:
        found = library.kernel_signature(name.encode())
        assert found is not None, f"there is no kernel {name}"
        expected = found.decode().split()
        given = []
        for each in arguments:
            assert isinstance(each, np.ndarray | np.generic), f"{name}: {each!r} has no type of its own"
            char = {"l": "q", "L": "Q"}.get(each.dtype.char, each.dtype.char)
            given.append(f"P{char}" if isinstance(each, np.ndarray) else char)
        assert given == expected, f"{name} takes {expected}, not {given}"
        # what a launch is limited to on every GPU of the last ten years
        assert 1 <= grid[0] < 2**31, (name, grid)
        assert all(1 <= size <= 65535 for size in grid[1:]), (name, grid)
        assert all(1 <= size <= 1024 for size in block[:2]), (name, block)
        assert block[0] * block[1] * block[2] <= 1024, (name, block)
