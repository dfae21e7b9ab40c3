"""Kills writers of a run with SIGKILL and looks at what they leave; run as a program by test_crashes.

    python -m <this> random DIRECTORY KILLS SEED    at random moments
    python -m <this> calls DIRECTORY                before every system call of one save

Each writer is a fork of this process, so that a thousand of them do not import NumPy a thousand times. Prints one JSON
object of counts.
"""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from chargru.storage.atomic import is_temporary
from chargru.storage.checkpoint import Checkpoint
from chargru.storage.runs import Run

from .samples import make_checkpoint


def write_on(run: Run, step: int, base: Checkpoint, acknowledge: int) -> None:
    """Save step after step, and tell each one's number once it is said to be saved (the first: where it begins)."""
    with run.lock():
        os.write(acknowledge, struct.pack("<q", step))
        while True:
            step += 1
            base.weights[0] = step
            run.append({"step": step, "loss": 1.0})
            run.save(replace(base, step=step, val_loss=1.0 / step), best=step % 3 == 0)
            os.write(acknowledge, struct.pack("<q", step))


def look_at(run: Run, acknowledged: int, counts: dict[str, int]) -> int:
    """What a killed writer left: counted, and the step to go on from."""
    left = any(is_temporary(path) for path in run.path.iterdir())
    counts["mid_write"] += left
    found = Run.open(run.path)
    with found.lock() as swept:
        counts["not_swept"] += left != bool(swept) or any(is_temporary(path) for path in run.path.iterdir())
    counts["bad_record"] += bool(found.problem)
    if not found.checkpoints() and acknowledged == 0:
        return 0
    _, checkpoint, notes = found.latest()
    counts["unreadable"] += len(notes)
    counts["older"] += checkpoint.step < acknowledged
    counts["best_lost"] += not found.best().is_file()
    counts["metrics_lost"] += sum(record["step"] <= acknowledged for record in found.metrics()) < acknowledged
    return checkpoint.step


def seconds_of_a_save(directory: Path, checkpoint: Checkpoint) -> float:
    run = Run.create(directory, "pace", {})
    begin = time.monotonic()
    with run.lock():
        for step in range(5):
            run.append({"step": step})
            run.save(replace(checkpoint, step=step), best=True)
    return (time.monotonic() - begin) / 5


def at_random(directory: Path, kills: int, seed: int) -> dict[str, int]:
    counts = dict.fromkeys(
        ("kills", "saves", "mid_write", "unreadable", "older", "not_swept", "bad_record", "best_lost", "metrics_lost"),
        0,
    )
    rng = random.Random(seed)
    run = Run.create(directory, "killed", {})
    base = make_checkpoint(0, hidden=64, letters="abcd")
    longest = max(0.03, 4 * seconds_of_a_save(directory, base))  # a busy machine gets to save, too
    step = acknowledged = 0
    while counts["kills"] < kills:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                write_on(Run.open(run.path), step, base, writing)
            finally:
                os._exit(1)
        os.close(writing)
        told = os.read(reading, 8)  # it has the lock and begins: a busy machine does not spend the time on that
        time.sleep(rng.uniform(0.0, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while part := os.read(reading, 65536):
            told += part
        os.close(reading)
        counts["kills"] += 1
        counts["saves"] += len(told) // 8 - 1
        acknowledged = struct.unpack("<q", told[-8:])[0]
        step = look_at(run, acknowledged, counts)
        if step > acknowledged:  # saved, but killed before it could say so; the metrics may hold its line or not
            acknowledged = step
        run.truncate_metrics(step)
    return counts


def at_every_call(directory: Path) -> dict[str, int]:
    counts = dict.fromkeys(("kills", "unreadable", "older", "not_swept", "mid_write", "bad_record"), 0)
    counts |= {"best_lost": 0, "metrics_lost": 0}
    run = Run.create(directory, "killed", {})
    with run.lock():
        run.append({"step": 1})
        run.save(make_checkpoint(1), best=True)
    for moment in range(100):
        child = os.fork()
        if child == 0:
            try:
                patch_to_kill(moment)
                with Run.open(run.path).lock():
                    run.save(make_checkpoint(2), best=False)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:  # the save makes no more calls than that
            break
        counts["kills"] += 1
        look_at(run, 1, counts)
        (run.path / "step-000002.safetensors").unlink(missing_ok=True)
    return counts


def patch_to_kill(moment: int) -> None:
    """Kill this process before its call number `moment`, which is right after the one before."""
    calls = 0

    def killing(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            if calls == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            calls += 1
            return real(*arguments, **options)

        return call

    for name in ("open", "write", "fsync", "close", "replace", "unlink", "ftruncate"):
        setattr(os, name, killing(getattr(os, name)))


def main(arguments: list[str]) -> None:
    if arguments[0] == "random":
        counts = at_random(Path(arguments[1]), int(arguments[2]), int(arguments[3]))
    else:
        counts = at_every_call(Path(arguments[1]))
    sys.stdout.write(json.dumps(counts) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
