"""A training on a GPU: its learner, its evaluations and its samples all stay there; the host reads numbers."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from chargru.completion.on_device import DeviceCompletion
from chargru.config import ModelConfig, SamplingConfig, TrainingConfig
from chargru.engine import Parameters
from chargru.engine.backend import explain
from chargru.engine.device import Device
from chargru.engine.device_network import DeviceNetwork
from chargru.errors import BackendError
from chargru.storage.checkpoint import Checkpoint
from chargru.text.vocabulary import Vocabulary
from chargru.training.clock import resident_memory
from chargru.training.device_learner import DeviceLearner
from chargru.training.device_speed import device_speed
from chargru.training.evaluation import Scorer

Array = npt.NDArray[Any]

_KEPT = 2  # scorers: that of the evaluations on the way, and that of the last one


class DeviceScorer:
    """A network on the device that scores ids (steps, rows) which are on the host."""

    def __init__(self, device: Device, config: ModelConfig, rows: int, steps: int) -> None:
        self.shape = (steps, rows)
        self._device = device
        self._network = DeviceNetwork(device, config, rows, steps, train=False)

    def forget(self) -> None:
        """Begin from a cold state."""
        with self._device.active():
            self._network.state.fill(0)

    def losses(self, parameters: Parameters, inputs: Array, targets: Array, *, pack: bool = True) -> Array:
        """Losses (steps, rows) in nats; `parameters` are over a device buffer."""
        x, y = (self._device.array(np.ascontiguousarray(ids, np.int32)) for ids in (inputs, targets))
        return self._network.losses(parameters, x, y, pack=pack)


class OnDevice:
    """A place to train in (`chargru.training.place.Place`): everything that is computed, on one device."""

    def __init__(self, device: Device, model: ModelConfig, training: TrainingConfig) -> None:
        self.device = device
        self._model, self._training = model, training
        self._scorers: dict[tuple[ModelConfig, int, int], DeviceScorer] = {}
        self._active: AbstractContextManager[None] | None = None

    def learner(self, ids: Array, resume: Checkpoint | None) -> DeviceLearner:
        return DeviceLearner(self.device, ids, self._model, self._training, resume)

    def scorers(self, config: ModelConfig, rows: int, steps: int) -> Scorer:
        """A network for evaluations; the last two shapes are kept, for what they capture is worth keeping."""
        key = (config, rows, steps)
        if key not in self._scorers:
            if len(self._scorers) >= _KEPT:
                del self._scorers[next(iter(self._scorers))]
            self._scorers[key] = DeviceScorer(self.device, config, rows, steps)
        return self._scorers[key]

    def brought(self, weights: Array) -> Array:
        found: Array = self.device.array(np.ascontiguousarray(weights, np.float32))
        return found

    def sample(self, parameters: Parameters, vocabulary: Vocabulary, prompt: Array, config: SamplingConfig) -> str:
        completion = DeviceCompletion(self.device, parameters, vocabulary, prompt, config)
        for _ in completion:
            pass
        return completion.texts[0]

    def updates_in(self, seconds: float, val_chars: int) -> float:
        training = self._training
        sizes = (training.batch_size, training.seq_len, val_chars)
        return device_speed(self.device).updates_in(seconds, self._model, *sizes)

    @property
    def memory(self) -> int:
        return resident_memory()

    def __enter__(self) -> Self:
        self._active = self.device.active()
        self._active.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises BackendError for what CUDA or CuPy raised meanwhile."""
        active, self._active = self._active, None
        if active is not None:
            # after an error that CUDA does not get over, leaving fails with it once more
            with suppress(Exception) if error is not None else nullcontext():
                active.__exit__(None, None, None)
        if isinstance(error, Exception) and not isinstance(error, BackendError):
            told = explain(error, sys.modules.get("cupy"))
            if told is not None:
                hint = (
                    "go on from the last checkpoint: chargru train --resume RUN, with --backend numpy if it fails again"
                )
                raise BackendError(f"training on the GPU broke off: {told.message}", hint) from error
