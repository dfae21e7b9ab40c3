"""Completions drawn on a device, which here is the kernels on the processor."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.completion.on_device import operations
from chargru.config import ModelConfig, SamplingConfig
from tests.completion.models import make_completer, naive_nats
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

pytestmark = [needs_compiler, pytest.mark.long]

COMPLETER = make_completer()


def finished(prompt="ab 가", **settings):
    config = SamplingConfig(**({"count": 3, "length": 30, "seed": 5} | settings))
    stream = COMPLETER.stream_on(emulated_device(), prompt, config, chunk=8)
    gained = list(stream) or [[""] * config.count]
    assert ["".join(parts) for parts in zip(*gained, strict=True)] == stream.texts
    return stream


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.5}, {"min_p": 0.3}])
def test_surprisals_are_the_models_whatever_was_drawn_by(settings):
    stream = finished(**settings)
    assert [len(text) for text in stream.texts] == [30] * 3
    for text, nats, score in zip(stream.texts, stream.surprisals, stream.scores, strict=True):
        expected = naive_nats(COMPLETER, text, "ab 가")
        np.testing.assert_allclose(nats, expected, atol=1e-4)
        assert score == pytest.approx(-expected.mean(), abs=1e-4)


def test_greedy_is_as_on_the_processor():
    config = SamplingConfig(count=1, length=40, temperature=0)
    here = COMPLETER.stream("ab 가", config)
    list(here)
    assert finished(count=2, length=40, temperature=0).texts == here.texts * 2


def test_a_seed_repeats_and_another_does_not():
    assert finished(seed=3).texts == finished(seed=3).texts
    assert finished(seed=3).texts != finished(seed=4).texts
    assert len(set(finished(count=5).texts)) > 1


def test_a_stop_text_ends_each_completion_where_it_is_met():
    stream = finished(stop="b", count=6, length=200)
    free = finished(count=6, length=200)
    assert any(stream.stopped)
    for text, stopped, whole, nats in zip(stream.texts, stream.stopped, free.texts, stream.surprisals, strict=True):
        assert whole.startswith(text)  # the same draws, up to the stop
        assert stopped == text.endswith("b")
        assert text.count("b") == stopped
        assert len(nats) == len(text)


def test_a_stop_text_is_met_across_chunks():
    whole = finished(count=1, length=60).texts[0]
    stop = whole[6:11]  # chunks are of eight
    assert finished(count=1, length=60, stop=stop).texts[0] == whole[: whole.index(stop) + 5]


def test_no_length_and_no_prompt_are_fine():
    assert finished(length=0).texts == [""] * 3
    assert [len(text) for text in finished(prompt="", length=5).texts] == [5] * 3


def test_operations_grow_with_all_that_is_drawn():
    model = ModelConfig(65, 512, 2)
    few, many = (operations(model, SamplingConfig(count=count, length=100)) for count in (1, 256))
    assert many == pytest.approx(256 * few)
    assert few == pytest.approx(100 * (18 * 512**2 * 3 + 6 * 65 * 512) / 3)
