"""The parent's side: starts the training process, relays words, collects events, and says how it ended.

Plain `subprocess.Popen` with pipes of its own, because `multiprocessing` fails inside a running Textual app. Two
threads drain the child's output, so the child is never held up and `drain` never waits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Sequence
from pathlib import Path

from chargru.config import TrainRequest
from chargru.errors import WorkerError
from chargru.events import Event, Failed, Finished, Notice, Saved, from_record
from chargru.worker.lines import decode_line, encode_line, read_lines
from chargru.worker.mailbox import Mailbox
from chargru.worker.serve import INTERRUPTED

STDERR_TAIL = 8 * 1024  # bytes kept of what the child says on standard error
RESUME_HINT = "resume the run to go on from there"


class WorkerClient:
    """One training in a child process, from `start` to its last event.

    The last event is always a Finished or a Failed: if the process ends without either, a Failed that says how it
    died and what was saved is added here. Leaving (`close`, the end of a `with` block, or the death of this very
    process) ends the child, after it has saved.
    """

    def __init__(self, *, command: Sequence[str] | None = None) -> None:
        """`command` replaces `python -m chargru.worker`; tests give a process of their own."""
        # -P: a file in the directory where the user happens to be must not pass for a module of ours.
        self._command = list(command or (sys.executable, "-P", "-m", "chargru.worker"))
        self._process: subprocess.Popen[bytes] | None = None
        self._mailbox = Mailbox()
        self._stderr = bytearray()
        self._threads: list[threading.Thread] = []
        self._sending = threading.Lock()
        self._saved: Saved | None = None
        self._closing = False

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, request: TrainRequest) -> None:
        """Start the process and hand it the request; comes back at once.

        Raises:
            WorkerError: the process cannot be started, this client has started one before, or the corpus is standard
                input, which a child process cannot read.
        """
        if self._process is not None:
            raise WorkerError("this training process has been started already")
        if request.corpus == "-":
            raise WorkerError("standard input cannot be trained on in the background", "use `chargru train -`")
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,  # Ctrl-C in the terminal is the parent's business
                env=child_environment(),
            )
        except OSError as error:
            raise WorkerError(f"the training process could not be started: {error.strerror or error}") from error
        self._threads = [
            threading.Thread(target=self._collect, args=(self._process,), name="worker events", daemon=True),
            threading.Thread(target=self._collect_stderr, args=(self._process,), name="worker stderr", daemon=True),
        ]
        for thread in reversed(self._threads):  # the first waits for the second when the process is gone at once
            thread.start()
        self._write(encode_line(request.to_dict()))

    def send(self, word: str) -> bool:
        """Send "pause", "resume", "save", "faster", "slower" or "stop"; False when nobody is there to hear it."""
        return self._write(word.encode("ascii") + b"\n")

    def stop(self) -> bool:
        """Ask the training to end and save; its Finished comes through `drain`."""
        return self.send("stop")

    def drain(self) -> list[Event]:
        """The events since the last call, in order, without waiting; of Progress only the newest."""
        return self._mailbox.drain()

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None before the end."""
        return None if self._process is None else self._process.poll()

    @property
    def saved(self) -> Saved | None:
        """The last checkpoint that the process acknowledged."""
        return self._saved

    @property
    def stderr_tail(self) -> str:
        """The last few kilobytes that the process wrote to standard error; not safe for a terminal as it is."""
        return bytes(self._stderr).decode("utf-8", "replace")

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end and for the last event; the exit code, or None when `timeout` seconds have passed."""
        if self._process is None:
            return None
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        for thread in self._threads:
            thread.join(timeout=5.0)
        return code

    def close(self, grace: float = 5.0) -> None:
        """End the process: it saves first, and is killed should that take longer than `grace` seconds."""
        process = self._process
        if process is None:
            return
        self._closing = True
        with self._sending, contextlib.suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()  # for the child this is the end of its parent
        if self.wait(grace) is None:
            process.terminate()
            if self.wait(0.5) is None:
                process.kill()
                self.wait()
        for stream, thread in zip((process.stdout, process.stderr), self._threads, strict=True):
            if stream is not None and not thread.is_alive():  # never close a descriptor under a reader
                stream.close()

    def _write(self, data: bytes) -> bool:
        if self._process is None:
            return False
        stdin = self._process.stdin
        assert stdin is not None
        with self._sending:
            if stdin.closed:
                return False
            try:
                stdin.write(data)
            except OSError:  # the child is gone; its last event says why
                return False
        return True

    def _collect(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        ended = False
        garbled = False
        for line in read_lines(lambda size: os.read(descriptor, size)):
            try:
                event = from_record(decode_line(line or b""))
            except ValueError:
                if not garbled:
                    self._mailbox.put(Notice("the training process sent something unreadable, which was left out"))
                garbled = True
                continue
            if isinstance(event, Saved):
                self._saved = event
            ended = ended or isinstance(event, Finished | Failed)
            self._mailbox.put(event)
        try:
            code = process.wait(2.0)
        except subprocess.TimeoutExpired:  # silent but alive: of no use to anyone
            process.kill()
            code = process.wait()
        if not ended:
            self._threads[1].join(timeout=1.0)  # its last words
            self._mailbox.put(self._obituary(code))
        self._mailbox.close()

    def _collect_stderr(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        descriptor = process.stderr.fileno()
        while chunk := os.read(descriptor, 4096):
            self._stderr += chunk
            del self._stderr[:-STDERR_TAIL]

    def _obituary(self, code: int) -> Failed:
        saved = "nothing was saved yet" if self._saved is None else f"saved at step {self._saved.step}"
        hint = "" if self._saved is None else RESUME_HINT
        if code == INTERRUPTED and self._closing:
            return Failed(f"training was ended early; {saved}", hint)
        if code == -signal.SIGKILL and not self._closing:
            return Failed(f"the training process was killed, probably out of memory; {saved}", hint)
        if code == -signal.SIGKILL:
            return Failed(f"the training process did not answer and was killed; {saved}", hint)
        if code < 0:
            return Failed(f"the training process was ended by {signal_name(-code)}; {saved}", hint)
        last_words = [line for line in self.stderr_tail.splitlines() if line.strip()]
        if not hint and last_words:
            hint = f"it last said: {last_words[-1].strip()[:200]}"
        return Failed(f"the training process ended without a result (exit code {code}); {saved}", hint)


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def child_environment() -> dict[str, str]:
    """The environment of a child, in which it finds this very package, installed or not."""
    environment = dict(os.environ)
    root = str(Path(__file__).resolve().parents[2])
    # A site-packages directory is found anyway, and on PYTHONPATH it would come before the standard library.
    if root not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = root if not inherited else root + os.pathsep + inherited
    return environment
