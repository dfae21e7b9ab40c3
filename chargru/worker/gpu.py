"""`python -m chargru.worker.gpu`: a GPU for a face, which never touches CUDA itself. One JSON object a line, both ways.

    {"ask": "look", "precision": "float32"}                      {"name": .., "free": .., "step": .., "rate": ..}
    {"ask": "draw", "model": PATH, "prompt": .., "sampling": ..}  {"gained": [..], "nats": [[..]]}, again and again

An answer ends with {"end": true}, or with {"problem": .., "hint": ..}; {"ask": "stop"} ends what was asked before it.
The process leaves when its input ends, and when nothing was asked for a while: what it holds of the GPU's memory may
be wanted elsewhere. Never run on a GPU; tests bring the kernels that run on the processor.
"""

from __future__ import annotations

import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargru.config import SamplingConfig
from chargru.errors import ChargruError
from chargru.worker.lines import decode_line, encode_line, read_lines

if TYPE_CHECKING:
    from chargru.completion.completer import Completer
    from chargru.engine.device import Device

IDLE = 90.0  # seconds without a question after which it leaves
CHUNK = 32  # characters of each completion that are told at once
_DIGITS = 5  # of surprisals, which are shown and averaged

Question = Mapping[str, Any]
Record = dict[str, Any]


class Desk:
    """Answers questions; what they need is opened when it is first asked for, and kept."""

    def __init__(self, open_device: Callable[[str], Device]) -> None:
        """`open_device(precision)` gives a device that was found to compute rightly, or raises BackendError."""
        self._open_device = open_device
        self._devices: dict[str, Device] = {}
        self._model: tuple[tuple[str, int, int], Completer] | None = None

    def answer(self, question: Question) -> Iterator[Record]:
        """The records that answer a question, but for the last one.

        Raises:
            ChargruError: there is no answer.
            ValueError: it is no question.
        """
        asked = question.get("ask")
        if asked == "look":
            yield self._look(str(question["precision"]))
        elif asked == "draw":
            sampling = SamplingConfig.from_dict(question["sampling"])
            yield from self._draw(str(question["model"]), str(question["prompt"]), sampling)
        else:
            raise ValueError(f"nobody can be asked to {asked!r}")

    def _look(self, precision: str) -> Record:
        from chargru.engine.backend import explained
        from chargru.training.device_speed import device_speed

        device = self._device(precision)
        with explained():
            speed = device_speed(device)
        return {"name": device.name, "free": device.memory()[0], "step": speed.step, "rate": speed.rate}

    def _draw(self, model: str, prompt: str, sampling: SamplingConfig) -> Iterator[Record]:
        device = self._device("float32")
        stream = self._completer(model).stream_on(device, prompt, sampling, chunk=CHUNK)
        told = [0] * sampling.count
        for gained in stream:
            nats = []
            for row, surprisals in enumerate(stream.surprisals):
                nats.append([round(float(each), _DIGITS) for each in surprisals[told[row] :]])
                told[row] = len(surprisals)
            yield {"gained": gained, "nats": nats}

    def _device(self, precision: str) -> Device:
        if precision not in self._devices:
            self._devices[precision] = self._open_device(precision)
        return self._devices[precision]

    def _completer(self, model: str) -> Completer:
        from chargru.completion.completer import Completer

        found = Path(model).stat()
        key = (model, found.st_mtime_ns, found.st_size)
        if self._model is None or self._model[0] != key:
            self._model = key, Completer.from_checkpoint(model)
        return self._model[1]


class Counter:
    """Questions in from one descriptor, answers out to another, one after the other.

    `leave` is called as soon as the input ends, whatever is being answered.
    """

    def __init__(
        self,
        incoming: int,
        outgoing: int,
        desk: Desk,
        *,
        idle: float = IDLE,
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        self._incoming, self._outgoing, self._desk, self._idle = incoming, outgoing, desk, idle
        self._leave = leave
        self._questions: queue.Queue[Question | None] = queue.Queue()
        self._asked = self._stopped = 0  # questions so far; those that nobody wants an answer to any more

    def run(self) -> None:
        """Until nobody asks any more."""
        threading.Thread(target=self._listen, name="questions in", daemon=True).start()
        number = 0
        while (question := self._next()) is not None:
            number += 1
            try:
                self._answer(number, question)
            except OSError:  # nobody reads any more
                return

    def _next(self) -> Question | None:
        try:
            return self._questions.get(timeout=self._idle)
        except queue.Empty:
            return None

    def _listen(self) -> None:
        for line in read_lines(lambda size: os.read(self._incoming, size)):
            try:
                question = decode_line(line or b"")
            except ValueError:
                question = {}
            if question.get("ask") == "stop":
                self._stopped = self._asked
            else:
                self._asked += 1
                self._questions.put(question)
        self._leave()
        self._stopped = self._asked
        self._questions.put(None)

    def _answer(self, number: int, question: Question) -> None:
        last: Record = {"end": True}
        try:
            for record in self._desk.answer(question):
                self._write(record)
                if number <= self._stopped:
                    break
        except ChargruError as error:
            last = {"problem": error.message, "hint": error.hint}
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            last = {"problem": error.strerror or str(error), "hint": ""}
        except MemoryError:
            last = {"problem": "out of memory", "hint": "take a shorter length or a smaller model"}
        except Exception as error:
            traceback.print_exc()
            last = {"problem": f"internal error: {type(error).__name__}: {error}", "hint": "this is a bug in chargru"}
        self._write(last)

    def _write(self, record: Record) -> None:
        data = memoryview(encode_line(record))
        while data:
            data = data[os.write(self._outgoing, data) :]


def trusted_device(precision: str) -> Device:
    """The GPU, once the self-check finds nothing against it."""
    from chargru.engine.backend import open_device
    from chargru.training.trusted import verify

    return open_device(precision, verify)


def main(open_device: Callable[[str], Device] = trusted_device) -> int:
    """Serve whoever started this process; tests bring a device of their own."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the face's business
    # Answers have a descriptor of their own: whatever else prints goes to standard error and cannot garble them.
    outgoing = os.dup(1)
    os.dup2(2, 1)
    Counter(0, outgoing, Desk(open_device), leave=lambda: os._exit(0)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
