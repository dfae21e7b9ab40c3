"""Launches of the optimizer's and the sampler's kernels; what they compute stands in `gru.cu`."""

from __future__ import annotations

import numpy as np

from chargru.config import SamplingConfig, TrainingConfig
from chargru.engine.fused.kernels import DeviceArray, Launch, Launcher, blocks, check, line
from chargru.engine.fused.window_launches import COUNTERS, DRAWING, RATES, VERDICT

PARTS = 256  # of a sum over everything, at most
THREADS = 256  # as in gru.cu
_SUMMED = 4096  # numbers of a part; both are the same on every device, so the sum is
LOSS, NORM, SCALE, OK = range(VERDICT)  # places in a verdict

f32, f64, i32, i64 = np.float32, np.float64, np.int32, np.int64


def total(
    launcher: Launcher,
    source: DeviceArray,
    partial: DeviceArray,
    verdict: DeviceArray,
    place: int,
    *,
    scale: float = 1.0,
    norm: bool = False,
) -> tuple[Launch, Launch]:
    """verdict[place] = scale times the sum of `source` (n,), or its Euclidean norm; added up in float64.

    `partial` (PARTS,) float64 is scratch.
    """
    count = source.size
    check("source", source, f32, count)
    check("partial", partial, f64, PARTS)
    check("verdict", verdict, f32, VERDICT)
    if not 0 <= place < VERDICT:
        raise ValueError(f"a verdict has no place {place}")
    parts, block = min(PARTS, blocks(count, _SUMMED)), (THREADS, 1, 1)
    first = (source, partial, i64(count), i32(norm))
    second = (partial, verdict, i32(parts), i32(place), f64(scale), i32(norm))
    return (
        Launch(launcher, "sum_all", (parts, 1, 1), block, first),
        Launch(launcher, "finish_sum", (1, 1, 1), block, second),
    )


def judge(
    launcher: Launcher, verdict: DeviceArray, counters: DeviceArray, history: DeviceArray, clip_norm: float
) -> Launch:
    """Whether loss and norm are finite, and the gradient's scale; a line of `history` (capacity, 2) at the slot."""
    check("verdict", verdict, f32, VERDICT)
    check("counters", counters, i64, COUNTERS)
    check("history", history, f32, len(history), 2)
    return Launch(launcher, "judge", (1, 1, 1), (32, 1, 1), (verdict, counters, history, f32(clip_norm)))


def adam(
    launcher: Launcher,
    weights: DeviceArray,
    averaged: DeviceArray,
    m: DeviceArray,
    v: DeviceArray,
    gradient: DeviceArray,
    decayed: DeviceArray | None,
    rates: DeviceArray,
    verdict: DeviceArray,
    config: TrainingConfig,
) -> Launch:
    """One update of all weights (P,), if the verdict is a good one. `decayed` is 1 where weights decay, or None."""
    count = weights.size
    mask = weights if decayed is None else decayed
    flats = {"weights": weights, "averaged": averaged, "m": m, "v": v, "gradient": gradient, "decayed": mask}
    for name, flat in flats.items():
        check(name, flat, f32, count)
    check("rates", rates, f32, RATES)
    check("verdict", verdict, f32, VERDICT)
    betas = (config.beta1, 1 - config.beta1, config.beta2, 1 - config.beta2)
    arguments = (*flats.values(), rates, verdict, i64(count), *map(f32, betas), i32(decayed is not None))
    return Launch(launcher, "adam", *line(count), arguments)


def draw(
    launcher: Launcher,
    logits: DeviceArray,
    b_y: DeviceArray,
    weights: DeviceArray,
    counters: DeviceArray,
    ids: DeviceArray,
    written: DeviceArray,
    nats: DeviceArray,
    config: SamplingConfig,
) -> Launch:
    """The next `ids` (N,) from `logits` (N, V), also into row `slot` of `written` and `nats` (slots, N)."""
    N, V = logits.shape
    slots = len(written)
    check("logits", logits, f32, N, V)
    check("b_y", b_y, f32, V)
    check("weights", weights, f64, N, V)
    check("counters", counters, i64, COUNTERS)
    check("ids", ids, i32, N)
    check("written", written, i32, slots, N)
    check("nats", nats, f32, slots, N)
    numbers = f64(config.temperature), i32(config.top_k), f64(config.top_p), f64(config.min_p)
    arguments = (logits, b_y, weights, counters, np.uint32(DRAWING), ids, written, nats, i32(V), *numbers)
    return Launch(launcher, "draw", (N, 1, 1), (THREADS, 1, 1), arguments)


def advance(launcher: Launcher, counters: DeviceArray, slots: int) -> Launch:
    """The step and the slot of the next character."""
    check("counters", counters, i64, COUNTERS)
    return Launch(launcher, "advance", (1, 1, 1), (32, 1, 1), (counters, i64(slots)))


def hold_states(launcher: Launcher, state: DeviceArray, ids: DeviceArray) -> Launch:
    """Zero the `state` (L, N, H) of rows whose id is below 0."""
    L, N, H = state.shape
    check("state", state, f32, L, N, H)
    check("ids", ids, i32, N)
    return Launch(launcher, "hold_states", *line(L * N * H), (state, ids, i32(L), i32(N), i32(H)))
