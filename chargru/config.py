"""The settings of the model, of training and of sampling: one definition serves flags, files and checkpoints.

Each setting is a dataclass field whose metadata hold its help text and its range; `ModelConfig(...)` and the others
check every field when they are made, so a value of one of these classes is always a possible one. Standard library
only: the engine reads these and must import nothing but NumPy.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from chargru.errors import ConfigError

PRECISIONS = ("float32", "tf32", "bf16")
"""What the time steps of a GPU multiply; with both others its large products are TF32's."""


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field with its help text and its inclusive range (or its choices)."""
    return field(default=default, metadata={"help": help, "low": low, "high": high, "choices": choices})


class Settings:
    """What the three configurations share: checking, and the way to and from plain dictionaries."""

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for each in dataclasses.fields(self):  # type: ignore[arg-type]
            _check(each.name, getattr(self, each.name), hints[each.name], each.metadata)

    def to_dict(self) -> dict[str, Any]:
        """The settings as a dictionary of plain values, in their order of definition."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; unknown names and wrong types raise ConfigError, missing names take defaults."""
        unknown = set(values) - {each.name for each in dataclasses.fields(cls)}  # type: ignore[arg-type]
        if unknown:
            raise ConfigError(f"unknown setting: {', '.join(sorted(unknown))}")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})

    def with_(self, **changes: Any) -> Self:
        """A copy with these settings changed (checked again)."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


def _written(value: float) -> str:
    try:
        return f"{value:g}"
    except OverflowError:  # a whole number beyond what a float can hold
        return "a number that large"


def _check(name: str, value: Any, hint: Any, metadata: Mapping[str, Any]) -> None:
    """Raise ConfigError unless `value` has the type of the field and lies in its range."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in options:
        return
    kinds = tuple(typing.get_origin(each) or each for each in options if each is not type(None))
    right = isinstance(value, kinds) or (float in kinds and isinstance(value, int))
    if not right or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(each.__name__ for each in kinds)
        raise ConfigError(f"{name} must be {expected}, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name} must be a finite number, not {value!r}")
    low, high, choices = metadata.get("low"), metadata.get("high"), metadata.get("choices")
    if low is not None and value < low:
        raise ConfigError(f"{name} must be at least {low:g}, not {_written(value)}")
    if high is not None and value > high:
        raise ConfigError(f"{name} must be at most {high:g}, not {_written(value)}")
    if choices and value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


@dataclass(frozen=True)
class ModelConfig(Settings):
    """The shape of the network; with the vocabulary it fixes every parameter's shape."""

    vocab_size: int = setting(1, "distinct characters", low=1, high=200_000)
    hidden_size: int = setting(256, "units in each GRU layer", low=1, high=8192)
    num_layers: int = setting(1, "GRU layers on top of each other", low=1, high=6)


@dataclass(frozen=True)
class TrainingConfig(Settings):
    """How the network is trained. Exactly one of `time`, `steps` and `epochs` is the budget."""

    time: float | None = setting(None, "budget: seconds of wall-clock time", low=1, high=30 * 86400)
    steps: int | None = setting(None, "budget: updates", low=1, high=10**9)
    epochs: float | None = setting(None, "budget: passes over the training text", low=0.001, high=10**6)
    batch_size: int = setting(32, "streams of text read side by side", low=1, high=4096)
    seq_len: int = setting(64, "characters between two updates (window of back-propagation)", low=1, high=4096)
    learning_rate: float = setting(6e-3, "peak learning rate of Adam", low=1e-8, high=1e20)
    warmup: float = setting(0.02, "fraction of the budget in which the rate rises", low=0, high=1)
    final_rate: float = setting(0.02, "last learning rate, as a fraction of the peak", low=0, high=1)
    beta1: float = setting(0.9, "Adam's decay of the mean", low=0, high=0.9999)
    beta2: float = setting(0.99, "Adam's decay of the square", low=0, high=0.999999)
    epsilon: float = setting(1e-8, "Adam's guard against division by zero", low=1e-16, high=1)
    weight_decay: float = setting(0.0, "decoupled decay of the weights (not of the biases)", low=0, high=10)
    clip_norm: float = setting(1.0, "largest norm of the whole gradient", low=1e-6, high=1e6)
    averaging: float = setting(0.995, "decay of the averaged weights, 0 for none", low=0, high=0.99999)
    dropout: float = setting(0.0, "dropout of what the output layer sees", low=0, high=0.95)
    weight_drop: float = setting(0.0, "dropout of single recurrent weights", low=0, high=0.95)
    state_reset: float = setting(0.0, "how often a stream forgets its state before a window", low=0, high=1)
    val_fraction: float = setting(0.1, "tail of the text held out for validation", low=0, high=0.5)
    evaluations: int = setting(40, "evaluations over the whole budget", low=1, high=100_000)
    threads: int = setting(0, "processor threads, 0 for one per core", low=0, high=256)
    seed: int = setting(1, "seed of initial weights and dropout", low=0, high=2**63 - 1)
    dtype: str = setting("float32", "number format of the weights", choices=("float32", "float64"))
    precision: str = setting("float32", "numbers that a GPU multiplies; sums stay float32", choices=PRECISIONS)

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [name for name in ("time", "steps", "epochs") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ConfigError(f"exactly one of time, steps and epochs is the budget, got {', '.join(given) or 'none'}")


@dataclass(frozen=True)
class SamplingConfig(Settings):
    """How characters are drawn from the network's distribution."""

    length: int = setting(200, "characters to write", low=0, high=10**9)
    count: int = setting(1, "completions to write side by side", low=1, high=4096)
    temperature: float = setting(0.8, "0 takes the likeliest character, 1 samples as learned", low=0, high=100)
    top_k: int = setting(0, "draw among the k likeliest only, 0 for all", low=0, high=200_000)
    top_p: float = setting(1.0, "draw among the likeliest that sum to p", low=0, high=1)
    min_p: float = setting(0.0, "drop what is less likely than this fraction of the likeliest", low=0, high=1)
    stop: str | None = setting(None, "end a completion after this text")
    seed: int | None = setting(None, "seed of the draws; without it every call differs", low=0, high=2**63 - 1)


@dataclass(frozen=True)
class TrainRequest(Settings):
    """What a face asks of training: a text, a budget, and the settings that the user gave by hand.

    A setting left at None is chosen for the text, the budget and this machine (`chargru.training.autotune`).
    """

    corpus: str | None = setting(None, "a name from `chargru corpora`, a file, a directory, or - for standard input")
    resume: str | None = setting(None, "a run or a checkpoint to go on with")
    name: str | None = setting(None, "name of the run; made from the corpus and the date otherwise")
    out: str | None = setting(None, "directory in which runs are kept")
    encoding: str | None = setting(None, "encoding of the text; found out otherwise")
    replace_bad_bytes: bool = setting(False, "read undecodable bytes as the replacement character instead of refusing")
    backend: str = setting("auto", "where arrays live", choices=("auto", "numpy", "cupy"))
    precision: str | None = setting(None, "numbers that a GPU multiplies; sums stay float32", choices=PRECISIONS)
    time: float | None = setting(None, "budget: seconds of wall-clock time", low=1, high=30 * 86400)
    steps: int | None = setting(None, "budget: updates", low=1, high=10**9)
    epochs: float | None = setting(None, "budget: passes over the training text", low=0.001, high=10**6)
    hidden_size: int | None = setting(None, "units in each GRU layer", low=1, high=8192)
    num_layers: int | None = setting(None, "GRU layers on top of each other", low=1, high=6)
    batch_size: int | None = setting(None, "streams of text read side by side", low=1, high=4096)
    seq_len: int | None = setting(None, "characters between two updates", low=1, high=4096)
    learning_rate: float | None = setting(None, "peak learning rate", low=1e-8, high=1e20)
    dropout: float | None = setting(None, "dropout of what the output layer sees", low=0, high=0.95)
    weight_drop: float | None = setting(None, "dropout of single recurrent weights", low=0, high=0.95)
    state_reset: float | None = setting(None, "how often a stream forgets its state before a window", low=0, high=1)
    averaging: float | None = setting(None, "decay of the averaged weights, 0 for none", low=0, high=0.99999)
    weight_decay: float | None = setting(None, "decoupled decay of the weights", low=0, high=10)
    clip_norm: float | None = setting(None, "largest norm of the whole gradient", low=1e-6, high=1e6)
    evaluations: int | None = setting(None, "evaluations over the whole budget", low=1, high=100_000)
    threads: int | None = setting(None, "processor threads, 0 for one per core", low=0, high=256)
    seed: int | None = setting(None, "seed of initial weights and dropout", low=0, high=2**63 - 1)
    val_fraction: float | None = setting(None, "tail of the text held out for validation", low=0, high=0.5)
    sample_prompt: str = setting("", "what the samples shown during training begin with")
    pilot: tuple[float, ...] | None = setting(None, "what a pilot on this text found, if there was one")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.corpus is None and self.resume is None:
            raise ConfigError("training needs a corpus or a run to resume")
        given = [name for name in ("time", "steps", "epochs") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ConfigError(f"only one budget can be given, not {' and '.join(given)}")
