"""What a training on a GPU learns within a time, nothing set by hand: losses of the held-out tenth by both protocols.

    python benchmarks/gpu_learning.py [--text tales] [--time 180] [--json FILE]

TEXT is a file or a name from `chargru corpora`; figures of other programs are for tiny shakespeare. Needs what training
needs and nothing else: no command line, no terminal.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from gpu_common import device, machine, print_table, write

from chargru.config import PRECISIONS, TrainRequest
from chargru.engine import Parameters
from chargru.events import Evaluated, Finished, Notice, Recovered
from chargru.storage.checkpoint import load
from chargru.training.device_place import OnDevice
from chargru.training.evaluation import evaluate
from chargru.training.session import open_session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", default="tales")
    parser.add_argument("--time", type=float, default=180.0)
    parser.add_argument("--precision", choices=PRECISIONS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    gpu = device()
    print(machine(gpu), flush=True)
    with tempfile.TemporaryDirectory() as runs:
        opening = time.monotonic()
        request = TrainRequest(
            corpus=options.text, time=options.time, out=runs, name="gpu", backend="cupy", precision=options.precision
        )
        trainer = open_session(request)
        opening = time.monotonic() - opening
        model, training = trainer.model, trainer.training
        events, taken = [], []
        wall, busy = time.monotonic(), time.process_time()
        for event in trainer.run():
            events.append(event)
            if isinstance(event, Evaluated):
                free, whole = gpu.memory()
                taken.append(whole - free)
            if isinstance(event, Notice | Recovered):
                print(event, flush=True)
            elif isinstance(event, Evaluated):
                print(f"{event.elapsed:6.1f} s  step {event.step:,}  {event.val_loss:.4f}", flush=True)
        host = (time.process_time() - busy) / (time.monotonic() - wall)
        finished = events[-1]
        assert isinstance(finished, Finished)
        figures = {
            "text": trainer.material.corpus.name,
            "characters": trainer.material.corpus.characters,
            "seconds": finished.seconds,
            "opening": opening,
            "updates": finished.steps,
            "rate": finished.chars_per_second,
            "sizes": f"{model.num_layers} × {model.hidden_size}, B{training.batch_size} T{training.seq_len}",
            "regularised": f"dropout {training.dropout}, weight drop {training.weight_drop}",
            "recoveries": sum(isinstance(event, Recovered) for event in events),
            "precision": options.precision or "float32",
            "host": host,
            "memory": (taken[min(1, len(taken) - 1)], max(taken[1:], default=taken[-1])),
            "stream": finished.val_loss,  # the whole held-out tenth: what the training ends with
            "window": None,
        }
        write(options.json, figures)  # whatever comes later may take too long
        best = load(Path(finished.checkpoint))
        place = OnDevice(gpu, model, training)
        weights = Parameters(best.model, np.float32, place.brought(best.averaged))
        score = evaluate(weights, trainer.material.val, protocol="window", scorers=place.scorers)
        figures["window"] = score.nats_per_char if score else None
        write(options.json, figures)
    print()
    print_table(("what", "figure"), [(name, str(value)) for name, value in figures.items()])


if __name__ == "__main__":
    main()
