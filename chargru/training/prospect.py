"""What a training's text says about it: the landmarks, and the loss that it leads to expect."""

from __future__ import annotations

from collections.abc import Callable

from chargru.config import ModelConfig, TrainingConfig
from chargru.events import Landmarks
from chargru.training.difficulty import Difficulty, difficulty
from chargru.training.forecast import likely_loss
from chargru.training.landmarks import landmarks
from chargru.training.material import Material


class Prospect:
    """Works out the landmarks and the difficulty of a text, which may be done in another thread."""

    def __init__(self, material: Material, model: ModelConfig, training: TrainingConfig) -> None:
        self._text = (material.train, material.val, model.vocab_size)
        self._model, self._window = model, training.batch_size * training.seq_len
        self._difficulty: Difficulty | None = None

    def work_out(self, should_stop: Callable[[], bool], *, with_landmarks: bool) -> Landmarks | None:
        """The landmarks, if they are asked for and there are any; from then on `foreseen` knows the text."""
        found = landmarks(*self._text, should_stop) if with_landmarks else None
        if not should_stop():
            self._difficulty = difficulty(*self._text)
        return found

    def foreseen(self, updates: float) -> float | None:
        """The loss to be expected after so many updates; None while nothing is known."""
        if self._difficulty is None or updates <= 0:
            return None
        return likely_loss(self._difficulty, self._model, len(self._text[0]), updates, updates * self._window)
