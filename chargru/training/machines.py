"""What computes a training, as far as a forecast has to know: this processor, or a GPU that somebody has looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chargru.config import ModelConfig
from chargru.training import autotune, device_memory, device_sizes
from chargru.training.autotune import Sizes
from chargru.training.device_speed import DeviceSpeed
from chargru.training.speed import characters_in, updates_in


class Machine(Protocol):
    """Sizes for a budget of time, and how many updates it holds."""

    @property
    def name(self) -> str:
        """As people know it; empty for this processor."""

    def sizes(self, seconds: float, characters: int, vocab_size: int) -> Sizes:
        """What `--time` chooses for a text of so many characters to be learned."""

    def updates_in(self, seconds: float, model: ModelConfig, batch_size: int, seq_len: int, val_chars: int) -> float:
        """About how many updates the budget holds, at least 1."""


@dataclass(frozen=True)
class Processor:
    """This machine's processor, `speed` operations a second (`machine_speed`)."""

    speed: float
    name: str = ""

    def sizes(self, seconds: float, characters: int, vocab_size: int) -> Sizes:
        return autotune.choose(characters, vocab_size, characters_in(seconds, vocab_size, self.speed))

    def updates_in(self, seconds: float, model: ModelConfig, batch_size: int, seq_len: int, val_chars: int) -> float:
        return updates_in(seconds, model, batch_size, seq_len, val_chars, self.speed)


@dataclass(frozen=True)
class Gpu:
    """A GPU by what was measured on it; nothing of it is touched here. `free` bytes of its memory."""

    name: str
    free: int
    speed: DeviceSpeed

    def sizes(self, seconds: float, characters: int, vocab_size: int) -> Sizes:
        return sizes_on_gpu({"time": seconds}, characters, vocab_size, lambda: self.speed, self.free)

    def updates_in(self, seconds: float, model: ModelConfig, batch_size: int, seq_len: int, val_chars: int) -> float:
        return self.speed.updates_in(seconds, model, batch_size, seq_len, val_chars)


def sizes_on_gpu(
    budget: Mapping[str, float],
    characters: int,
    vocab_size: int,
    speed: Callable[[], DeviceSpeed],
    free: int,
    *,
    batch_size: int | None = None,
    seq_len: int | None = None,
) -> Sizes:
    """Sizes for a GPU with so many bytes free; `budget` has one of time, steps and epochs, `speed` is for one of time.

    `batch_size` and `seq_len` are those given by hand.
    """
    steps = seq_len or autotune.SEQ_LEN

    def updates(hidden_size: int, num_layers: int, rows: int) -> float:
        rows = batch_size or rows
        if "steps" in budget:
            return float(budget["steps"])
        if "epochs" in budget:
            return budget["epochs"] * characters / (rows * steps)
        return budget["time"] / speed().update_seconds(ModelConfig(vocab_size, hidden_size, num_layers), rows, steps)

    def fits(hidden_size: int, num_layers: int, rows: int) -> bool:
        model = ModelConfig(vocab_size, hidden_size, num_layers)
        return device_memory.fits(free, model, batch_size or rows, steps, characters)

    return device_sizes.choose(characters, updates, fits, timed="time" in budget)
