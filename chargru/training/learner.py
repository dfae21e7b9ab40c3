"""The state that learns: network, optimizer and place in the text; one update at a time, and back to a good one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import Adam, Crew, Network, Parameters, Regularization, generator, global_norm
from chargru.storage.checkpoint import Checkpoint
from chargru.text.stream import WindowStream

Array = npt.NDArray[Any]

_FORGETTING = 2_000_000  # the part number of these draws, beyond those of shards and weights


@dataclass(frozen=True)
class Update:
    """What one update was made from: the window's loss in nats per character, and the gradient's norm."""

    loss: float
    norm: float

    @property
    def finite(self) -> bool:
        """Whether anything was learned: with a loss or a gradient that is not finite, nothing was."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


class Learns(Protocol):
    """What a trainer needs of the state that learns: `Learner`, or its twin on a device."""

    @property
    def averaged(self) -> Parameters:
        """The averaged weights, where evaluations and samples are computed."""

    @property
    def step(self) -> int:
        """Updates done, those that are only queued counted in."""

    @property
    def position(self) -> int:
        """Characters that each reader of the text has consumed."""

    @property
    def epoch(self) -> float:
        """How often the text has been read."""

    def update(self, rate: float) -> Sequence[Update]:
        """Learn the next window; what has become known of this update and those before it, perhaps nothing yet."""

    def settle(self) -> Sequence[Update]:
        """Wait for every update that was not told of yet."""

    def arrays(self) -> tuple[Array, ...]:
        """Weights, averages, both moments (P,) each, and the hidden state (L, B, H), on the host."""

    def remember(self) -> None:
        """This state is a good one to fall back to."""

    def fall_back(self) -> None:
        """Return to the last good state."""


@dataclass(frozen=True)
class _Good:
    """A state to fall back to."""

    arrays: tuple[Array, ...]
    step: int
    position: int


class Learner:
    """Everything that an update changes, and nothing else; a checkpoint holds all of it."""

    def __init__(
        self, ids: Array, model: ModelConfig, training: TrainingConfig, crew: Crew, resume: Checkpoint | None = None
    ) -> None:
        self._training, self._crew = training, crew
        dtype, shape = training.dtype, (training.batch_size, training.seq_len)
        initial = None if resume else Parameters.initial(model, training.seed, dtype)
        weights = initial or Parameters(model, dtype, resume.weights if resume else None)
        self.network = Network(model, *shape, dtype, crew=crew)
        assert self.network.gradients is not None
        self._gradients = self.network.gradients
        self._adam = Adam(weights, training, crew)
        self.stream = WindowStream(ids, *shape, resume.position if resume else 0)
        if resume is not None:
            self._adam.step = resume.step
            kept = (resume.weights, resume.averaged, resume.adam_m, resume.adam_v, resume.state)
            for current, saved in zip(self.arrays(), kept, strict=True):
                current[:] = saved
        self._good = self._copy()

    @property
    def parameters(self) -> Parameters:
        """The weights being trained."""
        return self._adam.parameters

    @property
    def averaged(self) -> Parameters:
        """The averaged weights: what is evaluated and sampled."""
        return self._adam.averaged

    @property
    def step(self) -> int:
        """Updates done."""
        return self._adam.step

    def arrays(self) -> tuple[Array, ...]:
        """Weights, averages, both moments (P,) each, and the hidden state (L, B, H); the arrays themselves."""
        adam = self._adam
        return (adam.parameters.flat, adam.averaged.flat, adam.m, adam.v, self.network.state)

    @property
    def position(self) -> int:
        """Characters that each reader of the text has consumed."""
        return self.stream.position

    @property
    def epoch(self) -> float:
        """How often the text has been read, all readers together."""
        return self.stream.epoch

    def update(self, rate: float) -> Sequence[Update]:
        """Learn the next window; nothing is learned if its loss or gradient is not finite."""
        inputs, targets = self.stream.next_window()
        training = self._training
        if training.state_reset > 0:
            draws = generator(training.seed, self.step, _FORGETTING).random(training.batch_size)
            self.network.state[:, draws < training.state_reset] = 0
        drop = Regularization(training.dropout, training.weight_drop, training.seed, self.step)
        loss = self.network.loss_and_gradients(self.parameters, inputs, targets, drop)
        norm = global_norm(self._gradients) if math.isfinite(loss) else math.nan
        if math.isfinite(norm):
            self._adam.update(self._gradients, norm, rate)
        return (Update(loss, norm),)

    def settle(self) -> Sequence[Update]:
        """Nothing ever waits here."""
        return ()

    def remember(self) -> None:
        """This state is a good one to fall back to."""
        self._good = self._copy()

    def fall_back(self) -> None:
        """Return to the last good state."""
        for current, kept in zip(self.arrays(), self._good.arrays, strict=True):
            current[:] = kept
        self._adam.step, self.stream.position = self._good.step, self._good.position

    def _copy(self) -> _Good:
        return _Good(tuple(array.copy() for array in self.arrays()), self.step, self.stream.position)
