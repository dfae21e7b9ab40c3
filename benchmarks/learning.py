"""What a recipe learns: trainings from a list, side by side with one thread each, scored by both protocols.

    python benchmarks/learning.py run TEXT GRID RESULTS [--side-by-side 2] [--label NAME]
    python benchmarks/learning.py table RESULTS

GRID is a text file with the options of one `chargru train` a line; # begins a remark. Every training is followed by
`chargru eval` of the weights it keeps, on the last tenth, which it never saw: one stateful pass, and windows of 256
characters each from a cold state, as nanoGPT's own evaluation has them. RESULTS gets one JSON object a training as
soon as it ends, and trainings that are there already are not made again, so a grid can be stopped and gone on with.

Trainings are compared at equal updates (`--steps`), the number a budget holds on a quiet machine, so that what else the
machine does changes how long a grid takes and not what it finds. `--time` works too, where nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from common import print_table

CHARGRU = [sys.executable, "-m", "chargru"]


def read_grid(path: Path) -> list[str]:
    """The options of each training, in one form: the same options are the same training."""
    lines = (shlex.split(line, comments=True) for line in path.read_text(encoding="utf-8").splitlines())
    return [shlex.join(words) for words in lines if words]


def read_results(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def score(model: str, text: Path, protocol: str) -> float:
    options = ["--val-fraction", "0.1", "--protocol", protocol, "--json"]
    told = subprocess.run([*CHARGRU, "eval", model, str(text), *options], check=True, capture_output=True, text=True)
    return float(json.loads(told.stdout)["nats_per_char"])


def train(text: Path, options: str, threads: int | None) -> dict[str, Any]:
    """One training and its scores."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*CHARGRU, "train", str(text), "--out", folder, "--json", *shlex.split(options)]
        if threads is not None and "--threads" not in options:
            words += ["--threads", str(threads)]
        told = subprocess.run(words, check=True, capture_output=True, text=True)
        events = [json.loads(line) for line in told.stdout.splitlines()]
        finished = next(event for event in events if event["event"] == "finished")
        losses = [event["loss"] for event in events if event["event"] == "progress"]
        curve = [(event["fraction"], event["val_loss"]) for event in events if event["event"] == "evaluated"]
        model = finished["checkpoint"]
        return {
            "text": text.name,
            "options": options,
            "steps": finished["steps"],
            "seconds": round(finished["seconds"], 1),
            "train": round(sum(losses[-10:]) / len(losses[-10:]), 4),
            "stream": round(score(model, text, "stream"), 4),
            "window": round(score(model, text, "window"), 4),
            "curve": [(round(fraction, 4), round(loss, 4)) for fraction, loss in curve],
        }


def run(text: Path, grid: Path, results: Path, side_by_side: int, label: str) -> None:
    done = {(each["text"], each["options"], each.get("label", "")) for each in read_results(results)}
    wanted = [options for options in read_grid(grid) if (text.name, options, label) not in done]
    print(f"{len(wanted)} trainings to make, {side_by_side} side by side", flush=True)
    writing = threading.Lock()

    def work(options: str) -> None:
        found = train(text, options, 1 if side_by_side > 1 else None) | ({"label": label} if label else {})
        with writing, results.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(found) + "\n")
        print(json.dumps(found), flush=True)

    with ThreadPoolExecutor(side_by_side) as pool:
        for _ in pool.map(work, wanted):
            pass


def table(results: Path) -> None:
    rows = sorted(read_results(results), key=lambda each: (each["text"], each["window"]))
    columns = ("text", "label", "options", "steps", "train", "stream", "window")
    print_table(columns, [tuple(str(each.get(column, "")) for column in columns) for each in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("text", type=Path)
    running.add_argument("grid", type=Path)
    running.add_argument("results", type=Path)
    running.add_argument("--side-by-side", type=int, default=2)
    running.add_argument("--label", default="", help="what else is different: a version of the engine, say")
    showing = commands.add_parser("table")
    showing.add_argument("results", type=Path)
    options = parser.parse_args()
    if options.command == "run":
        run(options.text, options.grid, options.results, options.side_by_side, options.label)
    else:
        table(options.results)


if __name__ == "__main__":
    main()
