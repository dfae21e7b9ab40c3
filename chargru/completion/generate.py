"""Characters drawn one after the other from a model, N completions side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.config import SamplingConfig
from chargru.engine import Parameters, Stepper, draw
from chargru.text.vocabulary import Vocabulary

Array = npt.NDArray[Any]


def opening(vocabulary: Vocabulary) -> Array:
    """What stands before an empty prompt: a line break if the text had one, else its lowest character. (1,) ids."""
    start = ord("\n") if ord("\n") in vocabulary.code_points else vocabulary.code_points[0]
    return vocabulary.encode(chr(start))


class Completion:
    """`count` continuations of one prompt; iterating yields, for each, the text it gained since the last time.

    `texts` is the whole of every continuation so far (the prompt not included), `stopped[i]` whether it met the stop
    text, which it then ends with. A chunk is up to `chunk` characters; memory does not grow with the length beyond
    the texts themselves.
    """

    def __init__(
        self,
        parameters: Parameters,
        vocabulary: Vocabulary,
        prompt: Array,
        config: SamplingConfig,
        *,
        chunk: int = 8,
    ) -> None:
        self.config = config
        self._pieces: list[list[str]] = [[] for _ in range(config.count)]
        self._tails = [""] * config.count  # the last characters, where a stop text may have begun
        self.stopped = [False] * config.count
        self._vocabulary = vocabulary
        self._prompt = prompt if len(prompt) else opening(vocabulary)
        self._parameters = parameters
        self._chunk = chunk

    @property
    def texts(self) -> list[str]:
        return ["".join(pieces) for pieces in self._pieces]

    def __iter__(self) -> Iterator[list[str]]:
        config = self.config
        rng = np.random.default_rng(config.seed)
        reader = Stepper(self._parameters)
        logits = np.repeat(reader.read(self._prompt), config.count, axis=0)
        stepper = Stepper(self._parameters, config.count)
        stepper.h[:] = reader.h
        pending: list[list[int]] = [[] for _ in range(config.count)]
        for written in range(1, config.length + 1):
            ids = draw(logits, config, rng)
            for row, each in enumerate(ids):
                if not self.stopped[row]:
                    pending[row].append(int(each))
                    self.stopped[row] = self._meets_stop(row, pending[row])
            done = written == config.length or all(self.stopped)
            if done or written % self._chunk == 0:
                yield self._flush(pending)
            if done:
                return
            logits = stepper.step(ids)

    def _meets_stop(self, row: int, pending: list[int]) -> bool:
        stop = self.config.stop
        if not stop:
            return False
        recent = self._vocabulary.decode(np.array(pending[-len(stop) :], np.intp))
        return (self._tails[row] + recent).endswith(stop)

    def _flush(self, pending: list[list[int]]) -> list[str]:
        gained = [self._vocabulary.decode(np.array(ids, np.intp)) if ids else "" for ids in pending]
        for row, text in enumerate(gained):
            self._pieces[row].append(text)
            if self.config.stop:
                self._tails[row] = (self._tails[row] + text)[-len(self.config.stop) :]
            pending[row].clear()
        return gained
