"""Records a real training for `chargru tui --demo`.

    python benchmarks/record_demo.py [--seconds 180] [--out chargru/tui/demo.jsonl]

Trains on the bundled tales in a directory that is removed again and writes what was told, one JSON object a line: a
header, then every event with the second at which it came. Two thirds into the budget the learning rate is lowered, as
a user would with a key. Left out: paths, and of Progress what comes too soon after another; numbers keep
five digits. The file is small enough to be shipped.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from common import machine

from chargru.config import TrainRequest
from chargru.events import Event, Finished, Progress, Saved, Started, to_record
from chargru.training.control import Control
from chargru.training.session import open_session
from chargru.tui.demo import FORMAT, RECORDING, Recording

CORPUS = "tales"
LIMIT = 100_000  # bytes
EVERY = 1.0  # seconds of the recording between two Progress events,
AT_FIRST = (20.0, 0.4)  # while so many seconds have not passed it is less: most happens at first
SLOWER = 0.66  # of the budget, after which the learning rate is lowered


def record(seconds: float) -> list[tuple[float, Event]]:
    """Train, and give every event with its second."""
    told: list[tuple[float, Event]] = []
    with tempfile.TemporaryDirectory() as out:
        control, lowered, start = Control(), False, time.monotonic()
        trainer = open_session(TrainRequest(corpus=CORPUS, time=seconds, out=out, name=CORPUS, seed=1))
        for event in trainer.run(control):
            told.append((time.monotonic() - start, event))
            if isinstance(event, Progress) and event.fraction > SLOWER and not lowered:
                lowered = True
                control.slower()
    return told


def lines(told: list[tuple[float, Event]]) -> list[str]:
    """The recording as JSON lines."""
    records: list[dict[str, Any]] = [{"recording": FORMAT, "corpus": CORPUS}]
    last = float("-inf")
    for at, event in told:
        if isinstance(event, Progress):
            every = AT_FIRST[1] if event.elapsed < AT_FIRST[0] else EVERY
            if at - last < every and event.fraction < 1:
                continue
            last = at
        if isinstance(event, Started | Saved):  # the directory is gone, and nobody's business
            event = dataclasses.replace(event, path="")
        elif isinstance(event, Finished):
            event = dataclasses.replace(event, checkpoint="")
        records.append({"at": round(at, 2), **{name: short(value) for name, value in to_record(event).items()}})
    return [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in records]


def short(value: Any) -> Any:
    """A number in five digits; anything else as it is."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--out", type=Path, default=RECORDING)
    options = parser.parse_args()
    written = "\n".join(lines(record(options.seconds))) + "\n"
    size = len(written.encode("utf-8"))
    if size > LIMIT:
        raise SystemExit(f"the recording has {size:,} bytes, more than {LIMIT:,}: nothing written")
    options.out.write_text(written, encoding="utf-8")
    made = Recording.read(options.out)
    last = made.events[-1][1]
    print(f"{machine()}\n{options.out}: {len(made.events)} events of {made.seconds:.0f} s, {size:,} bytes; {last}")


if __name__ == "__main__":
    main()
