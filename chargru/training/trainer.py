"""The training loop: windows in, updates done, events out. Nobody is called back."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable, Iterator, Sequence

from chargru.config import ModelConfig, SamplingConfig, TrainingConfig
from chargru.engine import Parameters
from chargru.errors import BackendError, CheckpointError, TrainingError
from chargru.events import (
    Evaluated,
    Event,
    Finished,
    Landmarks,
    Notice,
    Paused,
    Progress,
    RateChanged,
    Recovered,
    Resumed,
    Sampled,
    Saved,
    Started,
)
from chargru.storage.checkpoint import Checkpoint
from chargru.storage.runs import Run
from chargru.training.aside import Aside
from chargru.training.budget import Budget
from chargru.training.clock import Clock, Pace
from chargru.training.control import Control
from chargru.training.forecast import Forecast
from chargru.training.judge import Judge
from chargru.training.keeper import Keeper
from chargru.training.learner import Learns, Update
from chargru.training.material import Array, Material
from chargru.training.patience import Patience
from chargru.training.pilot import Pilot, pilot_seconds
from chargru.training.place import OnProcessor, Place
from chargru.training.prospect import Prospect
from chargru.training.rate import Rate
from chargru.training.recorder import Recorder
from chargru.training.speed import machine_speed
from chargru.training.validation import Validation

_PROGRESS_SECONDS = 0.2  # between two Progress events
_SAVE_SECONDS = 10.0
_SAMPLE_SECONDS = 1.5
_SAMPLE = SamplingConfig(length=240, temperature=0.8, seed=7)
_RECOVERIES = 3


class Trainer:
    """Trains one network on one text and keeps it in one run.

    `run` yields events until the budget is spent or a word of `Control` ends it. Validation and samples use the
    averaged weights and networks of their own, so they never touch the training state: with the same seed, threads and
    budget of steps, a run that was interrupted and resumed ends with the same bits as one that was not.
    """

    def __init__(
        self,
        material: Material,
        model: ModelConfig,
        training: TrainingConfig,
        run: Run,
        *,
        threads: int = 1,
        backend: str = "numpy",
        device: str = "",
        place: Place | None = None,
        resume: Checkpoint | None = None,
        best_weights: Array | None = None,
        notes: tuple[str, ...] = (),
        sample_prompt: str = "",
        pilot: Pilot | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.material, self.model, self.training, self.directory = material, model, training, run
        self._backend, self._device, self._notes, self._sample_prompt = backend, device, notes, sample_prompt
        self._threads = threads
        self._place = place or OnProcessor(model, training, threads)
        self._clock = Clock(resume.seconds if resume else 0.0, clock)
        self._pace = Pace()
        self._learner = self._place.learner(material.train, resume)
        self._rate = Rate(training, resume.lr_scale if resume else 1.0)
        self._recoveries = resume.recoveries if resume else 0
        self._keeper = Keeper(run)
        self._recorder = Recorder(run, resume.history if resume else [])
        self._budget = Budget(training, len(material.train), self._clock, self.step)
        self._prospect = Prospect(material, model, training, pilot)
        judge = Judge(material.val, self._place.scorers)
        patience = Patience.recall(resume.history if resume else [])
        self._validation = Validation(judge, patience, self._budget, self._clock, self._prospect)
        if resume is not None:
            best = None if best_weights is None else self._place.brought(best_weights)
            judge.recall(resume.val_loss, resume.best_loss, resume.best_step, best)
        self._losses: list[float] = []  # since the last Progress
        self._train_loss: float | None = None
        self._norm = 0.0

    @property
    def learner(self) -> Learns:
        """The state that learns."""
        return self._learner

    @property
    def averaged(self) -> Parameters:
        """The averaged weights: what is evaluated and sampled."""
        return self._learner.averaged

    @property
    def step(self) -> int:
        """Updates done."""
        return self._learner.step

    @property
    def fraction(self) -> float:
        """How much of the budget is spent, 0 to 1."""
        return self._budget.fraction(self.step)

    @property
    def rate_scale(self) -> float:
        """What the planned learning rates are multiplied by: recoveries and the user's words change it."""
        return self._rate.scale

    def run(self, control: Control | None = None) -> Iterator[Event]:
        """Train to the end of the budget, or until `control` says otherwise; the last event is `Finished`.

        Raises:
            TrainingError: the loss was not finite more than three times; the last good state is saved first.
            CheckpointError: training is over and nothing could be saved.
            RunError: another process is training this run.
        """
        with self.directory.lock(), self._place:
            for event in self._events(control or Control()):
                self._recorder.keep(event)
                yield event
                if trouble := self._recorder.take_trouble():
                    yield Notice(trouble)

    def forecast(self) -> Forecast:
        """What this training will be like; its budget is one of time.

        A long one is worth a pilot of some seconds.
        """
        updates = self._updates()
        self._prospect.look_closely(updates, self._threads)
        return self._prospect.forecast(updates)

    @property
    def forecast_seconds(self) -> float:
        """About how long `forecast` will take, if that is long enough for a word; else 0."""
        if not self._prospect.bears_pilot(self._updates()):
            return 0.0
        return pilot_seconds(self.model.vocab_size, machine_speed(self._threads))

    def _updates(self) -> float:
        """About how many updates the budget holds, which is one of time."""
        assert self.training.time is not None
        return self._place.updates_in(self.training.time, len(self.material.val))

    # -- the loop -----------------------------------------------------------------------------------------------------

    def _events(self, control: Control) -> Iterator[Event]:
        yield self._started()
        for note in self._notes:
            yield Notice(note)
        self._clock.start()
        with Aside(self._landmarks, "the landmarks of this text could not be worked out") as aside:
            if (evaluated := self._validation.begin(self.averaged, self.step)) is not None:
                yield evaluated
            yield from self._train(control, aside)
            yield from self._finish(control.ending or "done", aside)

    def _train(self, control: Control, aside: Aside) -> Iterator[Event]:
        budget = self._budget
        evaluations = budget.evaluations_due(self.step)
        shown = sampled = -math.inf
        saved = self._clock.elapsed
        while True:
            if self.fraction >= 1.0 or control.ending is not None:
                if self._settled():
                    return
                yield from self._recover()
                continue
            if (told := aside.take()) is not None:
                yield told
            if notches := control.take_rate():
                yield self._turn(notches)
            if control.paused:
                yield from self._pause(control) if self._settled() else self._recover()
                continue
            rate = self._rate.at(self.fraction)
            if not self._update(rate):
                yield from self._recover()
                continue
            now, due = self._clock.elapsed, budget.evaluations_due(self.step)
            evaluating = due > evaluations and self.fraction < 1.0 and budget.bears_evaluation()
            if evaluating and not self._settled():
                yield from self._recover()
                continue
            if evaluating or now - shown >= _PROGRESS_SECONDS:
                shown = now
                yield self._progress(rate)
            if evaluating:
                evaluations = due
                evaluated = self._validation.look(self.averaged, self.step, self._train_loss)
                self._learner.remember()
                if evaluated is not None:
                    yield from self._with_warning(evaluated)
                if now - sampled >= _SAMPLE_SECONDS:
                    sampled = now
                    yield self._sample()
                improved = evaluated is not None and evaluated.best_step == self.step
                if improved or now - saved >= _SAVE_SECONDS or not self._keeper.saved:
                    saved = now
                    yield self._save(best=improved)
            if control.take_save():
                if not self._settled():
                    yield from self._recover()
                saved = now
                yield self._save(best=False)

    def _update(self, rate: float) -> bool:
        """One update; False as soon as it is known of one that its loss or gradient was not finite."""
        return self._note(self._learner.update(rate))

    def _settled(self) -> bool:
        """Wait until it is known of every update; False if one was not finite."""
        return self._note(self._learner.settle())

    def _note(self, updates: Sequence[Update]) -> bool:
        for update in updates:
            if not update.finite:
                return False
            self._losses.append(update.loss)
            self._norm = update.norm
        return True

    def _pause(self, control: Control) -> Iterator[Event]:
        self._clock.stop()
        yield Paused(self.step)
        while control.paused and control.ending is None:
            control.wait_while_paused()
            if notches := control.take_rate():
                yield self._turn(notches)
            if control.take_save():
                yield self._save(best=False)
        self._pace.restart()
        self._clock.start()
        if control.ending is None:
            yield Resumed(self.step)

    def _turn(self, notches: int) -> RateChanged | Notice:
        """The user's word on the learning rate."""
        if not self._rate.turn(notches):
            way = "faster" if notches > 0 else "slower"
            return Notice(f"the learning rate is {self._rate.scale:.3g} times the plan's already: no {way} than that")
        return RateChanged(self.step, self._rate.at(self.fraction), self._rate.scale)

    def _recover(self) -> Iterator[Event]:
        """Back to the last good state with half the learning rate; the fourth time is the last."""
        failed_at = self.step
        self._learner.fall_back()
        self._losses.clear()
        self._pace.restart()
        if self._recoveries >= _RECOVERIES:
            yield self._save(best=False)
            raise TrainingError(
                f"the loss was not a finite number at step {failed_at}, after {_RECOVERIES} recoveries",
                f"train again with a smaller learning rate than {self.training.learning_rate:g}",
            )
        self._recoveries += 1
        self._rate.halve()
        rate = self._rate.at(self.fraction)
        reason = "the loss or its gradient was not a finite number"
        yield Recovered(failed_at, self.step, self._recoveries, rate, reason)

    def _finish(self, reason: str, aside: Aside) -> Iterator[Event]:
        """The last evaluation and the last checkpoint; what `Finished` names is the best of the run."""
        if self._losses:
            yield self._progress(self._rate.at(self.fraction))
        decided = None
        if reason != "interrupted":
            try:
                decided = self._validation.decide(self.averaged, self.step, self._train_loss)
            except BackendError:  # no memory left for it: what was learned is saved all the same
                yield self._save(best=False)
                raise
            if decided is not None:
                yield from self._with_warning(decided)
            yield self._sample()
        self._clock.stop()
        if reason != "interrupted" and (told := aside.take(wait=True)) is not None:
            yield told
        best_step = self.step if decided is None else decided.best_step
        yield self._save(best=decided is not None and best_step == self.step)
        checkpoint = self.directory.path_of(best_step)
        if not checkpoint.exists():
            raise CheckpointError(
                f"training is over, but its result is lost: {self._keeper.problem}",
                "free some space and train again; an earlier checkpoint of the run may still serve `chargru sample`",
            )
        seconds, best_loss = self._clock.elapsed, self._validation.judge.best_loss
        self._keeper.note("finished" if reason == "done" else reason, self.step, seconds, best_loss)
        val_loss = None if decided is None else decided.best_loss
        speed = self._budget.chars_per_second(self.step)
        yield Finished(reason, str(checkpoint), val_loss, self.step, seconds, speed)

    # -- events -------------------------------------------------------------------------------------------------------

    def _started(self) -> Started:
        training, model, material = self.training, self.model, self.material
        return Started(
            run=self.directory.name,
            path=str(self.directory.path),
            corpus=material.corpus.name,
            characters=material.corpus.characters,
            train_chars=len(material.train),
            val_chars=self._validation.judge.chars,
            vocab_size=model.vocab_size,
            hidden_size=model.hidden_size,
            num_layers=model.num_layers,
            parameters=len(self.averaged.flat),
            batch_size=training.batch_size,
            seq_len=training.seq_len,
            budget=self._budget.kind,
            budget_amount=self._budget.amount,
            device=self._device,
            backend=self._backend,
            threads=self._threads,
            seed=training.seed,
            step=self.step,
            fraction=self.fraction,
        )

    def _progress(self, rate: float) -> Progress:
        if self._losses:
            self._train_loss = math.fsum(self._losses) / len(self._losses)
            self._losses.clear()
        elapsed = self._clock.elapsed
        self._pace.note(elapsed, self.step * self.training.batch_size * self.training.seq_len)
        return Progress(
            step=self.step,
            fraction=self.fraction,
            epoch=self._learner.epoch,
            loss=self._train_loss or 0.0,
            gradient_norm=self._norm,
            learning_rate=rate,
            chars_per_second=self._pace.rate,
            elapsed=elapsed,
            remaining=self._budget.remaining(self.step),
            memory=self._place.memory,
        )

    def _with_warning(self, evaluated: Evaluated) -> Iterator[Evaluated | Notice]:
        yield evaluated
        if warning := self._validation.patience.warning(evaluated.best_step):
            yield Notice(warning)

    def _landmarks(self, should_stop: Callable[[], bool]) -> Landmarks | None:
        told = self.step > 0 and self._recorder.has_told(Landmarks)
        found = None if told else self._prospect.landmarks(should_stop)
        if not should_stop():
            self._prospect.look()  # a pilot beside it would take too much from the training
        return found

    def _sample(self) -> Sampled:
        vocabulary = self.material.vocabulary
        reading = vocabulary.read(self._sample_prompt)
        text = self._place.sample(self.averaged, vocabulary, reading.ids, _SAMPLE)
        return Sampled(self.step, reading.text, text, _SAMPLE.temperature)

    def _save(self, *, best: bool) -> Saved | Notice:
        return self._keeper.save(self._checkpoint(), best=best)

    # -- state --------------------------------------------------------------------------------------------------------

    def _checkpoint(self) -> Checkpoint:
        weights, averaged, m, v, state = self._learner.arrays()
        judge = self._validation.judge
        return Checkpoint(
            model=self.model,
            training=self.training,
            vocabulary=self.material.vocabulary,
            corpus=self.material.corpus,
            step=self.step,
            position=self._learner.position,
            seconds=self._clock.elapsed,
            val_loss=judge.loss,
            best_loss=judge.best_loss,
            best_step=judge.best_step,
            lr_scale=self._rate.scale,
            recoveries=self._recoveries,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            history=[*self._recorder.history, {"step": self.step, **self._validation.patience.record()}],
            weights=weights,
            averaged=averaged,
            adam_m=m,
            adam_v=v,
            state=state,
        )
