"""Characters drawn a second on a GPU, many completions side by side, against torch's GRU there and our own NumPy.

    python benchmarks/gpu_sample.py [--rounds 3] [--seconds 0.4] [--json FILE]

Random weights, 65 characters, temperature 1. Ours reads the prompt and draws from there, the draws and surprisals come
to the host every 32 characters. Torch: embedding, `nn.GRU` one step at a time, linear, softmax, multinomial, all on the
device and nothing fetched. NumPy is only measured for as many rows as it may be used for, once, over a few characters.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gpu_shapes
import numpy as np
from gpu_common import arguments, device, machine, medians, peer, print_table, timed, write

from chargru.config import ModelConfig, SamplingConfig
from chargru.engine import Parameters, Stepper, draw
from chargru.engine.device import Device
from chargru.engine.device_sampling import sample_many

V, LENGTH, FEW = 65, 96, 8
LONG = 1_000  # characters each, of as many completions as a page of them has
SHAPES = gpu_shapes.SAMPLING
NUMPY_ROWS = 256  # at most


def ours(gpu: Device, parameters: Parameters, rows: int, length: int = LENGTH) -> Callable[[], None]:
    config = SamplingConfig(count=rows, length=length, temperature=1.0, seed=1)
    here = Parameters(parameters.config, np.float32, gpu.array(parameters.flat))

    def write_all() -> None:
        for _ in sample_many(gpu, here, [np.zeros(1, np.int32)], config):
            pass

    return write_all


def once(work: Callable[[], None], wait: Callable[[], object]) -> float:
    """Seconds of one `work`, all that it begins with included."""
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def with_numpy(parameters: Parameters, rows: int) -> float:
    """Characters a second of our own NumPy, on this machine's processor."""
    stepper, rng, config = Stepper(parameters, rows), np.random.default_rng(0), SamplingConfig(temperature=1.0)
    ids = draw(stepper.step(np.zeros(rows, np.intp)), config, rng)
    start = time.perf_counter()
    for _ in range(FEW):
        ids = draw(stepper.step(ids), config, rng)
    return rows * FEW / (time.perf_counter() - start)


def theirs(torch: Any, H: int, L: int, rows: int, seconds: float) -> Callable[[], float]:
    place = torch.device("cuda")
    embedding, gru, linear = torch.nn.Embedding(V, H), torch.nn.GRU(H, H, L), torch.nn.Linear(H, V)
    for module in (embedding, gru, linear):
        module.to(place)

    def write_all() -> None:
        ids, state = torch.zeros(rows, dtype=torch.long, device=place), torch.zeros(L, rows, H, device=place)
        with torch.inference_mode():
            for _ in range(LENGTH):
                hidden, state = gru(embedding(ids)[None], state)
                ids = torch.multinomial(torch.softmax(linear(hidden[0]), -1), 1)[:, 0]

    return timed(write_all, torch.cuda.synchronize, seconds)


def main() -> None:
    options = arguments(__doc__, 0.4).parse_args()
    gpu, torch = device(), peer()
    print(f"{machine(gpu)}; medians of {options.rounds} rounds\n")
    begin, figures, rows = time.monotonic(), [], []
    for H, L, count in SHAPES:
        if time.monotonic() - begin > options.limit:
            break
        parameters = Parameters.initial(ModelConfig(V, H, L), 1)
        made = {"chargru": timed(ours(gpu, parameters, count), gpu.synchronize, options.seconds)}
        if torch is not None:
            made["torch"] = theirs(torch, H, L, count, options.seconds)
        found = medians(made, options.rounds)
        rate = {name: count * LENGTH / seconds for name, seconds in found.items()}
        long = once(ours(gpu, parameters, count, LONG), gpu.synchronize) if count == 256 else None
        figures.append({"shape": (H, L, count), "rates": rate, "step": found["chargru"] / LENGTH, "long": long})
        write(options.json, figures)  # before NumPy, which may take longer than there is time
        if count <= NUMPY_ROWS:
            rate["numpy"] = with_numpy(parameters, count)
            write(options.json, figures)
        rows.append(
            (
                gpu_shapes.rows(H, L, count),
                f"{rate['chargru'] / 1e3:,.0f}",
                f"{1e6 * found['chargru'] / LENGTH:.0f}",
                f"{rate['torch'] / 1e3:,.0f}" if "torch" in rate else "not run",
                f"**{rate['chargru'] / rate['torch']:.2f}×**" if "torch" in rate else "",
                f"{rate['numpy'] / 1e3:,.1f}" if "numpy" in rate else "",
                f"{long:.2f}" if long else "",
            )
        )
        print(rows[-1], flush=True)
    print()
    header = ("model", "chargru, k ch/s", "µs a character", "torch, k ch/s", "ratio", "NumPy here, k ch/s")
    print_table((*header, f"s for {LONG:,} characters each"), rows)


if __name__ == "__main__":
    main()
