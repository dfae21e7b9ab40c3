"""LLVM, which makes machine code for this very processor of what `vectors` writes. Only where llvmlite is installed.

It is imported when something is to be compiled and not before: that takes a good part of the app's start.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy.typing as npt

_LOCK = threading.RLock()  # LLVM's lists of types are shared by all threads

_KEPT = 32  # of each kind; whoever uses an older one keeps it

Made = TypeVar("Made")


class Target(NamedTuple):
    """A processor as LLVM knows it, and of how many rows its registers hold the sums of a product."""

    name: str
    features: str
    rows: int


class Compiled:
    """Machine code; `functions` finds what is in it. Has to live as long as they are needed."""

    def __init__(self, module: Any, target: Target) -> None:
        import llvmlite.binding as llvm

        with _LOCK:
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()
            parsed = llvm.parse_assembly(str(module))
            parsed.verify()
            machine = llvm.Target.from_default_triple().create_target_machine(
                cpu=target.name, features=target.features, opt=2
            )
            self._engine = llvm.create_mcjit_compiler(parsed, machine)
            self._engine.finalize_object()

    def functions(self, **counts_and_arrays: tuple[int, int]) -> dict[str, Any]:
        """Those of these names, which take so many numbers and then so many addresses of arrays.

        Other threads run while they do. `code` among them is this object, for whoever keeps them.
        """
        found: dict[str, Any] = {"code": self}
        for name, (counts, arrays) in counts_and_arrays.items():
            kind = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * counts, *[ctypes.c_void_p] * arrays)
            found[name] = kind(self._engine.get_function_address(name))
        return found


def compiled(module: Callable[[Target], Any]) -> Compiled:
    """What `module` writes for this processor, which is one that something can be compiled for."""
    target = host()
    assert target is not None
    return Compiled(module(target), target)


def once(compile_it: Callable[..., Made]) -> Callable[..., Made]:
    """`compile_it`, once for the same sizes, whichever threads ask for it at the same time."""
    known = functools.lru_cache(maxsize=_KEPT)(compile_it)

    @functools.wraps(compile_it)
    def locked(*sizes: int) -> Made:
        with _LOCK:
            return known(*sizes)

    locked.cache_clear = known.cache_clear  # type: ignore[attr-defined]
    return locked


def addresses(*arrays: npt.NDArray[Any]) -> list[int]:
    """Where they begin, for a compiled function."""
    return [each.ctypes.data for each in arrays]


@functools.cache
def installed() -> bool:
    """Whether llvmlite is."""
    try:
        return importlib.util.find_spec("llvmlite") is not None
    except ImportError:  # some import hook says no in its own way
        return False


@functools.cache
def host() -> Target | None:
    """This processor, or None without instructions that are worth it (AVX-512, AVX2 with FMA, NEON)."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        # 512 bits at once also where LLVM's tables would rather have 256
        return Target(llvm.get_host_cpu_name(), features.flatten() + ",-prefer-256-bit", 16)
    if (features.get("avx2") and features.get("fma")) or llvm.get_default_triple().startswith(("aarch64", "arm64")):
        return Target(llvm.get_host_cpu_name(), features.flatten(), 6)
    return None


def triple() -> str:
    """Processor and system, in LLVM's words."""
    import llvmlite.binding as llvm

    return str(llvm.get_default_triple())


def version() -> str:
    """What compiles, for a report."""
    import llvmlite.binding as llvm

    return "LLVM " + ".".join(map(str, llvm.llvm_version_info))
