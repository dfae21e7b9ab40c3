"""The face's side of `chargru.worker.gpu`: what the GPU is and does a second, and completions drawn on it.

The process is started when something is asked, and again where it left because nothing was. One that died or does not
answer as it should is not asked again. For any number of threads; they are answered one after the other.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargru.config import SamplingConfig
from chargru.errors import BackendError
from chargru.worker.client import child_environment, signal_name
from chargru.worker.lines import decode_line, encode_line, read_lines

if TYPE_CHECKING:
    from chargru.completion.completer import Completer, Stream
    from chargru.training.machines import Gpu

_ON_THE_PROCESSOR = "completions are drawn on the processor from now on"

Record = dict[str, Any]


class LetGoError(BackendError):
    """The process was let go in the middle of an answer."""


def gpu_at_hand() -> bool:
    """Whether it may be worth starting the process: nothing is imported or started to find out."""
    from chargru.engine.backend import cupy_installed, gpu_present

    return gpu_present() and cupy_installed()


class GpuClient:
    """A GPU in a process of its own, if there is one."""

    def __init__(self, *, command: Sequence[str] | None = None) -> None:
        """`command` replaces `python -m chargru.worker.gpu`; tests give a process of their own."""
        self._command = list(command or (sys.executable, "-P", "-m", "chargru.worker.gpu"))
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: Iterator[bytes | None] = iter(())
        self._talking = threading.Lock()
        self._looked: dict[str, Gpu | None] = {}
        self._lost = ""  # why the process is of no use any more

    def known(self, precision: str = "float32") -> Gpu | None:
        """What was found when somebody looked; never waits."""
        return None if self._lost else self._looked.get(precision)

    def look(self, precision: str = "float32") -> Gpu | None:
        """The GPU, once it was found to compute rightly; None where there is none to be had. Takes seconds, once.

        The first time of all it may take a minute: the kernels are compiled, and checked.
        """
        from chargru.training.device_speed import DeviceSpeed
        from chargru.training.machines import Gpu

        if not self.looked(precision):
            try:
                for record in self._ask({"ask": "look", "precision": precision}):
                    speed = DeviceSpeed(float(record["step"]), float(record["rate"]))
                    self._looked[precision] = Gpu(str(record["name"]), int(record["free"]), speed)
            except LetGoError:
                return None
            except (BackendError, KeyError, TypeError, ValueError):
                self._looked[precision] = None
        return self.known(precision)

    def looked(self, precision: str = "float32") -> bool:
        """Whether somebody has looked; then nothing new is to be found out."""
        return precision in self._looked

    def draw(self, model: Path, prompt: str, sampling: SamplingConfig) -> Iterator[Record]:
        """What `chargru.worker.gpu` tells of a drawing: {"gained": a text, "nats": numbers} for each completion.

        Raises:
            BackendError: the GPU is of no use, or the process ended.
        """
        question = {"ask": "draw", "model": str(model), "prompt": prompt, "sampling": sampling.to_dict()}
        return self._ask(question)

    def close(self) -> None:
        """Let the process go, and with it what it holds of the GPU's memory; it is started again when it is asked."""
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()  # for the child this is the end of its parent

    # -- talking ------------------------------------------------------------------------------------------------------

    def _ask(self, question: Record) -> Iterator[Record]:
        """The records of one answer; whoever stops listening has the rest of it cut off."""
        with self._talking:
            if self._lost:
                raise BackendError(self._lost, _ON_THE_PROCESSOR)
            process, first = self._asked(question)
            answering = True
            try:
                while first is not None and "problem" not in first and "end" not in first:
                    yield first
                    first = self._read(process)
                answering = False
            finally:
                if answering:
                    self._cut_off(process)
            if first is None:
                raise self._gone(process)
            if "problem" in first:
                raise BackendError(str(first["problem"]), str(first.get("hint", "")))

    def _asked(self, question: Record) -> tuple[subprocess.Popen[bytes], Record | None]:
        """The process, and the first record of its answer; another one if it was just about to leave."""
        for _ in range(2):
            process = self._started()
            self._write(process, question)
            first = self._read(process)
            if first is not None or _let_go(process) or process.wait() != 0:
                break
        return process, first

    def _started(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is not None and process.poll() is None and not _let_go(process):
            return process
        for stream in () if process is None else (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process = process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # it answers with what there is to tell
                bufsize=0,
                start_new_session=True,  # Ctrl-C in the terminal is the face's business
                env=child_environment(),
            )
        except OSError as error:
            raise BackendError(f"the GPU's process could not be started: {error.strerror or error}") from error
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        self._lines = read_lines(lambda size: os.read(descriptor, size))
        return process

    def _write(self, process: subprocess.Popen[bytes], question: Record) -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it is gone: the answer tells
            process.stdin.write(encode_line(question))

    def _read(self, process: subprocess.Popen[bytes]) -> Record | None:
        """The next record; None when the process ended."""
        line = next(self._lines, b"")
        if line == b"":
            return None
        try:
            return decode_line(line or b"")
        except ValueError as error:
            process.kill()
            self._lost = "the GPU's process sent something unreadable"
            raise BackendError(self._lost, _ON_THE_PROCESSOR) from error

    def _cut_off(self, process: subprocess.Popen[bytes]) -> None:
        """Have the answer end, and read what is left of it."""
        self._write(process, {"ask": "stop"})
        with contextlib.suppress(BackendError):
            while (record := self._read(process)) is not None and "end" not in record and "problem" not in record:
                pass

    def _gone(self, process: subprocess.Popen[bytes]) -> BackendError:
        """Why there is no answer. A process that was let go may be started again."""
        code = process.wait()
        if _let_go(process):
            return LetGoError("the GPU was needed elsewhere", "ask again")
        ended = signal_name(-code) if code < 0 else f"exit code {code}"
        self._lost = f"the GPU's process ended ({ended})"
        return BackendError(self._lost, _ON_THE_PROCESSOR)


def _let_go(process: subprocess.Popen[bytes]) -> bool:
    return process.stdin is None or process.stdin.closed


def drawn_apart(client: GpuClient, gpu: str, completer: Completer, prompt: str, sampling: SamplingConfig) -> Stream:
    """As `Completer.stream`, drawn by the client's process on a GPU of that name, which the notes tell."""
    from chargru.completion.completer import Stream
    from chargru.completion.generate import Texts

    class DrawnApart(Texts):
        def __iter__(self) -> Iterator[list[str]]:
            assert completer.path is not None
            for record in client.draw(completer.path, prompt, sampling):
                for row, (gained, nats) in enumerate(zip(record["gained"], record["nats"], strict=True)):
                    self._pieces[row].append(gained)
                    self._surprisals[row].extend(nats)
                yield record["gained"]

    reading = completer.vocabulary.read(prompt)
    notes = (*reading.notes, f"drawn on {gpu}")
    return Stream(replace(reading, notes=notes), DrawnApart(completer.vocabulary, sampling))
