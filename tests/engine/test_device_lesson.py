"""Training on a device, on the processor: the same losses as NumPy's, checkpoints both ways, and bad updates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import Crew, DeviceLesson, dropout, learning_rate_at, shard
from chargru.engine import device_lesson as lesson_module
from chargru.engine.fused import window_launches as into
from chargru.storage.checkpoint import Checkpoint
from chargru.training import learner as learner_module
from chargru.training.learner import Learner
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler, philox

pytestmark = needs_compiler

MODEL = ModelConfig(vocab_size=6, hidden_size=18, num_layers=2)
TEXT = np.array([int(c) for c in "0120312041203150" * 40])


def training(**changes):
    settings = {"steps": 200, "batch_size": 5, "seq_len": 7, "learning_rate": 0.01, "averaging": 0.9, "seed": 3}
    return TrainingConfig(**(settings | changes))


def rates(config, count, start=0):
    return [learning_rate_at(step / config.steps, config) for step in range(start, start + count)]


def make_lesson(config=None, precision="float32", **keywords):
    return DeviceLesson(emulated_device(precision), TEXT, MODEL, config or training(), **keywords)


def teach(lesson, config, count):
    for rate in rates(config, count, lesson.step):
        lesson.update(rate)
    lesson.device.xp.check()
    return np.array(lesson.collect())


def teach_numpy(learner, config, count):
    updates = [each for rate in rates(config, count, learner.step) for each in learner.update(rate)]
    return np.array([(each.loss, each.norm) for each in updates])


@pytest.fixture
def masks_of_the_device(monkeypatch):
    """NumPy's lesson draws the device's masks."""

    class Words:
        def __init__(self, seed, step, part):
            self.seed, self.step, self.part, self.calls = seed, step, part, 0

        def random(self, readers):
            drawn = philox.words(self.seed, self.step, into.FORGETTING, np.arange(-(-readers // 4)))
            return (drawn.reshape(-1)[:readers] >> 8) * 2.0**-24

    def fill(words, rate, out):
        recurrent = words.part >= 1_000_000
        part = into.WEIGHT_MASKS + 2 * (words.part - 1_000_000) + words.calls if recurrent else into.OUTPUT_MASK
        words.calls += 1
        out[...] = philox.mask(words.seed, words.step, part, dropout.kept_levels(rate), out.shape)

    monkeypatch.setattr(shard, "generator", Words)
    monkeypatch.setattr(shard, "fill_mask", fill)
    monkeypatch.setattr(learner_module, "generator", Words)


REGULARIZED = {"dropout": 0.2, "weight_drop": 0.1, "state_reset": 0.1, "weight_decay": 0.01}


# How far the norms and losses of fifty updates may be off, of themselves, and any of the losses, in nats.
NEAR = {"float32": (1e-3, 0.01), "tf32": (5e-3, 0.02), "bf16": (3e-2, 0.05)}


@pytest.mark.parametrize(
    ("precision", "variant", "changes"),
    [
        pytest.param("float32", "fused", REGULARIZED, id="fused-regularized"),
        pytest.param("float32", "fused", {}, id="fused"),
        pytest.param("float32", "gemm", REGULARIZED, id="gemm-regularized"),
        pytest.param("float32", "gemm", {}, id="gemm"),
        pytest.param("tf32", "tensor", REGULARIZED, id="tf32-regularized"),
        pytest.param("bf16", "tensor", REGULARIZED, id="bf16-regularized"),
    ],
)
@pytest.mark.long
def test_two_hundred_updates_have_numpys_losses(precision, variant, changes, masks_of_the_device):
    config = training(**changes)
    with Crew(1) as crew:
        learner = Learner(TEXT, MODEL, config, crew)
        expected = teach_numpy(learner, config, 200)
        lesson = make_lesson(config, precision, variant=variant)
        found = teach(lesson, config, 200)
        near, nats = NEAR[precision]
        assert expected[-20:, 0].mean() < expected[0, 0] - 0.8, "this lesson should have been learned"
        np.testing.assert_allclose(found[:50], expected[:50], rtol=near)
        np.testing.assert_allclose(found[:, 0], expected[:, 0], atol=nats)
        assert (lesson.step, lesson.position) == (learner.step, learner.stream.position)
        assert lesson.epoch == pytest.approx(learner.stream.epoch)


def snapshot(lesson):
    return [array.tobytes() for array in lesson.arrays()]


def test_a_lesson_that_is_resumed_goes_on_bit_for_bit():
    config = training(dropout=0.3, weight_drop=0.2, state_reset=0.2)
    whole, first = make_lesson(config), make_lesson(config)
    expected = teach(whole, config, 12)
    teach(first, config, 5)
    second = make_lesson(config, arrays=first.arrays(), step=first.step, position=first.position)
    assert np.array_equal(teach(second, config, 7), expected[5:])
    assert snapshot(second) == snapshot(whole)


@pytest.mark.long
def test_checkpoints_move_from_numpy_to_the_device_and_back():
    config = training()
    with Crew(1) as crew:
        straight = Learner(TEXT, MODEL, config, crew)
        expected = teach_numpy(straight, config, 40)
        first = Learner(TEXT, MODEL, config, crew)
        teach_numpy(first, config, 10)
        lesson = make_lesson(config, arrays=first.arrays(), step=first.step, position=first.stream.position)
        for found, kept in zip(lesson.arrays(), first.arrays(), strict=True):
            assert np.array_equal(found, kept)
        on_device = teach(lesson, config, 15)
        np.testing.assert_allclose(on_device, expected[10:25], rtol=1e-3)
        weights, averaged, m, v, state = lesson.arrays()
        resumed = Learner(TEXT, MODEL, config, crew)
        resumed_arrays = (weights, averaged, m, v, state)
        for current, saved in zip(resumed.arrays(), resumed_arrays, strict=True):
            current[:] = saved
        resumed._adam.step, resumed.stream.position = lesson.step, lesson.position
        np.testing.assert_allclose(teach_numpy(resumed, config, 15), expected[25:], rtol=1e-3)


@pytest.mark.long
def test_averages_are_what_numpy_averages():
    config = training(averaging=0.95)
    with Crew(1) as crew:
        learner, lesson = Learner(TEXT, MODEL, config, crew), make_lesson(config)
        teach_numpy(learner, config, 30)
        teach(lesson, config, 30)
        for found, expected in zip(lesson.arrays(), learner.arrays(), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max() + 1e-7)


@pytest.mark.parametrize("where", ["layers.0.U_h", "output.b_y", "layers.1.W"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_update_that_is_not_finite_changes_nothing(where, bad):
    lesson = make_lesson()
    teach(lesson, training(), 3)
    lesson.parameters[where][...] = bad
    before = snapshot(lesson)
    with np.errstate(invalid="ignore"):
        found = teach(lesson, training(), 2)
    assert np.isnan(found).all()
    assert snapshot(lesson) == before
    assert lesson.step == 5


def test_a_gradient_that_is_not_finite_changes_nothing_either():
    """A loss may be finite where its gradient is not."""
    config = training()
    lesson = make_lesson(config)
    before = snapshot(lesson)
    gradients = lesson.network.gradients.flat
    finish = lesson._finish
    lesson._finish = [lambda: gradients.__setitem__(7, np.inf), *finish]
    assert np.isnan(teach(lesson, config, 1)).all()
    assert snapshot(lesson) == before
    lesson._finish = finish
    assert np.isfinite(teach(lesson, config, 1)).all()
    assert snapshot(lesson) != before


def test_falling_back_is_to_the_last_remembered_state():
    config = training()
    lesson = make_lesson(config)
    start = snapshot(lesson)
    teach(lesson, config, 2)
    lesson.fall_back()
    assert (snapshot(lesson), lesson.step, lesson.position) == (start, 0, 0)
    teach(lesson, config, 4)
    lesson.remember()
    kept = snapshot(lesson)
    expected = teach(lesson, config, 3)
    lesson.fall_back()
    assert (snapshot(lesson), lesson.step, lesson.position) == (kept, 4, 28)
    assert np.array_equal(teach(lesson, config, 3), expected)


@pytest.mark.long
def test_losses_are_not_lost_when_nobody_collects(monkeypatch):
    config = training()
    expected = teach(make_lesson(config), config, 9)
    monkeypatch.setattr(lesson_module, "HISTORY", 4)
    lesson = make_lesson(config)
    assert np.array_equal(teach(lesson, config, 9), expected)
    assert lesson.collect() == []


def test_a_text_that_is_read_round_the_ring():
    config = training(batch_size=3, seq_len=5, seed=8)
    short = TEXT[:31]
    with Crew(1) as crew:
        learner = Learner(short, MODEL, config, crew)
        lesson = DeviceLesson(emulated_device(), short, MODEL, config)
        np.testing.assert_allclose(teach(lesson, config, 12), teach_numpy(learner, config, 12), rtol=1e-3)


@pytest.mark.parametrize("ids", [np.array([], int), np.array([6]), np.array([-1]), np.zeros((2, 2), int)])
def test_ids_outside_the_vocabulary_never_reach_a_kernel(ids):
    with pytest.raises(ValueError, match="ids"):
        DeviceLesson(emulated_device(), ids, MODEL, training())


def test_arrays_of_another_model_are_refused():
    lesson = make_lesson()
    arrays = lesson.arrays()
    with pytest.raises(ValueError, match="shape"):
        lesson.load((*arrays[:4], arrays[4][:1]), 0, 0)


def test_checkpoint_names_the_same_arrays():
    """`DeviceLesson.arrays` is in the order in which a checkpoint has them."""
    names = [
        name for name in Checkpoint.__dataclass_fields__ if name in ("weights", "averaged", "adam_m", "adam_v", "state")
    ]
    assert names == ["weights", "averaged", "adam_m", "adam_v", "state"]


def test_ids_go_to_the_device_in_stretches(monkeypatch):
    monkeypatch.setattr(lesson_module, "_STRETCH", 7)
    lesson = make_lesson()
    np.testing.assert_array_equal(lesson.device.host(lesson._ids), TEXT)
    assert lesson._ids.dtype == np.int32
