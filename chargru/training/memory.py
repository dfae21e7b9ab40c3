"""What a training would take, before anything is allocated: impossible sizes get one clear line."""

from __future__ import annotations

from pathlib import Path

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import parameter_count
from chargru.errors import ConfigError


def bytes_needed(model: ModelConfig, training: TrainingConfig, threads: int) -> int:
    """A close upper estimate of the arrays of one training, in bytes."""
    P, L, H, V = parameter_count(model), model.num_layers, model.hidden_size, model.vocab_size
    rows = training.batch_size * training.seq_len
    size = 8 if training.dtype == "float64" else 4
    # weights, average, moments, best, fall-back, shared weights; of each thread or helper a gradient, packed and masked
    # weights, and an interpreter
    whole = P * (11 + 5 * threads)
    window = rows * (L * H * 12 + V)
    return (whole + window) * size + 60_000_000 * threads


def available_memory() -> int | None:
    """Bytes that a new process could use without swapping, None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def refuse_impossible(model: ModelConfig, training: TrainingConfig, threads: int) -> None:
    """Raise ConfigError when the sizes cannot fit this machine's memory."""
    needed, available = bytes_needed(model, training, threads), available_memory()
    if available is not None and needed > 0.9 * available:
        raise ConfigError(
            f"{model.num_layers} × {model.hidden_size} units with batch size {training.batch_size} and windows of "
            f"{training.seq_len} need about {needed / 1e9:.1f} GB, {available / 1e9:.1f} GB are free",
            "choose a smaller --hidden-size, --layers, --batch-size or --seq-len",
        )
