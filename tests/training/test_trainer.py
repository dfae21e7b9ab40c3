"""The loop as a whole: its events, its stops, its recoveries, and resuming to the bit."""

from __future__ import annotations

import contextlib
import itertools
import json
import math

import numpy as np
import pytest

from chargru.errors import CheckpointError, RunError, TrainingError
from chargru.events import Evaluated, Finished, Notice, Paused, Progress, Recovered, Resumed, Sampled, Saved, Started
from chargru.storage import checkpoint as checkpoints
from chargru.training.control import Control


def kinds(events):
    return [type(event) for event in events]


def only(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_a_whole_run_tells_its_story(make_trainer):
    trainer = make_trainer(steps=30)
    events = list(trainer.run())
    assert kinds(events)[0] is Started
    assert kinds(events)[-1] is Finished
    assert {Progress, Evaluated, Sampled, Saved} <= set(kinds(events))
    finished = events[-1]
    assert finished.reason == "done"
    assert finished.steps == 30
    looks = only(events, Evaluated)
    assert [look.step for look in looks] == [0, 4, 9, 15, 22, 30]  # closer together at first
    assert looks[-1].complete
    assert looks[-1].val_loss < looks[0].val_loss
    assert finished.val_loss == pytest.approx(min(looks[-1].val_loss, looks[-1].best_loss))
    assert [event.fraction for event in events if isinstance(event, Progress)][-1] == 1.0


def test_metrics_on_disk_are_the_events(make_trainer):
    trainer = make_trainer(steps=20)
    events = list(trainer.run())
    records = trainer.directory.metrics()
    assert [r["event"] for r in records if r["event"] in ("started", "finished")] == ["started", "finished"]
    assert [r["val_loss"] for r in records if r["event"] == "evaluated"] == [
        e.val_loss for e in only(events, Evaluated)
    ]
    assert json.loads((trainer.directory.path / "run.json").read_text())["status"] == "finished"


def test_what_finished_names_scores_what_finished_says(make_trainer):
    from chargru.engine import Parameters
    from chargru.training.evaluation import evaluate

    trainer = make_trainer(steps=25)
    finished = list(trainer.run())[-1]
    loaded = checkpoints.load(finished.checkpoint)
    score = evaluate(Parameters(loaded.model, np.float32, loaded.averaged), trainer.material.val)
    assert score.nats_per_char == pytest.approx(finished.val_loss, abs=1e-6)


# the first update, either side of evaluations, of a pass over the text, the last update
CUTS = [1, 2, 4, 5, 9, 11, 14, 15, 17, 22, 24, 29]
QUICK = {1, 5, 15, 29}


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.long)])
@pytest.mark.parametrize("cut", [cut if cut in QUICK else pytest.param(cut, marks=pytest.mark.long) for cut in CUTS])
def test_interrupted_and_resumed_is_never_having_stopped(make_trainer, cut, dtype):
    whole = make_trainer(steps=30, dtype=dtype)
    list(whole.run())
    first, control = make_trainer(steps=30, dtype=dtype), Control()
    for _ in first.run(InterruptAt(first, control, cut)):
        pass
    assert first.step == cut
    path, saved, _ = first.directory.latest()
    assert saved.step == cut, path
    second = make_trainer(steps=30, dtype=dtype, run=first.directory, resume=saved)
    events = list(second.run())
    assert events[-1].reason == "done"
    for found, expected in zip(second.learner.arrays(), whole.learner.arrays(), strict=True):
        assert found.tobytes() == expected.tobytes()
    steps = [r["step"] for r in first.directory.metrics() if r["event"] == "evaluated"]
    assert steps == sorted(steps)
    assert steps[-1] == 30


class InterruptAt(Control):
    """Says "interrupt" by itself once the trainer has made so many updates."""

    def __init__(self, trainer, control, step):
        super().__init__()
        self._trainer, self._at = trainer, step

    @property
    def ending(self):
        return "interrupted" if self._trainer.step >= self._at else None


def test_interrupt_saves_and_ends_without_a_last_evaluation(make_trainer):
    trainer = make_trainer(steps=1000)
    control = InterruptAt(trainer, Control(), 7)
    events = list(trainer.run(control))
    assert events[-1].reason == "interrupted"
    assert events[-1].val_loss is None
    assert checkpoints.load(events[-1].checkpoint).step == 7


def test_stop_evaluates_saves_and_ends(make_trainer):
    control, trainer = Control(), make_trainer(steps=100_000)
    events = []
    for event in trainer.run(control):
        events.append(event)
        if isinstance(event, Progress):
            control.stop()
    assert events[-1].reason == "stopped"
    assert only(events, Evaluated)[-1].complete
    assert events[-1].val_loss is not None


def test_pause_waits_saves_when_asked_and_goes_on(make_trainer):
    control, trainer = Control(), make_trainer(steps=40)
    events = []
    for event in trainer.run(control):
        events.append(event)
        if isinstance(event, Progress) and Paused not in kinds(events):
            control.pause()
        if isinstance(event, Paused):
            at = trainer.step
            control.save()
        if isinstance(event, Saved) and control.paused:
            assert trainer.step == at
            control.resume()
    assert kinds(events).index(Paused) < kinds(events).index(Resumed)
    assert events[-1].reason == "done"


def test_stop_while_paused_ends(make_trainer):
    control, trainer = Control(), make_trainer(steps=10_000)
    control.pause()
    reasons = []
    for event in trainer.run(control):
        if isinstance(event, Paused):
            control.stop()
        if isinstance(event, Finished):
            reasons.append(event.reason)
    assert reasons == ["stopped"]


def test_a_time_budget_ends_on_time_and_resumes_at_its_fraction(make_trainer):
    ticks = itertools.count()
    trainer = make_trainer(time=60.0)
    trainer._clock._now = lambda: next(ticks) * 0.05
    control = HalfWay(trainer)
    list(trainer.run(control))
    reached = trainer.fraction
    assert 0.5 <= reached < 0.7
    _, saved, _ = trainer.directory.latest()
    assert saved.seconds == pytest.approx(trainer._clock.elapsed)
    second = make_trainer(time=60.0, run=trainer.directory, resume=saved)
    assert second.fraction == pytest.approx(saved.seconds / 60.0)
    second._clock._now = trainer._clock._now
    events = list(second.run())
    assert events[0].fraction == pytest.approx(saved.seconds / 60.0)
    assert events[-1].seconds <= 60.0 + 1.0
    progress = only(events, Progress)
    assert progress[0].learning_rate < trainer.training.learning_rate  # the schedule goes on, it does not start again


class HalfWay(Control):
    def __init__(self, trainer):
        super().__init__()
        self._trainer = trainer

    @property
    def ending(self):
        return "interrupted" if self._trainer.fraction >= 0.5 else None


def test_epochs_are_counted_in_passes_over_the_training_part(make_trainer):
    trainer = make_trainer(epochs=2.0)
    finished = list(trainer.run())[-1]
    assert finished.steps == math.ceil(2 * len(trainer.material.train) / (4 * 16))
    assert trainer.learner.stream.epoch == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("where", ["loss", "gradient"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_not_finite_never_updates_and_training_recovers(make_trainer, where, bad):
    trainer = make_trainer(steps=30)
    network = trainer.learner.network
    right, calls = network.loss_and_gradients, itertools.count()

    def sometimes_wrong(*arguments):
        loss = right(*arguments)
        if next(calls) == 14:
            if where == "loss":
                return bad
            network.gradients.flat[3] = bad
        return loss

    network.loss_and_gradients = sometimes_wrong
    events = list(trainer.run())
    (recovered,) = only(events, Recovered)
    assert (recovered.step, recovered.back_to, recovered.attempt) == (14, 9, 1)
    assert events[-1].reason == "done"
    assert trainer._lr_scale == 0.5
    assert all(np.isfinite(array).all() for array in trainer.learner.arrays())


def test_three_recoveries_then_advice_and_a_good_checkpoint(make_trainer):
    trainer = make_trainer(steps=30)
    trainer.learner.network.loss_and_gradients = lambda *arguments: math.nan
    events = []
    with pytest.raises(TrainingError, match="not a finite number") as raised:
        events.extend(trainer.run())
    assert "smaller learning rate" in raised.value.hint
    _, saved, _ = trainer.directory.latest()
    assert np.isfinite(saved.weights).all()


def test_an_absurd_learning_rate_ends_in_advice_or_in_finite_weights(make_trainer):
    trainer = make_trainer(steps=60, learning_rate=1e20)
    with np.errstate(all="ignore"), contextlib.suppress(TrainingError, CheckpointError):
        list(trainer.run())
    assert trainer.directory.checkpoints()
    for path in trainer.directory.checkpoints():
        assert np.isfinite(checkpoints.load(path).weights).all()


def test_a_disk_that_takes_nothing_is_told_and_training_goes_on(make_trainer, monkeypatch):
    trainer = make_trainer(steps=30)
    right, calls = trainer.directory.save, itertools.count()

    def sometimes_full(checkpoint, best):
        if next(calls) < 2:
            raise CheckpointError("step was not saved: no space left on the disk", "free some space")
        return right(checkpoint, best)

    monkeypatch.setattr(trainer.directory, "save", sometimes_full)
    events = list(trainer.run())
    assert any("no space left" in notice.message for notice in only(events, Notice))
    assert events[-1].reason == "done"


def test_a_result_that_could_not_be_saved_is_not_called_done(make_trainer, monkeypatch):
    trainer = make_trainer(steps=30)
    right, calls = trainer.directory.save, itertools.count()

    def full_later(checkpoint, best):
        if next(calls) > 0:
            raise CheckpointError("step was not saved: no space left on the disk", "free some space")
        return right(checkpoint, best)

    monkeypatch.setattr(trainer.directory, "save", full_later)
    with pytest.raises(CheckpointError, match=r"result is lost.*no space left"):
        list(trainer.run())
    assert len(trainer.directory.checkpoints()) == 1  # the first one stands


def test_a_resumed_run_names_the_best_of_before_when_nothing_better_came(make_trainer):
    rng = np.random.default_rng(0)
    settings = {"hidden_size": 48, "num_layers": 1, "dropout": 0.0, "weight_drop": 0.0, "learning_rate": 0.02}
    settings |= {"text": "".join(rng.choice(list("abcd"), 900)), "evaluations": 26, "steps": 260}
    first = make_trainer(**settings)
    list(first.run(InterruptAt(first, Control(), 200)))
    _, saved, _ = first.directory.latest()
    assert saved.best_step < saved.step
    second = make_trainer(**settings, run=first.directory, resume=saved)
    finished = list(second.run())[-1]
    assert checkpoints.load(finished.checkpoint).step == saved.best_step


def test_metrics_that_cannot_be_written_are_told_once(make_trainer, monkeypatch):
    trainer = make_trainer(steps=30)

    def full(record):
        raise RunError("metrics.jsonl was not written: no space left")

    monkeypatch.setattr(trainer.directory, "append", full)
    notices = [notice.message for notice in only(list(trainer.run()), Notice)]
    assert len([message for message in notices if "metrics.jsonl" in message]) == 1


@pytest.mark.parametrize("text", ["a", "ab", "aaaaaaaaaaaaaaaaaaaa", "a\n" * 40, "가나다라" * 10])
def test_tiny_texts_train(make_trainer, text):
    trainer = make_trainer(text=text, steps=60, batch_size=1, seq_len=min(8, len(text)), learning_rate=0.02)
    events = list(trainer.run())
    assert events[-1].reason == "done"
    if len(set(text)) == 1:
        assert only(events, Progress)[-1].loss == pytest.approx(0.0, abs=1e-6)


def test_a_run_is_trained_by_one_process_at_a_time(make_trainer):
    trainer = make_trainer(steps=10)
    events = trainer.run()
    next(events)
    other = make_trainer(steps=10, run=trainer.directory)
    with pytest.raises(RunError, match="in use"):
        next(other.run())
    events.close()
    assert next(other.run())


def test_validation_and_samples_do_not_touch_training(make_trainer):
    busy, quiet = make_trainer(steps=25, evaluations=25), make_trainer(steps=25, evaluations=1)
    list(busy.run())
    list(quiet.run())
    assert busy.learner.parameters.flat.tobytes() == quiet.learner.parameters.flat.tobytes()


def test_the_best_by_validation_is_kept_when_the_last_is_worse(make_trainer):
    """A network that memorises: the last weights are worse on held-out text than earlier ones."""
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("abcd"), 900))
    trainer = make_trainer(
        text=text,
        steps=260,
        hidden_size=48,
        num_layers=1,
        dropout=0.0,
        weight_drop=0.0,
        learning_rate=0.02,
        evaluations=26,
    )
    events = list(trainer.run())
    finished, last = events[-1], only(events, Evaluated)[-1]
    assert last.best_step < 260
    assert checkpoints.load(finished.checkpoint).step == last.best_step
    assert finished.val_loss < last.val_loss
