"""Where a training computes: this processor, or (`device_place`) a GPU."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self

import numpy.typing as npt

from chargru.completion.generate import Completion
from chargru.config import ModelConfig, SamplingConfig, TrainingConfig
from chargru.engine import Parameters, compiles, crew_for
from chargru.storage.checkpoint import Checkpoint
from chargru.text.vocabulary import Vocabulary
from chargru.training.clock import resident_memory
from chargru.training.evaluation import Scorers, on_processor
from chargru.training.learner import Learner, Learns
from chargru.training.speed import machine_speed, operations, updates_in

Array = npt.NDArray[Any]


class Place(Protocol):
    """What a trainer needs of the place where it computes; a context manager while it is at work."""

    @property
    def scorers(self) -> Scorers:
        """Networks for evaluations."""

    def learner(self, ids: Array, resume: Checkpoint | None) -> Learns:
        """The state that learns `ids` (n,), new or that of a checkpoint."""

    def brought(self, weights: Array) -> Array:
        """A copy of a buffer of weights (P,) here, from the host's memory."""

    def sample(self, parameters: Parameters, vocabulary: Vocabulary, prompt: Array, config: SamplingConfig) -> str:
        """One continuation of the ids `prompt`."""

    def updates_in(self, seconds: float, val_chars: int) -> float:
        """About how many updates a budget of time holds here, for a held-out part of so many characters."""

    @property
    def memory(self) -> int:
        """Bytes of the host's memory that training takes."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class OnProcessor:
    """NumPy, on so many threads or processes."""

    def __init__(self, model: ModelConfig, training: TrainingConfig, threads: int) -> None:
        self._model, self._training, self._threads = model, training, threads
        window = operations(model, training.batch_size, training.seq_len)
        compiled = compiles(model.hidden_size, training.dtype)
        self._crew = crew_for(threads, training.batch_size, window, compiled=compiled)
        self.scorers = on_processor(self._crew, training.dtype)

    def learner(self, ids: Array, resume: Checkpoint | None) -> Learner:
        return Learner(ids, self._model, self._training, self._crew, resume)

    def brought(self, weights: Array) -> Array:
        return weights.copy()

    def sample(self, parameters: Parameters, vocabulary: Vocabulary, prompt: Array, config: SamplingConfig) -> str:
        completion = Completion(parameters, vocabulary, prompt, config, chunk=config.length)
        for _ in completion:
            pass
        return completion.texts[0]

    def updates_in(self, seconds: float, val_chars: int) -> float:
        training, speed = self._training, machine_speed(self._threads)  # known since the sizes were chosen
        return updates_in(seconds, self._model, training.batch_size, training.seq_len, val_chars, speed)

    @property
    def memory(self) -> int:
        return resident_memory(self._crew.helpers.pids if self._crew.helpers else ())

    def __enter__(self) -> Self:
        self._crew.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._crew.__exit__(kind, error, trace)
