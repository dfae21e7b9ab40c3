"""A pseudo-terminal with a program in it: what it paints is taken as fast as it comes, as a good terminal would."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte


class Terminal:
    """Runs a command in a terminal of `columns` × `rows`; with `watch` it also keeps what stands on the screen."""

    def __init__(
        self,
        command: Sequence[str],
        columns: int,
        rows: int,
        *,
        watch: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.painted = 0  # bytes
        self._screen = pyte.Screen(columns, rows) if watch else None
        self._stream = pyte.ByteStream(self._screen) if self._screen is not None else None
        surroundings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=surroundings
        )
        os.close(slave)

    def press(self, keys: str) -> None:
        """Send keys as they are typed."""
        os.write(self._master, keys.encode("utf-8"))

    def text(self) -> str:
        """What stands on the screen, if it is watched."""
        return "\n".join(self._screen.display) if self._screen is not None else ""

    def take(self, seconds: float) -> bool:
        """Take what is painted, waiting so long for it at most; whether there was anything."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self.painted += len(data)
        if self._stream is not None:
            self._stream.feed(data)
        return bool(data)

    def until(self, condition: Callable[[], object], seconds: float, what: str) -> float:
        """Take what is painted until the condition holds; how long that was. Ends the benchmark when it does not."""
        start = time.perf_counter()
        while not condition():
            if time.perf_counter() - start > seconds:
                self.close()
                raise SystemExit(f"the app did not get there within {seconds:g} s: {what}")
            self.take(0.05)
        return time.perf_counter() - start

    def calm(self, seconds: float = 0.3) -> None:
        """Take what is painted until nothing came for so long."""
        while self.take(seconds):
            pass

    def close(self) -> None:
        """End the program."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            self.take(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self._master)
