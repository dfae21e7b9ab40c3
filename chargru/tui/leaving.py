"""How the app ends when it is not the user who ends it: by a signal, or because the terminal is gone.

Signals come through the event loop, so the terminal is restored and the worker has saved. A terminal that has vanished
(its window closed, the connection cut) takes no more output: Textual's writer would fill its queue and hold up the
event loop for good, and its reader would spin on the end of input. Then there is nothing to restore, only to save.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

LOOK = 2.0  # seconds between two looks whether the terminal is still there


def endings() -> list[signal.Signals]:
    """The signals that ask a program to leave, as far as this system has them."""
    names = ("SIGTERM", "SIGHUP", "SIGINT")
    return [signal.Signals[name] for name in names if name in signal.Signals.__members__]


def catch(leave: Callable[[int], None]) -> Callable[[], None]:
    """Call `leave(exit code)` on each of `endings()`; gives back what undoes this.

    Exit codes are those of a shell: 128 + the signal's number. Where signals cannot be handled (another thread, a
    system without them) nothing is changed.
    """
    loop = asyncio.get_running_loop()
    caught: list[signal.Signals] = []
    for each in endings():
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(each, leave, 128 + each)
            caught.append(each)

    def undo() -> None:
        for each in caught:
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(each)

    return undo


@contextlib.contextmanager
def early(note: Callable[[int], None]) -> Iterator[None]:
    """Until `catch` takes over, a signal is only noted, with `note(exit code)`; a second one ends the process.

    Left to itself a signal would end it between the switch to the alternate screen and the first frame, and so would
    an exception: Textual gives the terminal back only after it has taken all of it.
    """
    noted: list[int] = []

    def leave(number: int, frame: object) -> None:
        if noted:
            raise SystemExit(128 + number)
        noted.append(number)
        note(128 + number)

    before = {}
    for each in endings():
        with contextlib.suppress(ValueError, OSError):  # not in the main thread
            before[each] = signal.signal(each, leave)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler if handler is not None else signal.SIG_DFL)


def has_terminal() -> bool:
    """Whether standard input is a terminal that is still there."""
    try:
        return sys.__stdin__ is not None and os.isatty(sys.__stdin__.fileno())
    except (OSError, ValueError):
        return False


def vanish(close: Callable[[], None], code: int) -> threading.Thread:
    """`close()` and end the process with this exit code, past an event loop that may never come back."""

    def end() -> None:
        try:
            close()
        finally:
            os._exit(code)

    thread = threading.Thread(target=end, name="vanish")
    thread.start()
    return thread
