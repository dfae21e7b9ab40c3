"""The loop as a whole: its events, its recoveries, what it does with a full disk and with tiny texts."""

from __future__ import annotations

import contextlib
import itertools
import json
import math

import numpy as np
import pytest

from chargru.errors import CheckpointError, RunError, TrainingError
from chargru.events import (
    Evaluated,
    Finished,
    Notice,
    Progress,
    Recovered,
    Sampled,
    Saved,
    Started,
)
from chargru.storage import checkpoint as checkpoints

from .stories import kinds, only


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


@pytest.mark.long
def test_what_its_text_leads_to_expect_counts_until_three_fifths_of_the_budget(make_trainer, monkeypatch):
    def expected(foreseen):
        trainer = make_trainer(steps=60, evaluations=20)
        monkeypatch.setattr(trainer._prospect, "foreseen", lambda updates: foreseen if round(updates) == 60 else None)
        return {each.fraction: each.expected for each in only(list(trainer.run()), Evaluated) if each.expected}

    low, high = expected(1.0), expected(2.0)
    assert low.keys() == high.keys()
    assert [low[each] < high[each] for each in sorted(low)] == [each < 0.6 for each in sorted(low)]


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
    assert trainer.rate_scale == 0.5
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
