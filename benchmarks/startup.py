"""How long until something is there: `chargru --help`, the app's first frame, and every other screen's first time.

    python benchmarks/startup.py [--rounds 9]

All in a real pseudo-terminal, by what stands on it. The first frame counts from the start of the process until the name
of the first text that can be picked is painted: the app has then drawn itself with its contents, not an empty screen.
A screen counts from its key until its contents stand there.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time

from common import machine, print_table
from terminal import Terminal

COMMAND = [sys.executable, "-m", "chargru"]
SIGN = "tales"
SCREENS = {  # its key, and what stands on it when there are no runs yet
    "Train": ("\x1bOR", "Nothing is training yet"),
    "Play": ("\x1bOS", "likeliest next characters"),
    "Runs": ("\x1b[17~", "Nothing was trained yet"),
}
REST = 1.0  # seconds between the keys: what the app does by itself after a frame is over


def help_seconds() -> float:
    start = time.perf_counter()
    subprocess.run([*COMMAND, "--help"], check=True, capture_output=True)
    return time.perf_counter() - start


def app_seconds() -> dict[str, float]:
    """Of the first frame, and of each screen."""
    with tempfile.TemporaryDirectory() as home:
        terminal = Terminal(COMMAND, 100, 30, watch=True, environment={"CHARGRU_HOME": home})
        found = {"frame": terminal.until(lambda: SIGN in terminal.text(), 20, "the first frame")}
        for name, (key, sign) in SCREENS.items():
            rested = time.perf_counter() + REST
            while time.perf_counter() < rested:
                terminal.take(0.05)
            terminal.press(key)
            found[name] = terminal.until(lambda sign=sign: sign in terminal.text(), 20, name)
        terminal.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    help_seconds(), app_seconds()  # byte code and file cache
    found = [{"help": help_seconds(), **app_seconds()} for _ in range(rounds)]
    median = {name: statistics.median(each[name] for each in found) for name in found[0]}
    print(f"{machine()}; medians of {rounds} rounds\n")
    rows = [
        ("`chargru --help`", f"{median['help']:.2f} s", "0.3 s"),
        ("first frame of the app", f"{median['frame']:.2f} s", "0.8 s"),
        *((f"{name}, when first shown", f"{median[name]:.2f} s", "") for name in SCREENS),
    ]
    print_table(("what", "median", "limit"), rows)


if __name__ == "__main__":
    main()
