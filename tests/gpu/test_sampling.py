"""Characters drawn on the GPU: the likeliest ones, the distribution of the model, and the same again by a seed."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig, SamplingConfig
from chargru.engine import Parameters, Stepper, probabilities, sample_many, surprisal
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

pytestmark = pytest.mark.gpu


def parameters(V=40, H=96, L=2):
    made = Parameters.initial(ModelConfig(V, H, L), 4)
    made.flat *= 2
    return made


PROMPT = np.array([3, 1, 4, 1, 5, 9, 2, 6])


def drawn(device, model, **settings):
    chunks = list(sample_many(device, model, [PROMPT], SamplingConfig(**settings)))
    return np.concatenate([chunk.ids for chunk in chunks], 1), np.concatenate([chunk.nats for chunk in chunks], 1)


def test_greedy_is_the_likeliest_on_the_processor(device):
    model = parameters()
    ids, nats = drawn(device, model, count=3, length=70, temperature=0)
    stepper = Stepper(model)
    logits = stepper.read(PROMPT)
    for column, scored in zip(ids.T, nats.T, strict=True):
        assert (column == column[0]).all()
        assert column[0] == np.argmax(logits)
        np.testing.assert_allclose(scored, surprisal(logits, column[:1])[0], atol=1e-3)
        logits = stepper.step(column[:1])


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.5}, {"top_k": 5}, {"top_p": 0.7}, {"min_p": 0.2}], ids=str)
def test_first_characters_follow_the_distribution(device, settings):
    model, count = parameters(), 4096
    config = {"temperature": 1.0} | settings
    ids, _ = drawn(device, model, count=count, length=1, seed=11, **config)
    p = probabilities(Stepper(model).read(PROMPT), SamplingConfig(**config))[0]
    found = np.bincount(ids[:, 0], minlength=len(p))
    assert (found[p == 0] == 0).all()
    expected = p[p > 0] * count
    # chi-square, at most six standard deviations above its mean
    degrees = max(1, len(expected) - 1)
    assert np.sum((found[p > 0] - expected) ** 2 / expected) < degrees + 6 * np.sqrt(2 * degrees)


def test_a_seed_repeats_whatever_the_chunks(device):
    model = parameters()
    whole = drawn(device, model, count=7, length=50, seed=5)[0]
    chunks = sample_many(device, model, [PROMPT], SamplingConfig(count=7, length=50, seed=5), chunk=9)
    assert np.array_equal(np.concatenate([chunk.ids for chunk in chunks], 1), whole)
    assert not np.array_equal(drawn(device, model, count=7, length=50, seed=6)[0], whole)


@needs_compiler
def test_draws_are_those_of_the_same_kernels_on_the_processor(device):
    """The same random numbers; where a sum is rounded otherwise, a draw may differ, seldom."""
    model = parameters(H=32)
    here, there = (drawn(each, model, count=16, length=8, seed=5)[0] for each in (emulated_device(), device))
    assert np.mean(here == there) > 0.95


def test_many_prompts_are_read_each_for_itself(device):
    model = parameters()
    prompts = [PROMPT, PROMPT[:1], PROMPT[2:5]]
    config = SamplingConfig(count=2, length=12, temperature=0)
    together = np.concatenate([chunk.ids for chunk in sample_many(device, model, prompts, config)], 1)
    for index, prompt in enumerate(prompts):
        alone = np.concatenate([chunk.ids for chunk in sample_many(device, model, [prompt], config)], 1)
        assert np.array_equal(together[2 * index : 2 * index + 2], alone)
