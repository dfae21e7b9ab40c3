"""Processes beside this one that each do a part of every window.

Python threads hand the interpreter lock to each other hundreds of times a window: two threads took 78 ms for what two
processes do in 58 (benchmarks/LOG.md). A helper is a child process that is told by a small message what to do, does it
on arrays in shared memory and answers. It ends when this process lets go of its socket, so it never outlives it, and
Ctrl-C in the terminal does not reach it: when to stop is this process's business.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from chargru.errors import BackendError

MESSAGE_BYTES = 1 << 16  # at most, in both directions
_GRACE = 2.0  # seconds that a helper has to finish its window when it is no longer needed
_HINT = "resume the run; if memory is short, choose smaller sizes or --threads 1"


class Helpers:
    """So many child processes, until `close`."""

    def __init__(self, count: int) -> None:
        """Start them; comes back before they are ready.

        Raises:
            BackendError: a process cannot be started.
        """
        self._processes: list[subprocess.Popen[bytes]] = []
        self._sockets: list[socket.socket] = []
        self._told = 0
        try:
            for _ in range(count):
                self._start()
        except OSError as error:
            self.close()
            problem = f"a process to share the training could not be started: {error.strerror or error}"
            raise BackendError(problem, "train in one process with --threads 1") from error

    def __len__(self) -> int:
        return len(self._processes)

    @property
    def pids(self) -> list[int]:
        """Their process numbers."""
        return [process.pid for process in self._processes]

    def tell(self, messages: Sequence[dict[str, Any]], descriptors: Sequence[int] = ()) -> None:
        """Give the first helpers a message each, and open files along with it; `hear` has their answers."""
        self._told = len(messages)
        for each, message in zip(self._sockets, messages, strict=False):
            with contextlib.suppress(OSError):  # it is gone: `hear` finds out how
                socket.send_fds(each, [json.dumps(message).encode()], descriptors)

    def hear(self) -> list[Any]:
        """What each helper that was told something answers, in order.

        Raises:
            BackendError: a helper has ended, or has run out of memory.
            RuntimeError: a helper has failed; its traceback.
        """
        answers = [self._answer(i) for i in range(self._told)]
        for answer in answers:
            if answer.get("error") == "memory":
                raise BackendError("a process that shares the training ran out of memory", _HINT)
            if "error" in answer:
                raise RuntimeError(f"in a process that shares the training:\n{answer['error']}")
        return [answer["result"] for answer in answers]

    def close(self) -> None:
        """End them, at the end of their window."""
        for each in self._sockets:
            each.close()
        for process in self._processes:
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes, self._sockets = [], []

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sockets.append(ours)
        # the same modules as here, from the same places
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from chargru.engine.helper import main; main({theirs.fileno()})"
        )
        one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with theirs:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-P", "-c", code],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    process_group=0,
                    env=os.environ | one_thread,
                )
            )

    def _answer(self, i: int) -> dict[str, Any]:
        try:
            data = self._sockets[i].recv(MESSAGE_BYTES)
        except ConnectionError:
            data = b""
        if not data:
            raise BackendError(f"a process that shares the training {self._end_of(i)}", _HINT)
        answer: dict[str, Any] = json.loads(data)
        return answer

    def _end_of(self, i: int) -> str:
        try:
            code = self._processes[i].wait(_GRACE)
        except subprocess.TimeoutExpired:
            return "does not answer any more"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
