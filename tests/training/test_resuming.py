"""A training that was cut and goes on ends with the same bits as one that was not."""

from __future__ import annotations

import itertools

import pytest

from chargru.events import (
    Evaluated,
    Notice,
    Progress,
    RateChanged,
)
from chargru.storage import checkpoint as checkpoints
from chargru.training.control import Control

from .stories import HalfWay, InterruptAt, memorising, only

# the first update, either side of evaluations, of a pass over the text, the last update
CUTS = [1, 2, 4, 5, 9, 11, 14, 15, 17, 22, 24, 29]
QUICK = {5, 15}


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


# words said before the update that follows this many, so before, at and after the cuts
WORDS = {3: 4, 10: -2, 20: 1}


class Scripted(Control):
    """Says "faster" and "slower" by itself, and "interrupt" after `cut` updates if there is a cut."""

    def __init__(self, trainer, cut=None):
        super().__init__()
        self._trainer, self._cut = trainer, cut
        self._words = {step: notches for step, notches in WORDS.items() if step >= trainer.step}

    def take_rate(self):
        return self._words.pop(self._trainer.step, 0)

    @property
    def ending(self):
        return "interrupted" if self._trainer.step == self._cut else None


@pytest.mark.parametrize(
    "cut", [cut if cut == 12 else pytest.param(cut, marks=pytest.mark.long) for cut in (3, 4, 9, 10, 11, 12, 25)]
)
def test_a_cut_after_a_change_of_the_learning_rate_is_never_having_stopped(make_trainer, cut):
    whole, plain = make_trainer(steps=30), make_trainer(steps=30)
    told = only(list(whole.run(Scripted(whole))), RateChanged)
    list(plain.run())
    assert whole.learner.parameters.flat.tobytes() != plain.learner.parameters.flat.tobytes()
    assert [(event.step, event.scale) for event in told] == [
        (step, pytest.approx(1.25**total)) for step, total in zip(WORDS, (4, 2, 3), strict=True)
    ]
    first = make_trainer(steps=30)
    list(first.run(Scripted(first, cut)))
    _, saved, _ = first.directory.latest()
    assert saved.step == cut
    second = make_trainer(steps=30, run=first.directory, resume=saved)
    list(second.run(Scripted(second)))
    for found, expected in zip(second.learner.arrays(), whole.learner.arrays(), strict=True):
        assert found.tobytes() == expected.tobytes()
    assert second.rate_scale == whole.rate_scale
    records = [(r["step"], r["scale"]) for r in first.directory.metrics() if r["event"] == "ratechanged"]
    assert records == [(event.step, event.scale) for event in told]


def test_a_resumed_run_names_the_best_of_before_when_nothing_better_came(make_trainer):
    settings = memorising()
    first = make_trainer(**settings)
    list(first.run(InterruptAt(first, Control(), 200)))
    _, saved, _ = first.directory.latest()
    assert saved.best_step < saved.step
    second = make_trainer(**settings, run=first.directory, resume=saved)
    finished = list(second.run())[-1]
    assert checkpoints.load(finished.checkpoint).step == saved.best_step


@pytest.mark.parametrize("cut", [150, 200])
@pytest.mark.long
def test_stale_goes_on_after_a_cut(make_trainer, cut):
    whole, first = make_trainer(**memorising()), make_trainer(**memorising())
    expected = [e for e in whole.run() if isinstance(e, Evaluated | Notice)]
    found = [e for e in first.run(InterruptAt(first, Control(), cut)) if isinstance(e, Evaluated | Notice)]
    _, saved, _ = first.directory.latest()
    second = make_trainer(**memorising(), run=first.directory, resume=saved)
    found += [event for event in second.run() if isinstance(event, Evaluated | Notice)]

    def story(events):
        return [e.message if isinstance(e, Notice) else (e.step, e.val_loss, e.best_step, e.stale) for e in events]

    assert story(found) == story(expected)


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
