"""The real app in a pseudo-terminal: whatever ends it, the terminal is given back as it was and nobody stays behind."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

# Makes the pseudo-terminal the controlling one, as a terminal program does, so that closing it hangs the app up.
LAUNCH = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
APP = ("-m", "chargru", "tui")
# the app, but something in it raises a second after it opened
FAILING = """
import sys
from chargru.tui import app
class Failing(app.ChargruApp):
    def on_mount(self):
        self.set_timer(1.0, lambda: 1 / 0)
app.ChargruApp = Failing
sys.exit(app.run_app())
"""
# what the app may have switched on and must have switched off: alternate screen, mouse, focus, paste, size reports
ON_AT_FIRST = {b"25", b"7"}  # the cursor and the wrapping of long lines
ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """A pseudo-terminal of 100 × 30 with the app in it."""

    def __init__(self, home: Path, *command: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, bytes((30, 0, 100, 0, 0, 0, 0, 0)))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        environment = {**os.environ, "TERM": "xterm-256color", "CHARGRU_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.app = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *(command or APP)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environment, cwd=home,
        )  # fmt: skip
        self.seen = b""

    def read_until(self, words: str, seconds: float = 30.0) -> None:
        """Read what the app paints until these words stand in it (or, for no words, until it has ended)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.master], [], [], 0.05)
            if ready:
                self.seen += os.read(self.master, 65536)
            elif not words and self.app.poll() is not None:
                return
            if words and words in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen.decode("utf-8", "replace")):
                return
        raise AssertionError(f"the app did not paint {words!r}")

    def read_bytes_until(self, wanted: bytes, seconds: float = 30.0) -> None:
        """Read until the app has written these bytes, and no more than that."""
        deadline = time.monotonic() + seconds
        while wanted not in self.seen:
            assert time.monotonic() < deadline, wanted
            if select.select([self.master], [], [], 0.05)[0]:
                self.seen += os.read(self.master, 64)

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def assert_given_back(self) -> None:
        """Every mode that was switched is as it was, and so are the modes of the line; the old screen is back."""
        modes = [(mode, switch) for modes, switch in re.findall(rb"\x1b\[\?([0-9;]+)([hl])", self.seen)
                 for mode in modes.split(b";")]  # fmt: skip
        assert (b"1049", b"h") in modes
        for mode, switch in dict(modes).items():
            assert switch == (b"h" if mode in ON_AT_FIRST else b"l"), mode
        assert self.seen.count(b"\x1b[<u") >= len(re.findall(rb"\x1b\[>[0-9]+u", self.seen))  # kitty's keyboard
        assert termios.tcgetattr(self.slave) == self.before

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.app.pid, signal.SIGKILL)
        self.app.wait()
        for each in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(each)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.close()


def children(pid: int) -> list[int]:
    """The processes that this one started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_sigterm_gives_the_terminal_back(terminal: Terminal) -> None:
    terminal.read_until("library")
    terminal.app.send_signal(signal.SIGTERM)
    terminal.read_until("")
    assert terminal.app.returncode == 143
    terminal.assert_given_back()


@pytest.mark.long
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_while_the_app_opens_gives_the_terminal_back(terminal: Terminal, ending: int) -> None:
    terminal.read_bytes_until(b"\x1b[?1049h")  # before the first frame
    terminal.app.send_signal(ending)
    terminal.read_until("")
    assert terminal.app.returncode == 128 + ending
    terminal.assert_given_back()


@pytest.mark.long
def test_an_exception_gives_the_terminal_back_and_tells_itself(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "-c", FAILING)
    try:
        terminal.read_until("library")
        terminal.read_until("")
        assert terminal.app.returncode == 1
        terminal.assert_given_back()
        assert b"ZeroDivisionError" in terminal.seen.rsplit(b"\x1b[?1049l", 1)[-1]
    finally:
        terminal.close()


@pytest.mark.long
def test_a_worker_that_dies_leaves_the_app_and_its_terminal_whole(terminal: Terminal) -> None:
    terminal.read_until("distinct")
    terminal.press(b"\r")
    terminal.read_until("ch/s", 60.0)
    (worker,) = children(terminal.app.pid)
    os.kill(worker, signal.SIGKILL)
    terminal.read_until("Training ended")
    assert terminal.app.poll() is None
    terminal.press(b"\x11")
    terminal.read_until("")
    assert terminal.app.returncode == 0
    terminal.assert_given_back()


@pytest.mark.long
def test_choices_are_there_the_next_time_even_after_a_signal(terminal: Terminal, tmp_path: Path) -> None:
    terminal.read_until("library")
    terminal.press(b"\x1b[17~")  # F6
    terminal.read_until("Nothing was trained yet")
    terminal.app.send_signal(signal.SIGTERM)
    terminal.read_until("")
    assert 'screen = "runs"' in (tmp_path / "config.toml").read_text()


@pytest.mark.long
@pytest.mark.parametrize("ending", [b"\x11", signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_training_is_saved_whatever_ends_the_app(terminal: Terminal, tmp_path: Path, ending: bytes | int) -> None:
    terminal.read_until("distinct")
    terminal.press(b"\r")
    terminal.read_until("ch/s", 60.0)
    (worker,) = children(terminal.app.pid)
    if isinstance(ending, bytes):
        terminal.press(ending)
    else:
        terminal.app.send_signal(ending)
    terminal.read_until("")
    assert terminal.app.returncode == (0 if isinstance(ending, bytes) else 128 + ending)
    terminal.assert_given_back()
    assert list(tmp_path.glob("runs/*/step-*.safetensors"))
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


@pytest.mark.long
def test_a_terminal_that_vanishes_leaves_nobody_behind(terminal: Terminal, tmp_path: Path) -> None:
    terminal.read_until("distinct")
    terminal.press(b"\r")
    terminal.read_until("ch/s", 60.0)
    (worker,) = children(terminal.app.pid)
    os.close(terminal.slave)
    os.close(terminal.master)
    terminal.app.wait(timeout=15)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and Path(f"/proc/{worker}").exists():
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert list(tmp_path.glob("runs/*/step-*.safetensors"))
