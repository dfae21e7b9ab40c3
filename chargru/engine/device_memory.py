"""What a network takes of a device's memory, and what to say when it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chargru.config import ModelConfig
from chargru.engine.device import Device
from chargru.engine.fused.cupy_gru import sequence_bytes
from chargru.engine.fused.update_launches import PARTS
from chargru.engine.fused.window_launches import COUNTERS, RATES, VERDICT, column_parts
from chargru.engine.parameters import parameter_count
from chargru.errors import BackendError

_RESERVED = 1.25  # what the pool rounds up, and what cuBLAS works in


def network_bytes(config: ModelConfig, batch_size: int, seq_len: int, *, train: bool = True) -> int:
    """What a `DeviceNetwork` of this size takes of the device's memory, the weights themselves not counted."""
    V, H, L = config.vocab_size, config.hidden_size, config.num_layers
    N = seq_len * batch_size
    numbers = L * (N + batch_size) * H + L * batch_size * H  # h and state
    numbers += N * V + N + 2 * N  # logits, losses, ids
    numbers += RATES + VERDICT
    if train:
        numbers += N * H + column_parts(N) * max(3 * H, V) + parameter_count(config)
    small = 8 * (COUNTERS + PARTS)
    return 4 * numbers + small + L * sequence_bytes(seq_len, batch_size, H, train=train)


def lesson_bytes(config: ModelConfig, batch_size: int, seq_len: int, characters: int) -> int:
    """What a `DeviceLesson` takes: its network, weights, averages and moments twice, and the text's ids."""
    state = config.num_layers * batch_size * config.hidden_size
    return network_bytes(config, batch_size, seq_len) + 4 * (8 * parameter_count(config) + state + characters)


@contextmanager
def told_if_full(device: Device, batch_size: int, needed: Callable[[int], int]) -> Iterator[None]:
    """Turns the device's own error into one that tells what was needed and which batch size would fit.

    `needed(batch_size)` is in bytes.

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
    device.free_pool()
    fitting = batch_size
    while fitting > 1 and needed(fitting) * _RESERVED > free:
        fitting //= 2
    if fitting == batch_size:  # the estimate says that it should have fitted: something else took the memory
        fitting = max(1, batch_size // 2)
    if needed(fitting) * _RESERVED > free or fitting == batch_size:
        hint = "take fewer units (--hidden-size), a shorter window (--seq-len), or --backend numpy"
    else:
        hint = f"a batch of {fitting} would fit: --batch-size {fitting}"
    raise BackendError(
        f"the GPU's memory is full: {_gigabytes(needed(batch_size))} are needed, "
        f"{_gigabytes(free)} of {_gigabytes(whole)} were free",
        hint,
    )


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
