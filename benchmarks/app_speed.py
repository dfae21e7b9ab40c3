"""What the app costs a training: characters a second with the Train screen open against `chargru train` alone.

    python benchmarks/app_speed.py [--seconds 45] [--pairs 5] [--hidden-size 256]

The same training, sizes and seed on both sides, in pairs that take turns at going first. The app is the real one, with
its worker process, in a pseudo-terminal of 160 × 48 that takes every byte at once. The figure is the median of the
pairs' ratios: a shared machine's moods hit both sides of a pair alike, not one side of all pairs. The last column is
what the app itself used of one core while the training lasted, its start left out: a figure without those moods.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, process_time

from common import machine, print_table
from terminal import Terminal

from chargru.config import TrainRequest

COLUMNS, ROWS = 160, 48
LIMIT = 0.95
START = 4.0  # seconds of training in which the app still starts


def request(options: argparse.Namespace, out: str) -> TrainRequest:
    """The training that both sides do."""
    return TrainRequest(
        corpus="tales",
        time=options.seconds,
        out=out,
        seed=1,
        hidden_size=options.hidden_size,
        num_layers=1,
        batch_size=32,
        seq_len=64,
    )


def alone(options: argparse.Namespace) -> float:
    """Characters a second of the command line, nothing on screen."""
    with tempfile.TemporaryDirectory() as out:
        asked = request(options, out)
        command = [
            sys.executable,
            "-m",
            "chargru",
            "train",
            "tales",
            "--json",
            "--out",
            out,
            "--time",
            f"{asked.time:g}s",
        ]
        for name in ("hidden_size", "batch_size", "seq_len", "seed"):
            command += [f"--{name.replace('_', '-')}", str(getattr(asked, name))]
        command += ["--layers", "1"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    rate: float = json.loads(done.stdout.splitlines()[-1])["chars_per_second"]
    return rate


def in_the_app(options: argparse.Namespace) -> tuple[float, float, float]:
    """Characters a second of the worker while the app paints, kilobytes painted a second, the app's share of a core."""
    with tempfile.TemporaryDirectory() as out:
        answer = Path(out) / "answer"
        inside = [sys.executable, __file__, "--inside", str(answer), "--seconds", str(options.seconds)]
        home = {"CHARGRU_HOME": out}
        terminal = Terminal([*inside, "--hidden-size", str(options.hidden_size)], COLUMNS, ROWS, environment=home)
        terminal.until(lambda: terminal.process.poll() is not None, options.seconds + 60, "the end of the training")
        terminal.close()
        if not answer.exists():
            raise SystemExit("the app ended without a finished training")
        rate, share = map(float, answer.read_text().split())
        return rate, terminal.painted / options.seconds / 1000, share


def inside(options: argparse.Namespace) -> None:
    """The app in the pseudo-terminal: it trains, keeps the Train screen open, writes its figure down and leaves."""
    from textual import on

    from chargru.events import Failed, Finished, Progress
    from chargru.tui.app import ChargruApp
    from chargru.tui.messages import TrainingEvents, TrainingWanted

    class Measured(ChargruApp):
        begun: tuple[float, float] | None = None  # when the start was over: processor time and time

        def on_mount(self) -> None:
            self.call_after_refresh(self.post_message, TrainingWanted(request(options, os.environ["CHARGRU_HOME"])))

        @on(TrainingEvents)
        def look_for_the_end(self, message: TrainingEvents) -> None:
            for event in message.events:
                if isinstance(event, Progress) and self.begun is None and event.elapsed > START:
                    self.begun = process_time(), monotonic()
                if isinstance(event, Finished) and self.begun is not None:
                    used, passed = process_time() - self.begun[0], monotonic() - self.begun[1]
                    options.inside.write_text(f"{event.chars_per_second} {used / passed}")
                if isinstance(event, Finished | Failed):
                    self.exit(0)

    app = Measured()
    try:
        app.run()
    finally:
        app.runner.close(2.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45.0, help="of each training")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--hidden-size", type=int, default=256)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is not None:
        inside(options)
        return
    rows, ratios = [], []
    for pair in range(options.pairs):
        if pair % 2:
            with_app, painted, share = in_the_app(options)
            without = alone(options)
        else:
            without = alone(options)
            with_app, painted, share = in_the_app(options)
        ratios.append(with_app / without)
        figures = (
            f"{without / 1e3:.1f}",
            f"{with_app / 1e3:.1f}",
            f"{ratios[-1]:.1%}",
            f"{painted:.0f}",
            f"{share:.1%}",
        )
        rows.append((str(pair + 1), *figures))
    print(f"{machine()}; H{options.hidden_size} B32 T64, {options.seconds:g} s each, {COLUMNS} × {ROWS}\n")
    print_table(("pair", "alone, k ch/s", "in the app, k ch/s", "ratio", "painted, kB/s", "of a core"), rows)
    found = statistics.median(ratios)
    print(f"median of {len(ratios)} ratios: **{found:.1%}** ({'holds' if found >= LIMIT else 'misses'} {LIMIT:.0%})")


if __name__ == "__main__":
    main()
