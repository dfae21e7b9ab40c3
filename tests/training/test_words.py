"""What a running training does when it is spoken to."""

from __future__ import annotations

import itertools
import math

import pytest

from chargru.engine import learning_rate_at
from chargru.events import (
    Evaluated,
    Finished,
    Notice,
    Paused,
    Progress,
    RateChanged,
    Recovered,
    Resumed,
    Saved,
)
from chargru.storage import checkpoint as checkpoints
from chargru.training.control import Control

from .stories import InterruptAt, kinds, only


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


def test_the_learning_rate_follows_the_words(make_trainer):
    control, trainer = Control(), make_trainer(steps=40)
    control.faster()
    control.faster()
    control.slower()
    events = list(trainer.run(control))
    (changed,) = only(events, RateChanged)
    assert (changed.step, changed.scale) == (0, 1.25)
    assert changed.learning_rate == 1.25 * learning_rate_at(0.0, trainer.training)
    last = only(events, Progress)[-1]
    assert last.learning_rate == 1.25 * learning_rate_at(1.0, trainer.training)


def test_a_paused_training_answers_at_once_and_does_not_learn(make_trainer):
    control, trainer = Control(), make_trainer(steps=40)
    heard = []
    for event in trainer.run(control):
        if isinstance(event, Progress) and not heard:
            control.pause()
        if isinstance(event, Paused):
            heard.append(trainer.step)
            control.slower()
        if isinstance(event, RateChanged):
            assert control.paused
            assert event.step == heard[0] == trainer.step
            assert event.scale == 0.8
            heard.append("slower")
            control.resume()
    assert heard[1:] == ["slower"]


def test_a_learning_rate_at_its_bound_says_so(make_trainer):
    control, trainer = Control(), make_trainer(steps=1)
    for _ in range(100):
        control.slower()
    control.pause()
    told = []
    for event in trainer.run(control):
        if isinstance(event, RateChanged):
            assert event.scale == 1 / 64
            control.slower()
        if isinstance(event, Notice):
            told.append(event.message)
            control.stop()
    assert len(told) == 1
    assert "no slower than that" in told[0]


def test_a_recovery_halves_what_the_user_has_chosen(make_trainer):
    control, trainer = Control(), make_trainer(steps=30)
    right, calls = trainer.learner.network.loss_and_gradients, itertools.count()
    trainer.learner.network.loss_and_gradients = lambda *args: math.nan if next(calls) == 14 else right(*args)
    control.faster()
    (recovered,) = only(list(trainer.run(control)), Recovered)
    assert trainer.rate_scale == 0.625
    assert recovered.learning_rate == pytest.approx(0.625 * learning_rate_at(9 / 30, trainer.training))
