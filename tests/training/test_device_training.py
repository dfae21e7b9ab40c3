"""Whole trainings on a device, which here is the kernels on the processor: the same as with NumPy, to and fro."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chargru.config import SamplingConfig
from chargru.errors import BackendError, TrainingError
from chargru.events import Evaluated, Recovered, Sampled, Saved, Started
from chargru.storage.checkpoint import load
from chargru.training.control import Control
from chargru.training.device_place import OnDevice
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler
from tests.training.conftest import trainer_maker
from tests.training.stories import only

pytestmark = [needs_compiler, pytest.mark.long]

PLAIN = {"dropout": 0.0, "weight_drop": 0.0, "state_reset": 0.0, "learning_rate": 3e-3}
CONSTANT = {"warmup": 0.0, "final_rate": 1.0}  # a rate that does not depend on where a training is cut


@pytest.fixture
def new_device():
    """`new_device()` makes a device; tests/gpu has another one."""
    return emulated_device


@pytest.fixture
def make_trainer(tmp_path):
    """With little to evaluate on: kernels on the processor are slow."""
    return trainer_maker(tmp_path, val_fraction=0.03)


def result(trainer):
    return load(trainer.directory.latest()[0])


def assert_close(found, expected, tolerance):
    """Checkpoints of the same step whose arrays agree to so much of the longest one's length."""
    assert (found.step, found.position) == (expected.step, expected.position)
    for name in ("weights", "averaged", "adam_m", "adam_v", "state"):
        one, other = getattr(found, name), getattr(expected, name)
        assert np.linalg.norm(one - other) <= tolerance * max(np.linalg.norm(other), 1e-6), name


def test_a_training_on_a_device_tells_the_same_story_as_on_the_processor(make_trainer, new_device):
    here = list(make_trainer(steps=18, **PLAIN).run())
    trainer = make_trainer(steps=18, device=new_device(), **PLAIN)
    there = list(trainer.run())
    assert isinstance(there[0], Started)
    assert only(there, Saved)
    losses = [[event.val_loss for event in only(events, Evaluated)] for events in (here, there)]
    assert len(losses[0]) == len(losses[1]) > 4
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-3)
    assert losses[1][-1] < losses[1][0] - 0.03
    finished = there[-1]
    assert (finished.reason, finished.steps) == ("done", 18)
    assert finished.val_loss == pytest.approx(here[-1].val_loss, rel=2e-3)
    assert only(there, Sampled)[-1].text


def test_a_run_goes_from_numpy_to_the_device_and_back(make_trainer, new_device):
    settings = PLAIN | CONSTANT
    whole = make_trainer(steps=12, **settings)
    list(whole.run())
    expected = result(whole)

    first = make_trainer(steps=4, **settings)
    list(first.run())
    second = make_trainer(steps=8, run=first.directory, resume=result(first), device=new_device(), **settings)
    assert list(second.run())[-1].steps == 8
    third = make_trainer(steps=12, run=first.directory, resume=result(second), **settings)
    assert list(third.run())[-1].steps == 12
    assert_close(result(third), expected, 2e-3)


@pytest.mark.parametrize("there_first", [True, pytest.param(False, marks=pytest.mark.long)])
def test_the_weights_are_those_of_one_training_wherever_it_was_cut(make_trainer, new_device, there_first):
    settings = PLAIN | CONSTANT
    whole = make_trainer(steps=12, **settings)
    list(whole.run())
    device = new_device()
    first = make_trainer(steps=6, device=device if there_first else None, **settings)
    list(first.run())
    second = make_trainer(
        steps=12, run=first.directory, resume=result(first), device=None if there_first else device, **settings
    )
    list(second.run())
    assert_close(result(second), result(whole), 2e-3)


@pytest.mark.long
def test_a_run_that_was_cut_on_the_device_goes_on_there_to_the_bit(make_trainer, new_device):
    """Dropout, weight drop and forgetting too: their random numbers are counted by steps."""
    settings = CONSTANT | {"evaluations": 1}
    whole = make_trainer(steps=16, device=new_device(), **settings)
    list(whole.run())
    first = make_trainer(steps=7, device=new_device(), **settings)
    list(first.run())
    second = make_trainer(steps=16, run=first.directory, resume=result(first), device=new_device(), **settings)
    list(second.run())
    for name in ("weights", "averaged", "adam_m", "adam_v", "state"):
        assert getattr(result(second), name).tobytes() == getattr(result(whole), name).tobytes(), name


def spoil(trainer, *steps):
    """Let these updates, counted from the first that is made, find nan where a weight was."""
    lesson, right, made = trainer.learner._lesson, trainer.learner._lesson.update, [0]

    def update(rate):
        made[0] += 1
        bad = made[0] in steps
        kept = lesson.parameters.flat[-1].copy()  # of the output's bias, which every character needs
        if bad:
            lesson.parameters.flat[-1] = np.nan
        right(rate)
        if bad:
            lesson.parameters.flat[-1] = kept

    lesson.update = update


@pytest.mark.parametrize("wanted", [pytest.param(1, marks=pytest.mark.long), 7])
def test_a_number_that_is_not_finite_is_found_later_and_leads_back(make_trainer, new_device, wanted, monkeypatch):
    monkeypatch.setattr("chargru.training.device_learner.SECONDS", 1e9)
    monkeypatch.setattr("chargru.training.device_learner.MOST", wanted)
    trainer = make_trainer(steps=14, device=new_device())
    spoil(trainer, 9)
    events = list(trainer.run())
    (recovered,) = only(events, Recovered)
    assert recovered.back_to <= 8 < recovered.step
    assert trainer.rate_scale == 0.5
    assert events[-1].steps == 14
    assert all(math.isfinite(event.val_loss) for event in only(events, Evaluated))
    assert all(np.isfinite(array).all() for array in trainer.learner.arrays())


def test_the_fourth_time_is_the_last_and_leaves_a_good_state(make_trainer, new_device):
    trainer = make_trainer(steps=40, device=new_device())
    spoil(trainer, *range(5, 100))
    with pytest.raises(TrainingError, match="was not a finite number"):
        list(trainer.run())
    assert np.isfinite(result(trainer).weights).all()


@pytest.mark.long
def test_a_bad_update_at_the_very_end_is_not_kept(make_trainer, new_device):
    trainer = make_trainer(steps=20, device=new_device())
    spoil(trainer, 20)
    events = list(trainer.run())
    assert len(only(events, Recovered)) == 1
    assert events[-1].steps == 20
    assert np.isfinite(result(trainer).weights).all()


def test_words_are_heard(make_trainer, new_device):
    trainer = make_trainer(steps=300, evaluations=100, device=new_device())
    control, events = Control(), []
    for event in trainer.run(control):
        events.append(event)
        if isinstance(event, Evaluated) and event.step > 0:
            control.interrupt()
    assert events[-1].reason == "interrupted"
    kept = result(trainer)
    assert kept.step == trainer.step < 300
    for saved, current in zip((kept.weights, kept.averaged, kept.adam_m, kept.adam_v, kept.state),
                              trainer.learner.arrays(), strict=True):  # fmt: skip
        assert saved.tobytes() == current.tobytes()


def test_the_best_weights_compete_after_a_change_of_places(make_trainer, new_device):
    first = make_trainer(steps=12, **PLAIN)
    list(first.run())
    checkpoint = result(first)
    trainer = make_trainer(steps=13, run=first.directory, resume=checkpoint, device=new_device(), **PLAIN)
    finished = list(trainer.run())[-1]
    assert finished.val_loss <= checkpoint.val_loss * 1.001


def test_samples_on_the_device_are_the_likeliest_when_greedy(make_trainer, new_device):
    device = new_device()
    trainer = make_trainer(steps=3, device=device, **PLAIN)
    list(trainer.run())
    here = make_trainer(steps=3, run=None, **PLAIN)
    greedy = SamplingConfig(length=30, temperature=0)
    vocabulary, prompt = trainer.material.vocabulary, trainer.material.train[:7]
    host = type(trainer.averaged)(trainer.model, np.float32, device.host(trainer.averaged.flat))
    place = OnDevice(device, trainer.model, trainer.training)
    assert place.sample(trainer.averaged, vocabulary, prompt, greedy) == here._place.sample(
        host, vocabulary, prompt, greedy
    )


def test_without_memory_for_the_last_evaluation_the_last_state_is_saved(make_trainer, new_device):
    trainer = make_trainer(steps=6, evaluations=1, device=new_device())

    def no_room(*_):
        raise BackendError("the GPU's memory is full", "take fewer")

    trainer._validation.judge.decide = no_room
    with pytest.raises(BackendError, match="memory is full"):
        list(trainer.run())
    assert result(trainer).step == 6


class CUDARuntimeError(RuntimeError):
    status = 700


def test_what_cuda_raises_on_the_way_is_one_line(make_trainer, new_device):
    trainer = make_trainer(steps=20, device=new_device())

    def fail(rate):
        raise CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")

    trainer.learner._lesson.update = fail
    with pytest.raises(BackendError, match=r"training on the GPU broke off: .* illegal memory access") as told:
        list(trainer.run())
    assert "--resume" in told.value.hint


def test_a_mistake_of_ours_is_not_dressed_up(make_trainer, new_device):
    trainer = make_trainer(steps=20, device=new_device())
    trainer.learner._lesson.update = lambda rate: [][1]
    with pytest.raises(IndexError):
        list(trainer.run())
