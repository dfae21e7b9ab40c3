"""Continuations drawn on a GPU, many side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

from chargru.completion.generate import Texts, opening
from chargru.config import ModelConfig, SamplingConfig
from chargru.engine import Parameters, flops_per_character
from chargru.engine.backend import explained
from chargru.engine.device import Device
from chargru.engine.device_sampling import sample_many
from chargru.text.vocabulary import Vocabulary

Array = npt.NDArray[Any]

WORTH, WORTH_READY = 2e11, 5e10
"""Operations from which on a GPU is worth the seconds that it takes to be ready, and one that is ready is worth asking:
half a second of two cores. Estimates, never measured."""


def operations(model: ModelConfig, config: SamplingConfig) -> float:
    """Floating-point operations of the characters that are to be drawn."""
    return config.count * config.length * forward_operations(model)


def forward_operations(model: ModelConfig) -> float:
    """Floating-point operations of a character that is only read or drawn."""
    return flops_per_character(model.hidden_size, model.num_layers, model.vocab_size) / 3


class DeviceCompletion(Texts):
    """`chargru.completion.generate.Completion` on a device: the same but for the random numbers it draws with."""

    def __init__(
        self,
        device: Device,
        parameters: Parameters,
        vocabulary: Vocabulary,
        prompt: Array,
        config: SamplingConfig,
        *,
        chunk: int = 32,
    ) -> None:
        """`parameters` are over a host or a device buffer."""
        super().__init__(vocabulary, config)
        self._device, self._parameters = device, parameters
        self._prompt = prompt if len(prompt) else opening(vocabulary)
        self._chunk = chunk

    def __iter__(self) -> Iterator[list[str]]:
        """Raises BackendError for what CUDA or CuPy raised meanwhile."""
        with explained():
            yield from self._drawn()

    def _drawn(self) -> Iterator[list[str]]:
        config = self.config
        pending: list[list[int]] = [[] for _ in range(config.count)]
        if config.length == 0:
            return
        for ids, nats in sample_many(self._device, self._parameters, [self._prompt], config, chunk=self._chunk):
            for row in range(config.count):
                if self.stopped[row]:
                    continue
                drawn = ids[row].tolist()
                if config.stop:
                    drawn = self._until_stop(row, drawn, pending[row])
                else:
                    pending[row].extend(drawn)
                self._surprisals[row].extend(nats[row, : len(drawn)].tolist())
            yield self._flush(pending)
            if all(self.stopped):
                return

    def _until_stop(self, row: int, drawn: list[int], pending: list[int]) -> list[int]:
        """Take over what was drawn, up to the stop text if it is met: as much as was taken."""
        for count, each in enumerate(drawn, 1):
            pending.append(each)
            if self._meets_stop(row, pending):
                self.stopped[row] = True
                return drawn[:count]
        return drawn
