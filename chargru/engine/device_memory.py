"""What a network takes of a device's memory, and what to say when it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chargru.config import ModelConfig
from chargru.engine.device import Device
from chargru.engine.fused.update_launches import PARTS
from chargru.engine.fused.variants import layer_bytes
from chargru.engine.fused.window_launches import COUNTERS, RATES, VERDICT, column_parts
from chargru.engine.parameters import parameter_count
from chargru.errors import BackendError

HISTORY = 8192
"""Updates whose losses a device remembers; one more, and the lesson waits for them before it queues the next."""

LARGEST = "tf32"
"""The precision that takes the most memory."""

_RESERVED = 1.25  # what the pool rounds up, and what cuBLAS works in


def network_bytes(
    config: ModelConfig, batch_size: int, seq_len: int, precision: str = LARGEST, *, train: bool = True
) -> int:
    """What a `DeviceNetwork` of this size takes of the device's memory at most, the weights themselves not counted."""
    V, H, L = config.vocab_size, config.hidden_size, config.num_layers
    N = seq_len * batch_size
    numbers = L * (N + batch_size) * H + L * batch_size * H  # h and state
    numbers += N * V + N + 2 * N  # logits, losses, ids
    numbers += RATES + VERDICT
    if train:
        numbers += N * H + column_parts(N) * max(3 * H, V) + parameter_count(config)
    small = 8 * (COUNTERS + PARTS)
    return 4 * numbers + small + L * layer_bytes(seq_len, batch_size, H, precision, train=train)


def lesson_bytes(
    config: ModelConfig,
    batch_size: int,
    seq_len: int,
    characters: int,
    precision: str = LARGEST,
    *,
    decay: bool = False,
) -> int:
    """What a `DeviceLesson` takes: its network, the text's ids, and everything that learns, twice."""
    learning = 4 * parameter_count(config) + config.num_layers * batch_size * config.hidden_size
    numbers = 2 * learning + characters + 2 * HISTORY + (parameter_count(config) if decay else 0)
    numbers -= config.num_layers * batch_size * config.hidden_size  # the state is the network's
    return network_bytes(config, batch_size, seq_len, precision) + 4 * numbers + 8 * PARTS


def batch_hint(fitting: int) -> str:
    """What to say when so many rows would fit, or none."""
    if fitting:
        return f"a batch of {fitting} would fit: --batch-size {fitting}"
    return "take fewer units (--hidden-size), a shorter window (--seq-len), or --backend numpy"


@contextmanager
def told_if_full(
    device: Device, rows: int, needed: Callable[[int], int], hint: Callable[[int], str] = batch_hint
) -> Iterator[None]:
    """Turns the device's own error into one that tells what was needed and how many rows would fit.

    `needed(rows)` is in bytes; `hint(fitting)` says what to do, `fitting` being 0 when not even one row fits.

    Raises:
        BackendError: the device's memory is full.
    """
    device.free_pool()
    free, whole = device.memory()
    try:
        yield
        return
    except Exception as error:
        if not device.is_memory_error(error):
            raise
    fitting = rows // 2  # whatever the estimate says: this many did not fit
    while fitting and needed(fitting) * _RESERVED > free:
        fitting //= 2
    raise BackendError(
        f"the GPU's memory is full: {_gigabytes(needed(rows))} are needed, "
        f"{_gigabytes(free)} of {_gigabytes(whole)} were free",
        hint(fitting),
    )


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
