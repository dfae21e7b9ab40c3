"""Ctrl-C and SIGTERM during training: the first one saves, the second one leaves."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chargru.training.control import Control

INTERRUPTED = 130
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupts:
    """While this is entered, the first signal asks `control` to interrupt and the second ends the process.

    As long as there is no control (the text is still being read) there is nothing to save, and a signal raises
    KeyboardInterrupt. A signal that whoever started us has told us to ignore (nohup, a background job) stays ignored.
    """

    def __init__(self) -> None:
        self.control: Control | None = None
        self._heard = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self._heard:  # the process is about to end: one more signal must not make a traceback of it
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.control is None:
            raise KeyboardInterrupt
        self._heard += 1
        if self._heard > 1:
            _write_raw("\nchargru: left at once; what was saved before stands\n")
            os._exit(INTERRUPTED)
        _write_raw("\nfinishing this step and saving; once more to leave at once\n")
        self.control.interrupt()


def _write_raw(text: str) -> None:
    """Past every buffer: the signal may have come in the middle of a write to sys.stderr."""
    with contextlib.suppress(OSError):
        os.write(2, text.encode("ascii"))
