"""What a training would take of a GPU's memory, before anything is allocated there."""

from __future__ import annotations

from collections.abc import Iterator

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import parameter_count
from chargru.engine.device import Device
from chargru.engine.device_memory import lesson_bytes, network_bytes
from chargru.errors import ConfigError

_BUFFERS = 3  # of P numbers, beyond what the lesson has: the best weights, and copies in passing
_SCORED = (64, 64)  # rows and steps of an evaluation
_IN_USE = 0.95  # of what is free; the rest is for cuBLAS and what was forgotten here


def bytes_needed(model: ModelConfig, batch_size: int, seq_len: int, characters: int) -> int:
    """A close upper estimate of what training takes on the device, in bytes."""
    lesson = lesson_bytes(model, batch_size, seq_len, characters)
    return lesson + network_bytes(model, *_SCORED, train=False) + 4 * _BUFFERS * parameter_count(model)


def fits(free: int, model: ModelConfig, batch_size: int, seq_len: int, characters: int) -> bool:
    """Whether a training of this size has room in so many free bytes of a device."""
    return bytes_needed(model, batch_size, seq_len, characters) <= _IN_USE * free


def refuse_impossible(device: Device, model: ModelConfig, training: TrainingConfig, characters: int) -> None:
    """Raise ConfigError, with sizes that would fit, when these do not fit the device's memory."""
    free, _ = device.memory()
    if fits(free, model, training.batch_size, training.seq_len, characters):
        return
    needed = bytes_needed(model, training.batch_size, training.seq_len, characters)
    hint = next(
        (
            f"this would fit: --hidden-size {smaller.hidden_size} --layers {smaller.num_layers} --batch-size {rows}"
            for smaller, rows in _smaller(model, training.batch_size)
            if fits(free, smaller, rows, training.seq_len, characters)
        ),
        "nothing of use fits: end what else uses the GPU, or train with --backend numpy",
    )
    raise ConfigError(
        f"{model.num_layers} × {model.hidden_size} units with batch size {training.batch_size} and windows of "
        f"{training.seq_len} need about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB of {device.name} are free",
        hint,
    )


def _smaller(model: ModelConfig, batch_size: int) -> Iterator[tuple[ModelConfig, int]]:
    """Smaller and smaller sizes: rows first, then units."""
    while True:
        rows = batch_size
        while rows > 8:
            rows //= 2
            yield model, rows
        if model.hidden_size < 64:
            return
        model = model.with_(hidden_size=model.hidden_size // 2)
        yield model, batch_size
