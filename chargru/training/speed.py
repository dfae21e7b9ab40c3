"""How fast this machine trains: measured once, and what a training of some shape then takes."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import numpy as np

from chargru.config import ModelConfig
from chargru.engine import Crew, Network, Parameters, available_cores, compiles, crew_for, flops_per_character
from chargru.training.autotune import BATCH_SIZE, SEQ_LEN
from chargru.training.judge import MOST

_SECONDS = 0.3
_VOCABULARY, _UNITS, _WINDOW = 65, 192, 32  # of the step that is measured

# What an update takes, in operations of the measured kind: for each time step of a layer whatever its width, for each
# character of a layer, and for each operation of the products (large products are faster than the measured ones).
# From benchmarks/LOG.md, sections "Compiled loops" and "Forecast".
_COMPILED, _NUMPY = (0.0, 130e3, 0.85), (3.5e6, 180e3, 0.6)
_SCORING = 0.4  # a character that is only scored, against one that is trained
_ON_THE_WAY = 0.07  # of a time budget: evaluations, samples, checkpoints


def machine_speed(threads: int | None = None) -> float:
    """Floating-point operations a second of the training step on this machine, on so many threads or one a core.

    Measured for about 0.3 s when it is first asked for, and remembered for the life of the process.
    """
    return _measured(threads or available_cores())


@functools.cache
def _measured(threads: int) -> float:
    model = ModelConfig(_VOCABULARY, _UNITS, 1)
    compiled = compiles(_UNITS, np.float32)
    with crew_for(threads, BATCH_SIZE, operations(model, BATCH_SIZE, _WINDOW), compiled=compiled) as crew:
        return probe(crew, _SECONDS)


def probe(crew: Crew, seconds: float) -> float:
    """Floating-point operations a second of a training step of middle size, measured for about `seconds`."""
    V, H, B, T = _VOCABULARY, _UNITS, BATCH_SIZE, _WINDOW
    config = ModelConfig(vocab_size=V, hidden_size=H, num_layers=1)
    parameters = Parameters.initial(config, 0)
    network = Network(config, B, T, crew=crew)
    rng = np.random.default_rng(0)
    inputs, targets = rng.integers(0, V, (2, T, B))
    network.loss_and_gradients(parameters, inputs, targets)  # helpers start, memory is touched
    begin, times = time.perf_counter(), list[float]()
    while not times or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        network.loss_and_gradients(parameters, inputs, targets)
        times.append(time.perf_counter() - start)
    # the quicker quarter of them: what else the machine does at this moment it will not do all the time
    return flops_per_character(H, 1, V) * B * T / float(np.quantile(times, 0.25))


def operations(model: ModelConfig, batch_size: int, seq_len: int) -> float:
    """Floating-point operations of one update."""
    return flops_per_character(model.hidden_size, model.num_layers, model.vocab_size) * batch_size * seq_len


def update_seconds(model: ModelConfig, batch_size: int, seq_len: int, speed: float) -> float:
    """What one update of these sizes takes at this speed, about."""
    L, V = model.num_layers, model.vocab_size
    step, character, operation = _COMPILED if compiles(model.hidden_size, np.float32) else _NUMPY
    per_character = character * L + operation * flops_per_character(model.hidden_size, L, V)
    return seq_len * (step * L + batch_size * per_character) / speed


def characters_in(seconds: float, vocab_size: int, speed: float) -> Callable[[int, int], float]:
    """How many characters a time budget reads at this speed, by units and layers: for `autotune.choose`."""

    def seen(hidden_size: int, num_layers: int) -> float:
        model = ModelConfig(vocab_size, hidden_size, num_layers)
        return BATCH_SIZE * SEQ_LEN * seconds / update_seconds(model, BATCH_SIZE, SEQ_LEN, speed)

    return seen


def updates_in(
    seconds: float, model: ModelConfig, batch_size: int, seq_len: int, val_chars: int, speed: float
) -> float:
    """About how many updates a time budget holds, at least 1; evaluations and the like are allowed for."""
    scoring = _SCORING * update_seconds(model, BATCH_SIZE, seq_len, speed) / (BATCH_SIZE * seq_len)
    last = min(0.25 * seconds, 1.5 * min(val_chars, MOST) * scoring)  # as Budget and Judge keep it back
    return max(1.0, ((1 - _ON_THE_WAY) * seconds - last) / update_seconds(model, batch_size, seq_len, speed))
