"""What a training's text says about it: the landmarks, and the loss that it leads to expect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chargru.config import ModelConfig, TrainingConfig
from chargru.events import Landmarks
from chargru.training.difficulty import difficulty
from chargru.training.forecast import Forecast, forecast_training
from chargru.training.landmarks import landmarks
from chargru.training.likely import likely_loss
from chargru.training.material import Material
from chargru.training.pilot import Pilot, pilot, pilot_seconds
from chargru.training.prior import Prior
from chargru.training.speed import update_seconds

_SHARE = 0.05  # of the work that the budget holds, for a pilot at most


class Prospect:
    """Works out, once, what there is to know of a text; another thread may do it while a training goes on."""

    def __init__(
        self, material: Material, model: ModelConfig, training: TrainingConfig, pilot: Pilot | None = None
    ) -> None:
        """`pilot`: what is known of one already."""
        self._text = (material.train, material.val, model.vocab_size)
        self._model, self._shape = model, (training.batch_size, training.seq_len)
        self._window = training.batch_size * training.seq_len
        self._pilot = pilot
        self._prior: Prior | None = None

    def look(self) -> None:
        """Find out how hard the text is."""
        if self._prior is None and (hard := difficulty(*self._text)) is not None:
            self._prior = Prior(hard, self._pilot)

    def look_closely(self, updates: float, threads: int) -> None:
        """The same; and by a pilot on so many threads, if that is little work beside all `updates` of the budget."""
        self.look()
        if self._prior is not None and self._prior.pilot is None and self.bears_pilot(updates):
            self._prior = replace(self._prior, pilot=pilot(*self._text, threads))

    def bears_pilot(self, updates: float) -> bool:
        """Whether a pilot is little work beside so many updates."""
        speed = 1.0  # whatever it is: both are that of this machine
        work = updates * update_seconds(self._model, *self._shape, speed)
        return pilot_seconds(self._model.vocab_size, speed) <= _SHARE * work

    def landmarks(self, should_stop: Callable[[], bool]) -> Landmarks | None:
        """The losses of simple models on it."""
        return landmarks(*self._text, should_stop)

    def forecast(self, updates: float) -> Forecast:
        """What a training of so many updates will be like."""
        return forecast_training(self._prior, self._model, len(self._text[0]), updates, updates * self._window)

    def foreseen(self, updates: float) -> float | None:
        """The loss to be expected after so many updates; None while nothing is known."""
        prior = self._prior
        if prior is None or updates <= 0:
            return None
        return likely_loss(prior, self._model, len(self._text[0]), updates, updates * self._window)
