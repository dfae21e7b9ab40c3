"""The training loop: windows in, updates done, events out. Nobody is called back."""

from __future__ import annotations

import contextlib
import datetime
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from chargru.completion.generate import Completion
from chargru.config import ModelConfig, SamplingConfig, TrainingConfig
from chargru.engine import Parameters, crew_for, learning_rate_at
from chargru.errors import CheckpointError, RunError, TrainingError
from chargru.events import (
    Evaluated,
    Event,
    Finished,
    Notice,
    Paused,
    Progress,
    Recovered,
    Resumed,
    Sampled,
    Saved,
    Started,
)
from chargru.storage.checkpoint import Checkpoint, CorpusIdentity
from chargru.storage.runs import Run
from chargru.text.vocabulary import Vocabulary
from chargru.training.clock import Clock, Pace, resident_memory
from chargru.training.control import Control
from chargru.training.judge import Judge
from chargru.training.learner import Learner
from chargru.training.recorder import Recorder

Array = npt.NDArray[Any]

_PROGRESS_SECONDS = 0.2  # between two Progress events
_SAVE_SECONDS = 10.0
_EVALUATION_SHARE = 0.05  # of a time budget, at most
_SAMPLE_SECONDS = 1.5
_SAMPLE = SamplingConfig(length=240, temperature=0.8, seed=7)
_RECOVERIES = 3


@dataclass(frozen=True)
class Material:
    """What is learned: ids of the training part (n,) and of the held-out tail, and where they come from."""

    train: Array
    val: Array
    vocabulary: Vocabulary
    corpus: CorpusIdentity


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
        resume: Checkpoint | None = None,
        best_weights: Array | None = None,
        notes: tuple[str, ...] = (),
        sample_prompt: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.material, self.model, self.training, self.directory = material, model, training, run
        self._backend, self._device, self._notes, self._sample_prompt = backend, device, notes, sample_prompt
        self._threads = threads
        self._crew = crew_for(threads, training.batch_size)
        self._clock = Clock(resume.seconds if resume else 0.0, clock)
        self._pace = Pace()
        self._learner = Learner(material.train, model, training, self._crew, resume)
        self._judge = Judge(material.val, self._crew)
        self._lr_scale, self._recoveries = 1.0, 0
        self._recorder = Recorder(run, resume.history if resume else [])
        if resume is not None:
            self._judge.recall(resume.val_loss, resume.best_loss, resume.best_step, best_weights)
            self._lr_scale, self._recoveries = resume.lr_scale, resume.recoveries
        self._total_steps = self._count_steps()
        self._looked, self._look_seconds = -math.inf, 0.0
        self._reserve = 0.0  # seconds of a time budget kept back for the last evaluation
        self._first_step, self._first_seconds = self.step, self._clock.elapsed
        self._losses: list[float] = []  # since the last Progress
        self._train_loss: float | None = None
        self._norm = 0.0
        self._saved = False  # something, by this process
        self._save_problem = ""

    @property
    def learner(self) -> Learner:
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
        if self._total_steps is not None:
            return min(1.0, self.step / self._total_steps)
        assert self.training.time is not None
        return min(1.0, self._clock.elapsed / max(1e-9, self.training.time - self._reserve))

    def run(self, control: Control | None = None) -> Iterator[Event]:
        """Train to the end of the budget, or until `control` says otherwise; the last event is `Finished`.

        Raises:
            TrainingError: the loss was not finite more than three times; the last good state is saved first.
            CheckpointError: training is over and nothing could be saved.
            RunError: another process is training this run.
        """
        with self.directory.lock(), self._crew:
            for event in self._events(control or Control()):
                self._recorder.keep(event)
                yield event
                if trouble := self._recorder.take_trouble():
                    yield Notice(trouble)

    # -- the loop -----------------------------------------------------------------------------------------------------

    def _events(self, control: Control) -> Iterator[Event]:
        yield self._started()
        for note in self._notes:
            yield Notice(note)
        self._clock.start()
        evaluated = self._look()
        if evaluated is not None:
            seconds = self._judge.seconds_to_decide(self._look_seconds)
            # a tail so large that scoring it would eat the budget may take a quarter of it; the rest is overtime
            self._reserve = min(seconds, 0.25 * (self.training.time or 0.0))
            if self.step == 0:  # a run that goes on has this point already
                yield evaluated
        yield from self._train(control)
        yield from self._finish(control.ending or "done")

    def _train(self, control: Control) -> Iterator[Event]:
        evaluations = self._evaluations_due()
        shown = sampled = -math.inf
        saved = self._clock.elapsed
        while self.fraction < 1.0 and control.ending is None:
            if control.paused:
                yield from self._pause(control)
                continue
            rate = self._lr_scale * learning_rate_at(self.fraction, self.training)
            if not self._update(rate):
                yield from self._recover()
                continue
            now, due = self._clock.elapsed, self._evaluations_due()
            evaluating = due > evaluations and self.fraction < 1.0 and self._evaluation_affordable(now)
            if evaluating or now - shown >= _PROGRESS_SECONDS:
                shown = now
                yield self._progress(rate)
            if evaluating:
                evaluations = due
                evaluated = self._look()
                self._learner.remember()
                if evaluated is not None:
                    yield evaluated
                if now - sampled >= _SAMPLE_SECONDS:
                    sampled = now
                    yield self._sample()
                improved = evaluated is not None and evaluated.best_step == self.step
                if improved or now - saved >= _SAVE_SECONDS or not self._saved:
                    saved = now
                    yield self._save(best=improved)
            if control.take_save():
                saved = now
                yield self._save(best=False)

    def _evaluations_due(self) -> int:
        """How many evaluations should have been made by now: closer together at first, where the loss falls fast."""
        return int(self.training.evaluations * self.fraction**0.7)

    def _evaluation_affordable(self, now: float) -> bool:
        """Whether a time budget bears another evaluation yet; a budget of updates must not depend on the clock."""
        return self.training.time is None or _EVALUATION_SHARE * (now - self._looked) >= self._look_seconds

    def _update(self, rate: float) -> bool:
        """One update; False, and nothing learned, if loss or gradient was not finite."""
        update = self._learner.update(rate)
        if update is None:
            return False
        self._losses.append(update.loss)
        self._norm = update.norm
        return True

    def _pause(self, control: Control) -> Iterator[Event]:
        self._clock.stop()
        yield Paused(self.step)
        while control.paused and control.ending is None:
            control.wait_while_paused()
            if control.take_save():
                yield self._save(best=False)
        self._pace.restart()
        self._clock.start()
        if control.ending is None:
            yield Resumed(self.step)

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
        self._lr_scale *= 0.5
        rate = self._lr_scale * learning_rate_at(self.fraction, self.training)
        reason = "the loss or its gradient was not a finite number"
        yield Recovered(failed_at, self.step, self._recoveries, rate, reason)

    def _finish(self, reason: str) -> Iterator[Event]:
        """The last evaluation and the last checkpoint; what `Finished` names is the best of the run."""
        if self._losses:
            yield self._progress(self._lr_scale * learning_rate_at(self.fraction, self.training))
        score = None
        if reason != "interrupted":
            score = self._judge.decide(self.averaged, self.step)
            if score is not None:
                yield self._evaluated(score.chars, complete=True)
            yield self._sample()
        self._clock.stop()
        yield self._save(best=score is not None and self._judge.best_step == self.step)
        checkpoint = self.directory.path_of(self._judge.best_step if score is not None else self.step)
        if not checkpoint.exists():
            raise CheckpointError(
                f"training is over, but its result is lost: {self._save_problem}",
                "free some space and train again; an earlier checkpoint of the run may still serve `chargru sample`",
            )
        seconds = self._clock.elapsed
        self._note_run(status="finished" if reason == "done" else reason)
        chars = (self.step - self._first_step) * self.training.batch_size * self.training.seq_len
        speed = chars / max(1e-9, seconds - self._first_seconds)
        val_loss = score.nats_per_char if score else None
        yield Finished(reason, str(checkpoint), val_loss, self.step, seconds, speed)

    # -- events -------------------------------------------------------------------------------------------------------

    def _started(self) -> Started:
        training, model, material = self.training, self.model, self.material
        budget = next(name for name in ("time", "steps", "epochs") if getattr(training, name) is not None)
        return Started(
            run=self.directory.name,
            path=str(self.directory.path),
            corpus=material.corpus.name,
            characters=material.corpus.characters,
            train_chars=len(material.train),
            val_chars=self._judge.chars,
            vocab_size=model.vocab_size,
            hidden_size=model.hidden_size,
            num_layers=model.num_layers,
            parameters=len(self.averaged.flat),
            batch_size=training.batch_size,
            seq_len=training.seq_len,
            budget=budget,
            budget_amount=float(getattr(training, budget)),
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
        if self._total_steps is not None:
            done = self.step - self._first_step
            remaining = (self._total_steps - self.step) * (elapsed - self._first_seconds) / max(1, done)
        else:
            remaining = max(0.0, (self.training.time or 0.0) - elapsed)
        return Progress(
            step=self.step,
            fraction=self.fraction,
            epoch=self._learner.stream.epoch,
            loss=self._train_loss or 0.0,
            gradient_norm=self._norm,
            learning_rate=rate,
            chars_per_second=self._pace.rate,
            elapsed=elapsed,
            remaining=remaining,
            memory=resident_memory(),
        )

    def _look(self) -> Evaluated | None:
        before = self._clock.elapsed
        score = self._judge.look(self.averaged, self.step)
        self._looked = self._clock.elapsed
        self._look_seconds = self._looked - before
        return None if score is None else self._evaluated(score.chars, complete=score.chars == self._judge.chars)

    def _evaluated(self, chars: int, *, complete: bool) -> Evaluated:
        judge = self._judge
        assert judge.loss is not None
        assert judge.best_loss is not None
        return Evaluated(
            step=self.step,
            fraction=self.fraction,
            val_loss=judge.loss,
            train_loss=self._train_loss,
            best_loss=judge.best_loss,
            best_step=judge.best_step,
            chars=chars,
            complete=complete,
            elapsed=self._clock.elapsed,
        )

    def _sample(self) -> Sampled:
        vocabulary = self.material.vocabulary
        reading = vocabulary.read(self._sample_prompt)
        completion = Completion(self.averaged, vocabulary, reading.ids, _SAMPLE, chunk=_SAMPLE.length)
        for _ in completion:
            pass
        return Sampled(self.step, reading.text, completion.texts[0], _SAMPLE.temperature)

    def _save(self, *, best: bool) -> Saved | Notice:
        try:
            path = str(self.directory.save(self._checkpoint(), best))
        except (CheckpointError, RunError) as error:
            self._save_problem = error.message
            return Notice(f"{error.message}; the last checkpoint stands, training goes on")
        self._saved = True
        self._note_run(status="running")
        return Saved(self.step, path, best)

    # -- state --------------------------------------------------------------------------------------------------------

    def _count_steps(self) -> int | None:
        training = self.training
        if training.epochs is not None:
            per_step = training.batch_size * training.seq_len
            return max(1, math.ceil(training.epochs * len(self.material.train) / per_step))
        return training.steps

    def _checkpoint(self) -> Checkpoint:
        weights, averaged, m, v, state = self._learner.arrays()
        judge = self._judge
        return Checkpoint(
            model=self.model,
            training=self.training,
            vocabulary=self.material.vocabulary,
            corpus=self.material.corpus,
            step=self.step,
            position=self._learner.stream.position,
            seconds=self._clock.elapsed,
            val_loss=judge.loss,
            best_loss=judge.best_loss,
            best_step=judge.best_step,
            lr_scale=self._lr_scale,
            recoveries=self._recoveries,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            history=self._recorder.history,
            weights=weights,
            averaged=averaged,
            adam_m=m,
            adam_v=v,
            state=state,
        )

    def _note_run(self, status: str) -> None:
        best = self._judge.best_loss
        with contextlib.suppress(RunError):  # a full disk; run.json only repeats what checkpoints and metrics hold
            self.directory.update(status=status, step=self.step, seconds=self._clock.elapsed, best_loss=best)
