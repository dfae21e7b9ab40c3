"""When a device's losses are read: seldom enough that it never waits, often enough for a chart and for a bad number."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.training import device_learner
from chargru.training.device_learner import MOST, PENDING, SECONDS, DeviceLearner


class FakeLesson:
    """Queues at once and takes `each` seconds for an update when its losses are collected."""

    each = 0.001
    launches = 1

    def __init__(self, device, ids, model, training, *, arrays=None, step=0, position=0):
        self.clock, self.arrays_given = device, arrays
        self.step, self.position, self.queued = step, position, []
        self.remembered = []
        self.bad = set()

    def update(self, rate):
        self.queued.append((1.0 + self.step / 100, 0.5) if self.step not in self.bad else (math.nan, math.nan))
        self.step += 1
        self.position += 16

    def collect(self):
        self.clock.now += self.each * len(self.queued)
        told, self.queued = self.queued, []
        return told

    def remember(self):
        assert not self.queued
        self.remembered.append(self.step)

    def fall_back(self):
        assert not self.queued, "what was queued must be forgotten first"
        self.step = self.remembered[-1]


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def learner(monkeypatch):
    """`learner(each=seconds of an update)`"""

    def make(each):
        clock = Clock()
        lesson = type("Lesson", (FakeLesson,), {"each": each})
        monkeypatch.setattr(device_learner, "DeviceLesson", lesson)
        training = TrainingConfig(steps=100, batch_size=2, seq_len=16)
        return DeviceLearner(clock, np.zeros(50, np.uint8), ModelConfig(5, 4, 1), training, clock=clock)

    return make


def waits(subject, updates):
    """After how many updates each time something was told."""
    told, since = [], 0
    for _ in range(updates):
        since += 1
        if known := subject.update(1e-3):
            assert len(known) == since
            told.append(since)
            since = 0
    return told


@pytest.mark.parametrize("launches", [1, 16, 2 * PENDING])
def test_no_more_is_queued_than_cuda_takes_without_making_the_host_wait(learner, launches):
    subject = learner(1e-6)
    subject._lesson.launches = launches
    most = max(waits(subject, 3_000))
    assert most == min(MOST, max(1, PENDING // launches))


@pytest.mark.parametrize(("each", "usual"), [(0.001, 100), (0.02, 5), (0.5, 1), (1e-6, MOST)])
def test_about_a_tenth_of_a_second_is_queued(learner, each, usual):
    told = waits(learner(each), 3_000)
    assert told[0] == 1  # the first may take seconds: kernels are compiled
    assert told[-1] == pytest.approx(usual, abs=1)
    assert all(later <= 2 * sooner for sooner, later in itertools.pairwise(told))
    assert max(told) * each <= max(SECONDS, each) * 1.01


def test_every_update_is_told_once_and_in_order(learner):
    subject = learner(0.004)
    known = [update for _ in range(70) for update in subject.update(1e-3)] + list(subject.settle())
    assert [update.loss for update in known] == [pytest.approx(1 + i / 100) for i in range(70)]
    assert subject.settle() == ()


def test_what_is_not_finite_is_told_as_such(learner):
    subject = learner(0.01)
    subject._lesson.bad = {3}
    known = [update for _ in range(8) for update in subject.update(1e-3)] + list(subject.settle())
    assert [update.finite for update in known] == [True] * 3 + [False] + [True] * 4


def test_falling_back_forgets_what_was_queued(learner):
    subject = learner(0.001)
    subject.settle()
    for _ in range(5):
        subject.update(1e-3)
    subject.fall_back()
    assert subject.step == 0
    assert subject.settle() == ()


def test_the_first_state_is_one_to_fall_back_to(learner):
    assert learner(0.001)._lesson.remembered == [0]
