"""NumPy's BLAS library: which kernels it has, how many threads it may use. Known where threadpoolctl is installed.

Without it BLAS keeps the threads that it has, and products of a time step are not cut for its small kernels: results
are as right, training on the processor is slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    import threadpoolctl
except ImportError:
    threadpoolctl = None

UNKNOWN = "threadpoolctl is not installed: BLAS keeps its own number of threads, and training here is slower for it"


def known() -> bool:
    """Whether anything of this can be found out and changed."""
    return threadpoolctl is not None


def threadpool_info() -> list[dict[str, Any]]:
    """What threadpoolctl tells of the libraries that are loaded; nothing where it is not installed."""
    return [] if threadpoolctl is None else list(threadpoolctl.threadpool_info())


def limit_threads(threads: int) -> Callable[[], None]:
    """Let BLAS use so many threads; the result puts back what was before."""
    if threadpoolctl is None:
        return lambda: None
    restore: Callable[[], None] = threadpoolctl.threadpool_limits(threads, user_api="blas").restore_original_limits
    return restore


def controllers() -> list[Any]:
    """threadpoolctl's controllers of the BLAS libraries that this process has loaded."""
    if threadpoolctl is None:
        return []
    return [each for each in threadpoolctl.ThreadpoolController().lib_controllers if each.user_api == "blas"]
