"""The state that learns, on a device: updates are queued there, and their losses read now and then.

Reading a loss waits for the device, and while the host then prepares the next update the device has nothing to do. So
updates are queued for about a tenth of a second and read together, which is soon enough for a chart, for a word of the
user's and for a loss that is not finite: the device itself lets no such update change anything. No more are queued than
CUDA takes before it makes the host wait for room, which takes all of a core; the wait for a loss takes none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import Parameters
from chargru.engine.device import Device
from chargru.engine.device_lesson import DeviceLesson
from chargru.storage.checkpoint import Checkpoint
from chargru.training.learner import Update

Array = npt.NDArray[Any]

SECONDS = 0.1  # of queued work, about
MOST = 256  # updates queued at once
PENDING = 480  # launches, of some thousand that CUDA takes; a product of cuBLAS's may be two


class DeviceLearner:
    """`Learner` on a device; a checkpoint holds the same numbers, so either goes on where the other stopped."""

    def __init__(
        self,
        device: Device,
        ids: Array,
        model: ModelConfig,
        training: TrainingConfig,
        resume: Checkpoint | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Raises BackendError when the device's memory is too small."""
        kept, step, position = None, 0, 0
        if resume is not None:
            kept = (resume.weights, resume.averaged, resume.adam_m, resume.adam_v, resume.state)
            step, position = resume.step, resume.position
        self._lesson = DeviceLesson(device, ids, model, training, arrays=kept, step=step, position=position)
        self._lesson.remember()
        self._clock = clock
        self._queued, self._since, self._wanted = 0, 0.0, 1

    @property
    def parameters(self) -> Parameters:
        """The weights being trained, over a device buffer."""
        return self._lesson.parameters

    @property
    def averaged(self) -> Parameters:
        """The averaged weights, over a device buffer."""
        return self._lesson.averaged

    @property
    def step(self) -> int:
        """Updates queued so far."""
        return self._lesson.step

    @property
    def position(self) -> int:
        """Characters that each reader of the text has consumed."""
        return self._lesson.position

    @property
    def epoch(self) -> float:
        """How often the text has been read."""
        return self._lesson.epoch

    def update(self, rate: float) -> Sequence[Update]:
        """Queue an update; tells of it and of those before it when so many are queued that it is time to wait."""
        if self._queued == 0:
            self._since = self._clock()
        self._lesson.update(rate)
        self._queued += 1
        return self.settle() if self._queued >= self._wanted else ()

    def settle(self) -> Sequence[Update]:
        """Wait for every update that was not told of yet."""
        if self._queued == 0:
            return ()
        updates = [Update(loss, norm) for loss, norm in self._lesson.collect()]
        seconds = max(1e-9, self._clock() - self._since)
        room = min(MOST, PENDING // self._lesson.launches)
        # never more than twice as many as before: the first updates of all compile and capture
        self._wanted = max(1, min(room, 2 * self._wanted, int(SECONDS * self._queued / seconds)))
        self._queued = 0
        return updates

    def arrays(self) -> tuple[Array, ...]:
        """Copies on the host: weights, averages, both moments (P,) each, and the hidden state (L, B, H)."""
        return self._lesson.arrays()

    def remember(self) -> None:
        """This state is a good one to fall back to."""
        self._lesson.remember()

    def fall_back(self) -> None:
        """Return to the last good state; what was queued since and not told of is forgotten."""
        self.settle()
        self._lesson.fall_back()
