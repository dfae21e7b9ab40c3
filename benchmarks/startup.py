"""How long until something is there: `chargru --help`, and the app's first frame in a real pseudo-terminal.

    python benchmarks/startup.py [--rounds 9]

The first frame counts from the start of the process until the screen's bytes hold the name of the first text that can
be picked: the app has then drawn itself with its contents, not an empty screen.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from common import machine, medians, print_table

COMMAND = [sys.executable, "-m", "chargru"]
SIGN = b"tales"


def help_seconds() -> float:
    start = time.perf_counter()
    subprocess.run([*COMMAND, "--help"], check=True, capture_output=True)
    return time.perf_counter() - start


def frame_seconds() -> float:
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
        os.execv(sys.executable, COMMAND)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = b""
    try:
        while SIGN not in seen:
            ready, _, _ = select.select([terminal], [], [], 20)
            if not ready:
                raise SystemExit("the app drew nothing for 20 seconds")
            seen += os.read(terminal, 65536)
        return time.perf_counter() - start
    finally:
        os.kill(pid, signal.SIGTERM)
        with os.fdopen(terminal, "rb", buffering=0) as rest:
            try:
                while rest.read(65536):
                    pass
            except OSError:
                pass  # the other end is closed
        os.waitpid(pid, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    help_seconds(), frame_seconds()  # byte code and file cache
    found = medians({"help": help_seconds, "frame": frame_seconds}, rounds)
    print(f"{machine()}; medians of {rounds} rounds\n")
    rows = [
        ("`chargru --help`", f"{found['help']:.2f} s", "0.3 s"),
        ("first frame of the app", f"{found['frame']:.2f} s", "0.8 s"),
    ]
    print_table(("what", "median", "limit"), rows)


if __name__ == "__main__":
    main()
