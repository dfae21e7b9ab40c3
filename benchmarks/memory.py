"""Whether memory stays flat while training goes on: resident bytes early and late in one run.

python benchmarks/memory.py [--time 60]
"""

from __future__ import annotations

import argparse
import tempfile

from common import machine, print_table

from chargru.config import TrainRequest
from chargru.events import Progress
from chargru.training.session import open_session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=float, default=60.0)
    seconds = parser.parse_args().time
    with tempfile.TemporaryDirectory() as runs:
        trainer = open_session(TrainRequest(corpus="tales", time=seconds, out=runs, name="memory"))
        marks = [(e.fraction, e.memory, e.step) for e in trainer.run() if isinstance(e, Progress)]
    print(f"{machine()}; {trainer.model.num_layers} × {trainer.model.hidden_size} units, {seconds:.0f} s\n")
    rows = []
    for part in (0.1, 0.25, 0.5, 0.75, 1.0):
        fraction, memory, step = min(marks, key=lambda mark: abs(mark[0] - part))
        rows.append((f"{fraction:.0%}", f"{step:,}", f"{memory / 2**20:.1f} MiB"))
    print_table(("of the budget", "step", "resident"), rows)


if __name__ == "__main__":
    main()
