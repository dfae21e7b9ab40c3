"""Devices that have passed the self-check, remembered: by device, driver, CuPy, our version and our kernels.

The check runs in a process of its own, so that kernels which crash or never end take that process with them and not a
training. What is remembered is only that a check was passed; one that failed is made anew every time. The file lies in
the user's cache and may be deleted at any time; a damaged one is ignored and written anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from chargru import __version__, engine
from chargru.engine import selfcheck
from chargru.engine.backend import TAKEN, open_device
from chargru.engine.device import Device
from chargru.errors import BackendError
from chargru.storage.atomic import write_atomic
from chargru.storage.places import cache_path
from chargru.storage.regular import read_limited

FILE = "trusted-devices.json"
_LIMIT = 1 << 20  # bytes of the file
_MOST = 32  # checks remembered
_FACTS = ("name", "compute_capability", "memory", "driver_version", "runtime_version", "library_version", "libraries")
# what changes how cuBLAS multiplies in float32, behind everybody's back
_OVERRIDES = ("NVIDIA_TF32_OVERRIDE", "CUBLAS_EMULATE_SINGLE_PRECISION")

_PATIENCE = 90.0  # seconds that the check may take; the first time of all kernels are compiled
_PROGRAM = "import sys; sys.path[:] = {path!r}; from chargru.training.trusted import main; main({precision!r})"
_ANSWER = "self-check: "  # what the line begins with that the process answers with

Check = dict[str, str]


def verify(device: Device, check: Callable[[Device], str] | None = None) -> str:
    """What speaks against the device, empty when nothing does: for `engine.choose_backend`."""
    check = check or check_apart
    path, this = cache_path() / FILE, _described(device)
    known = remembered(path)
    if this in known:
        return ""
    problem = check(device)
    if not problem:
        with contextlib.suppress(OSError):  # then it is checked again the next time
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps([*known[1 - _MOST :], this], indent=1).encode())
    return problem


def check_apart(device: Device) -> str:
    """The self-check of such a device in a process of its own: what it found, or how the process ended."""
    code = _PROGRAM.format(path=sys.path, precision=device.precision)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False, timeout=_PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it was not through after {_PATIENCE:.0f} s"
    except OSError as error:
        return f"its process could not be started: {error.strerror or error}"
    if done.returncode < 0:
        return f"it was ended by {signal.Signals(-done.returncode).name}"
    answers = [line for line in done.stdout.splitlines() if line.startswith(_ANSWER)]
    if done.returncode == 0 and answers:
        found = answers[-1].removeprefix(_ANSWER)
        # a GPU that is set to one process at a time is this one's already
        return selfcheck.differs(device) if found == TAKEN else found
    said = done.stderr.strip().splitlines()
    return f"it ended with code {done.returncode}" + (f": {said[-1]}" if said else "")


def main(precision: str) -> None:
    """The other process: one line with what the self-check finds."""
    try:
        found = selfcheck.differs(open_device(precision))
    except BackendError as error:
        found = error.message
    sys.stdout.write(f"{_ANSWER}{found}\n")


def remembered(path: Path) -> list[Check]:
    """The checks in the file; none when it is missing, damaged or not ours."""
    try:
        found = json.loads(read_limited(path, _LIMIT))
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(found, list):
        return []
    return [each for each in found if isinstance(each, dict) and all(isinstance(word, str) for word in each.values())]


def _described(device: Device) -> Check:
    """Everything that a self-check's result may depend on."""
    facts = {name: str(getattr(device.facts, name)) for name in _FACTS}
    surroundings = {name.lower(): os.environ.get(name, "") for name in _OVERRIDES}
    return facts | surroundings | {"precision": device.precision, "chargru": __version__, "kernels": _kernels()}


@functools.cache
def _kernels() -> str:
    """A hash of everything in the engine: while it is worked on, its version stays the same."""
    folder = Path(engine.__file__).parent
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".cu", ".cuh"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
