"""Two hundred updates on the GPU: the losses that NumPy has, the same bits again, bad updates without effect."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import PRECISIONS, ModelConfig, TrainingConfig
from chargru.engine import Crew, DeviceLesson, Parameters, learning_rate_at
from chargru.engine.fused.variants import variants_for
from chargru.training.learner import Learner

pytestmark = pytest.mark.gpu

MODEL = ModelConfig(vocab_size=20, hidden_size=96, num_layers=2)
TEXT = (np.cumsum(np.random.default_rng(0).integers(0, 4, 30_000)) % 20).astype(np.uint8)


def training(**changes):
    settings = {"steps": 200, "batch_size": 16, "seq_len": 24, "learning_rate": 5e-3, "clip_norm": 0.5}
    return TrainingConfig(**(settings | changes))


def rates(config):
    return [learning_rate_at(step / config.steps, config) for step in range(config.steps)]


def teach(device, config, **options):
    lesson = DeviceLesson(device, TEXT, MODEL, config, **options)
    for rate in rates(config):
        lesson.update(rate)
    return lesson, np.array(lesson.collect())


# in float32 the same losses but for rounding; else those of a training that has learned as much
NEAR = {"float32": 2e-3, "tf32": 2e-2, "bf16": 5e-2}
WAYS = [(precision, variant) for precision in PRECISIONS for variant in variants_for(precision)]


@pytest.mark.parametrize(("precision", "variant"), WAYS)
def test_two_hundred_losses_are_those_of_numpy(gpu, precision, variant, record_property):
    config = training(weight_decay=0.01)
    lesson, found = teach(gpu(precision), config, variant=variant)
    learner = Learner(TEXT, MODEL, config, Crew(1))
    expected = np.array([(each.loss, each.norm) for rate in rates(config) for each in learner.update(rate)])
    off = np.abs(found - expected)[:, 0].max()
    record_property("summary", f"200 updates, {precision} {variant}: losses off by {off:.1e} nats")
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=NEAR[precision], atol=NEAR[precision])
    assert found[-20:, 0].mean() < 0.9 * found[:20, 0].mean()
    assert (lesson.step, lesson.position) == (learner.step, learner.position)
    ours, theirs = lesson.arrays()[1], learner.averaged.flat
    assert np.linalg.norm(ours - theirs) < (0.05 if precision == "float32" else 0.3) * np.linalg.norm(
        theirs - Parameters.initial(MODEL, 1).flat
    )


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.2, "weight_drop": 0.1, "state_reset": 0.1}], ids=str)
def test_the_same_again_is_the_same_to_the_bit(device, settings):
    one, other = (teach(device, training(steps=40, **settings)) for _ in range(2))
    assert one[1].tobytes() == other[1].tobytes()
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one[0].arrays(), other[0].arrays(), strict=True))


def test_a_bad_update_changes_nothing_and_is_told(device):
    config = training(steps=10)
    lesson = DeviceLesson(device, TEXT, MODEL, config)
    lesson.update(1e-3)
    before = lesson.arrays()
    with device.active():
        lesson.parameters.flat[-1] = np.nan
    lesson.update(1e-3)
    with device.active():
        lesson.parameters.flat[-1] = float(before[0][-1])
    assert np.isnan(lesson.collect()[1]).any()
    for kept, found in zip(before, lesson.arrays(), strict=True):
        assert kept.tobytes() == found.tobytes()


def test_updates_are_queued_and_not_waited_for(device):
    """The history holds more updates than anybody queues; nothing is lost beyond it either."""
    lesson = DeviceLesson(device, TEXT, ModelConfig(20, 8, 1), training(steps=10, batch_size=2, seq_len=2))
    for _ in range(9_000):
        lesson.update(1e-4)
    told = lesson.collect()
    assert len(told) == 9_000
    assert np.isfinite(told).all()
