"""A program with a time limit: it is ended with its children when that is over, and what it said is kept in a file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

GRACE = 5.0  # seconds that a program has to end by itself once it was asked to
FIRST, LAST = 10, 14  # lines of a program that are shown


class Ended(NamedTuple):
    """How a program ended: its exit code (negative for a signal), what to say of it, and how long it took."""

    code: int
    how: str
    seconds: float


def run(command: list[str], log: Path, seconds: float, folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run a command for at most so many seconds; all that it says goes into `log`.

    An exception that is raised meanwhile, by a signal's handler for example, ends the program too and goes on.
    """
    start = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            code = process.wait(timeout=seconds)
            how = "done" if code == 0 else f"failed with code {code}"
        except subprocess.TimeoutExpired:
            end(process)
            how = f"ended after {seconds:.0f} s"
        except BaseException:
            end(process)
            raise
    return Ended(-1 if process.returncode is None else process.returncode, how, time.monotonic() - start)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a program and its children to end, and end them. One that no signal reaches is not waited for long."""
    for number, patience in ((signal.SIGINT, GRACE), (signal.SIGKILL, 2 * GRACE)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)


def shown(log: Path) -> list[str]:
    """The first and the last lines of what a program said."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    left_out = len(lines) - FIRST - LAST
    return lines if left_out <= 1 else [*lines[:FIRST], f"... {left_out} lines more", *lines[-LAST:]]
