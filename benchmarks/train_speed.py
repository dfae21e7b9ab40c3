"""Training characters a second against torch's Embedding + GRU + Linear + fused Adam, and against the machine's sgemm.

    python benchmarks/train_speed.py [--rounds 7] [--quick]

Both sides do whole updates on the same ids: forward, backward, clipping at norm 1, Adam; dropout is off on both. Each
uses all cores in its own way. Contenders take turns within one run; the figures are medians. The floor is the
arithmetic F of a character (18 H² (2L − 1) + 6 V H) over the measured product rate P of large float32 matrices.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable, Iterator

import numpy as np
from common import machine, medians, print_table

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import (
    Adam,
    Network,
    Parameters,
    available_cores,
    compiles,
    crew_for,
    flops_per_character,
    global_norm,
)

try:
    import torch
except ImportError:
    torch = None

V = 65
SHAPES = [(128, 50, 50, 2), (256, 64, 128, 1), (256, 32, 64, 2), (512, 64, 128, 1), (512, 64, 128, 2)]
SECONDS = 2.0  # of one round of one contender


def window(B: int, T: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B))


def timed(update: Callable[[], object], chars: int) -> Callable[[], float]:
    """Characters a second of `update`, over about `SECONDS`, once it has found its memory and its helpers again."""

    def measure() -> float:
        update()
        count, start = 0, time.perf_counter()
        while count < 2 or time.perf_counter() - start < SECONDS:
            update()
            count += 1
        return count * chars / (time.perf_counter() - start)

    return measure


@contextlib.contextmanager
def ours(H: int, B: int, T: int, L: int) -> Iterator[Callable[[], float]]:
    config = ModelConfig(vocab_size=V, hidden_size=H, num_layers=L)
    parameters = Parameters.initial(config, 1)
    operations = flops_per_character(H, L, V) * B * T
    crew = crew_for(available_cores(), B, operations, compiled=compiles(H, np.float32))
    network = Network(config, B, T, crew=crew)
    gradients = network.gradients
    assert gradients is not None
    adam = Adam(parameters, TrainingConfig(steps=1), crew)
    inputs, targets = window(B, T)

    def update() -> None:
        network.loss_and_gradients(parameters, inputs, targets)
        adam.update(gradients, global_norm(gradients), 1e-3)

    measure = timed(update, B * T)

    def with_crew() -> float:
        with crew:  # only while it is our turn: the peer must find its BLAS threads as they were
            return measure()

    yield with_crew


def theirs(H: int, B: int, T: int, L: int) -> Callable[[], float]:
    torch.set_num_threads(available_cores())
    embedding, gru, linear = torch.nn.Embedding(V, H), torch.nn.GRU(H, H, L), torch.nn.Linear(H, V)
    weights = [*embedding.parameters(), *gru.parameters(), *linear.parameters()]
    adam = torch.optim.Adam(weights, 1e-3, fused=True)
    inputs, targets = (torch.from_numpy(each) for each in window(B, T))
    state = torch.zeros(L, B, H)

    def update() -> None:
        nonlocal state
        adam.zero_grad(set_to_none=True)
        hidden, last = gru(embedding(inputs), state)
        state = last.detach()
        loss = torch.nn.functional.cross_entropy(linear(hidden).view(-1, V), targets.view(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()

    return timed(update, B * T)


def product_rate() -> float:
    """Floating-point operations a second of a 2048³ float32 product on all cores."""
    a, b = np.random.default_rng(0).normal(size=(2, 2048, 2048)).astype(np.float32)
    out = np.empty_like(a)
    np.matmul(a, b, out=out)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - start)
    return 2 * 2048**3 / sorted(times)[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="only H=256 B=64 T=128 L=1")
    options = parser.parse_args()
    rate = product_rate()
    print(f"{machine()}\nfloat32 products: {rate / 1e9:.0f} GF/s; medians of {options.rounds} rounds\n")
    rows = []
    for H, B, T, L in SHAPES[1:2] if options.quick else SHAPES:
        with ours(H, B, T, L) as measure:
            contenders = {"chargru": measure}
            if torch is not None:
                contenders["torch"] = theirs(H, B, T, L)
            found = medians(contenders, options.rounds)
        floor = rate / flops_per_character(H, L, V)
        peer = found.get("torch")
        rows.append(
            (
                f"H{H} B{B} T{T} L{L}",
                f"{found['chargru'] / 1e3:.1f}",
                f"{peer / 1e3:.1f}" if peer else "torch not installed",
                f"**{found['chargru'] / peer:.2f}×**" if peer else "",
                f"{floor / 1e3:.0f}",
                f"{found['chargru'] / floor:.0%}",
            )
        )
    print_table(("shape", "chargru, k ch/s", "torch, k ch/s", "ratio", "floor, k ch/s", "of the floor"), rows)


if __name__ == "__main__":
    main()
