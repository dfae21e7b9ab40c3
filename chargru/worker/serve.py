"""The child's side: a request and words come in, events go out, and nobody is left behind.

Three threads: the caller's trains; one reads words and notices when the parent is gone; one writes events. Training
never waits for the writer (see `Mailbox`). When the parent leaves (end of input, a broken output, SIGTERM) the step
is finished, a checkpoint is written, and should that hang the process ends itself.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from chargru.config import TrainRequest
from chargru.errors import ChargruError, WorkerError
from chargru.events import Event, Failed, Finished, Notice, to_record
from chargru.worker.lines import decode_line, encode_line, read_lines
from chargru.worker.mailbox import Mailbox

if TYPE_CHECKING:
    from chargru.training.control import Control

READING_EVERY = 5.0  # seconds between two notices of how far the reading of a large text is
WORDS = ("pause", "resume", "save", "faster", "slower", "stop")
INTERRUPTED = 130


class Trains(Protocol):
    """What the worker needs of a trainer."""

    def run(self, control: Control | None = None) -> Iterator[Event]: ...


class GivenUpError(Exception):
    """The text need not be read any further: whoever wanted it is gone, or wants it no more."""


class Reading:
    """Told how far the reading of a large text is, in bytes; tells it on, and ends the reading when nobody wants it."""

    def __init__(self, mailbox: Mailbox, control: Control, clock: Callable[[], float] = time.monotonic) -> None:
        self._mailbox, self._control, self._clock = mailbox, control, clock
        self._told = clock()

    def __call__(self, done: int, total: int) -> None:
        """Raises GivenUpError."""
        if self._control.ending is not None:
            raise GivenUpError
        if self._clock() - self._told >= READING_EVERY:
            self._told = self._clock()
            self._mailbox.put(Notice(f"reading the text: {done / max(1, total):.0%}"))


class Service:
    """One training, served over two file descriptors.

    Args:
        incoming: descriptor of the request line and of the words.
        outgoing: descriptor to which events are written, one a line.
        control: the words' receiver, shared with the trainer.
        open_trainer: makes the trainer; reads the text, may take long, and then says how far it is.
        leave: ends the process at once with an exit code.
        grace: seconds that a step and a save may take once the parent is gone.
        opening_grace: the same while the text is still being read and there is nothing to save.
    """

    def __init__(
        self,
        incoming: int,
        outgoing: int,
        *,
        control: Control,
        open_trainer: Callable[[TrainRequest, Reading], Trains],
        leave: Callable[[int], None] = os._exit,
        grace: float = 10.0,
        opening_grace: float = 0.5,
    ) -> None:
        self._lines = read_lines(lambda size: os.read(incoming, size))
        self._outgoing = outgoing
        self._control = control
        self._open_trainer = open_trainer
        self._leave = leave
        self._grace = grace
        self._opening_grace = opening_grace
        self._mailbox = Mailbox()
        self._opened = False
        self._leaving = threading.Lock()

    def run(self) -> int:
        """Train until it is done; the exit code: 0 done, 1 failed, 130 interrupted after saving."""
        writer = threading.Thread(target=self._write, name="events out", daemon=True)
        writer.start()
        code = self._train()
        self._mailbox.close()
        writer.join()  # ends when all is written or the reader is gone; `depart` has the last word
        return code

    def depart(self) -> None:
        """The parent is gone or wants this process to end: save and leave, by force if it takes too long."""
        if not self._leaving.acquire(blocking=False):
            return
        self._control.interrupt()
        seconds = self._grace if self._opened else self._opening_grace
        timer = threading.Timer(seconds, self._leave, args=(INTERRUPTED,))
        timer.daemon = True
        timer.start()

    def _train(self) -> int:
        try:
            request = self._read_request()
            threading.Thread(target=self._listen, name="words in", daemon=True).start()
            if request is None:
                return 0
            try:
                trainer = self._open_trainer(request, Reading(self._mailbox, self._control))
            except GivenUpError:
                return self._give_up()
            self._opened = True
            code = 0
            for event in trainer.run(self._control):
                self._mailbox.put(event)
                if isinstance(event, Finished) and event.reason == "interrupted":
                    code = INTERRUPTED
                elif isinstance(event, Failed):
                    code = 1
        except ChargruError as error:
            return self._fail(error.message, error.hint)
        except MemoryError:
            return self._fail("out of memory", "take a smaller hidden size, batch size or text")
        except Exception as error:
            with contextlib.suppress(OSError, ValueError):
                traceback.print_exc()
            return self._fail(f"internal error: {type(error).__name__}: {error}", "this is a bug in chargru")
        return code

    def _give_up(self) -> int:
        """Ended before there was anything to save."""
        self._fail("training was ended before the text was read", "")
        return INTERRUPTED

    def _fail(self, message: str, hint: str) -> int:
        self._mailbox.put(Failed(message, hint))
        return 1

    def _read_request(self) -> TrainRequest | None:
        """The first line as a request; None when the parent left without one."""
        try:
            line = next(self._lines)
        except (StopIteration, OSError):
            return None
        if line is None:
            raise WorkerError("the training process was given a request that is too long")
        try:
            request = TrainRequest.from_dict(decode_line(line))
        except ValueError as error:
            raise WorkerError("the training process was given an unreadable request") from error
        if request.corpus == "-":
            raise WorkerError(
                "the training process cannot read standard input",
                "save the text to a file, or train it with `chargru train -`",
            )
        return request

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            for line in self._lines:
                word = "" if line is None else line.decode("ascii", "replace").strip()
                if word in WORDS:
                    getattr(self._control, word)()
                else:
                    self._mailbox.put(Notice(f"the training process does not know the word {word[:40]!r}"))
        self.depart()

    def _write(self) -> None:
        while (event := self._mailbox.take()) is not None:
            data = memoryview(encode_line(to_record(event)))
            try:
                while data:
                    data = data[os.write(self._outgoing, data) :]
            except OSError:  # nobody reads any more
                self._mailbox.close()
                self.depart()
                return
