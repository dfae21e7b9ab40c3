"""What is told beside the curve: landmarks, and that validation stands still."""

from __future__ import annotations

import math
import threading

import pytest

from chargru.events import (
    Evaluated,
    Finished,
    Landmarks,
    Notice,
    Progress,
    Started,
)
from chargru.training.control import Control

from .stories import InterruptAt, kinds, memorising, only, trainer_thread_has_time


def test_landmarks_are_told_once_and_kept(make_trainer):
    trainer = make_trainer(steps=30)
    control = InterruptAt(trainer, Control(), 29)
    events = []
    for event in trainer.run(control):
        events.append(event)
        if isinstance(event, Started):
            started = trainer.step
        if isinstance(event, Progress) and not only(events, Landmarks):
            trainer_thread_has_time()
    (landmarks,) = only(events, Landmarks)
    assert started == 0
    assert landmarks.uniform == pytest.approx(math.log(trainer.model.vocab_size))
    assert landmarks.uniform > landmarks.unigram > landmarks.fivegram
    _, saved, _ = trainer.directory.latest()
    second = make_trainer(steps=30, run=trainer.directory, resume=saved)
    assert only(list(second.run()), Landmarks) == []
    records = [record for record in trainer.directory.metrics() if record["event"] == "landmarks"]
    assert [record["fivegram"] for record in records] == [landmarks.fivegram]


def test_a_training_too_short_to_wait_still_tells_its_landmarks(make_trainer, monkeypatch):
    import chargru.training.prospect as module

    right, go = module.landmarks, threading.Event()

    def slow(*arguments):
        assert go.wait(20)
        return right(*arguments)

    monkeypatch.setattr(module, "landmarks", slow)
    trainer = make_trainer(steps=3)
    events = []
    for event in trainer.run():
        events.append(event)
        if isinstance(event, Evaluated) and event.complete and event.step == 3:
            assert not only(events, Landmarks)
            go.set()
    assert len(only(events, Landmarks)) == 1
    assert kinds(events)[-1] is Finished


@pytest.mark.parametrize("leave", ["interrupt", "close"])
def test_landmarks_hold_up_nobody_who_leaves(make_trainer, monkeypatch, leave):
    import chargru.training.prospect as module

    def endless(train, val, vocab_size, should_stop):
        while not should_stop():
            threading.Event().wait(0.001)

    monkeypatch.setattr(module, "landmarks", endless)
    before = threading.active_count()
    control, trainer = Control(), make_trainer(steps=10_000)
    events = trainer.run(control)
    for event in events:
        if isinstance(event, Progress):
            if leave == "close":
                break
            control.interrupt()
    events.close()
    assert threading.active_count() == before


def test_landmarks_that_fail_are_a_notice(make_trainer, monkeypatch):
    import chargru.training.prospect as module

    def broken(*arguments):
        raise MemoryError("no room")

    monkeypatch.setattr(module, "landmarks", broken)
    whole, trainer = make_trainer(steps=10), make_trainer(steps=10)
    events = list(trainer.run())
    assert [e.message for e in only(events, Notice)] == [
        "the landmarks of this text could not be worked out: MemoryError: no room"
    ]
    assert events[-1].reason == "done"
    monkeypatch.undo()
    list(whole.run())
    assert whole.learner.parameters.flat.tobytes() == trainer.learner.parameters.flat.tobytes()


def test_without_a_held_out_part_there_are_no_landmarks(make_trainer):
    assert only(list(make_trainer(steps=5, val_fraction=0.0).run()), Landmarks) == []


def test_stale_counts_the_evaluations_since_the_best_one_and_is_said_once(make_trainer):
    events = list(make_trainer(**memorising()).run())
    looks = only(events, Evaluated)
    best = max(place for place, look in enumerate(looks) if look.stale == 0)
    assert [look.stale for look in looks[best:]] == list(range(len(looks) - best))
    assert looks[best].best_step == looks[best].step == looks[-1].best_step
    assert looks[-1].stale > 4
    after = [event for event in events[events.index(looks[best + 4]) :] if isinstance(event, Evaluated | Notice)]
    assert f"the best model, of step {looks[best].step:,}, is kept" in after[1].message
    assert "by heart" in after[1].message
    assert not only(after[2:], Notice)
