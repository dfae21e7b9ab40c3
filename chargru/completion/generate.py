"""Characters drawn one after the other from a model, N completions side by side."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.completion.quiet import one_blas_thread
from chargru.config import SamplingConfig
from chargru.engine import Parameters, Stepper, draw, surprisal
from chargru.text.vocabulary import Vocabulary

Array = npt.NDArray[Any]
_SCORED = 8  # steps whose logits wait to be scored together


def opening(vocabulary: Vocabulary) -> Array:
    """What stands before an empty prompt: a line break if the text had one, else its lowest character. (1,) ids."""
    start = ord("\n") if ord("\n") in vocabulary.code_points else vocabulary.code_points[0]
    return vocabulary.encode(chr(start))


@dataclass(frozen=True, eq=False)
class Start:
    """Where completions begin: the state (L, 1, H) and the logits (1, V) after a prompt that was read already.

    `stepper` lends its packed weights, nothing else.
    """

    state: Array
    logits: Array
    stepper: Stepper


class Texts:
    """`count` continuations of one prompt, as far as they have been drawn.

    `texts` is the whole of every continuation so far (the prompt not included), `stopped[i]` whether it met the stop
    text, which it then ends with. Memory does not grow with the length beyond the texts themselves and four bytes for
    the surprisal of each character.
    """

    def __init__(self, vocabulary: Vocabulary, config: SamplingConfig) -> None:
        self.config = config
        self._pieces: list[list[str]] = [[] for _ in range(config.count)]
        self._tails = [""] * config.count  # the last characters, where a stop text may have begun
        self.stopped = [False] * config.count
        self._surprisals = [array("f") for _ in range(config.count)]
        self._vocabulary = vocabulary

    @property
    def texts(self) -> list[str]:
        return ["".join(pieces) for pieces in self._pieces]

    @property
    def surprisals(self) -> list[Array]:
        """Nats of each character drawn so far, under the model at temperature 1: (n,) float32 for each continuation.

        What the model thinks of its own text: temperature, top-k and the like choose, they do not score.
        """
        return [np.array(each, np.float32) for each in self._surprisals]

    @property
    def scores(self) -> list[float]:
        """The mean log-probability (nats, at most 0) of each continuation's characters so far; 0 while it has none."""
        return [-math.fsum(each) / len(each) if each else 0.0 for each in self._surprisals]

    def __iter__(self) -> Iterator[list[str]]:
        """Draw (once): for each continuation, the text it gained since the last time."""
        raise NotImplementedError

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


class Completion(Texts):
    """Continuations drawn with NumPy; a chunk is up to `chunk` characters."""

    def __init__(
        self,
        parameters: Parameters,
        vocabulary: Vocabulary,
        prompt: Array,
        config: SamplingConfig,
        *,
        chunk: int = 8,
        start: Start | None = None,
        like: Stepper | None = None,
    ) -> None:
        """`start`: where the reading of `prompt` has led; without it the prompt is read when the iteration begins.

        `like`: a stepper of the same parameters, whose packed weights are then shared.
        """
        super().__init__(vocabulary, config)
        self._lengths = [0] * config.count
        self._prompt = prompt if len(prompt) else opening(vocabulary)
        self._parameters = parameters
        self._chunk = chunk
        self._start = start
        self._like = like

    def __iter__(self) -> Iterator[list[str]]:
        config = self.config
        rng = np.random.default_rng(config.seed)
        stepper, logits = self._begin()
        pending: list[list[int]] = [[] for _ in range(config.count)]
        unscored: list[tuple[Array, Array]] = []  # logits and what was drawn from them; scored a few steps at a time
        for written in range(1, config.length + 1):
            ids = draw(logits, config, rng)
            unscored.append((logits.copy(), ids))
            for row, each in enumerate(ids.tolist()):
                if not self.stopped[row]:
                    pending[row].append(each)
                    self._lengths[row] += 1
                    self.stopped[row] = self._meets_stop(row, pending[row])
            done = written == config.length or all(self.stopped)
            due = done or written % self._chunk == 0
            if due or len(unscored) == _SCORED:
                self._score(unscored)
            if due:
                yield self._flush(pending)
            if done:
                return
            with one_blas_thread:
                logits = stepper.step(ids)

    def _score(self, unscored: list[tuple[Array, Array]]) -> None:
        """Add the surprisals of the last few steps; a continuation that has stopped gets only those of its own."""
        logits, ids = (np.concatenate(each) for each in zip(*unscored, strict=True))
        nats = surprisal(logits, ids).reshape(len(unscored), -1)  # (steps, N)
        for row, each in enumerate(self._surprisals):
            each.extend(nats[: self._lengths[row] - len(each), row])
        unscored.clear()

    def _begin(self) -> tuple[Stepper, Array]:
        """A stepper that stands after the prompt in every row, and the logits (N, V) there."""
        count, start = self.config.count, self._start
        if start is None:
            reader = Stepper(self._parameters, like=self._like)
            with one_blas_thread:
                start = Start(reader.h, reader.read(self._prompt), reader)
        stepper = Stepper(self._parameters, count, like=start.stepper)
        stepper.h[:] = start.state
        return stepper, np.repeat(start.logits, count, axis=0)
