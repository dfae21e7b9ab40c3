"""Drawing on a device, on the processor: the same characters as engine.sampling for the same random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig, SamplingConfig
from chargru.engine import Parameters, Stepper, draw, probabilities, sample_many, surprisal
from chargru.engine.device_sampling import DeviceSampler
from chargru.engine.fused import update_launches as update
from chargru.engine.fused import window_launches as into
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler, philox

pytestmark = [needs_compiler, pytest.mark.long]


TINY = 1e-300  # below it dividing by a sum leaves nothing


class Uniforms:
    """A generator that has drawn what the device draws."""

    def __init__(self, seed, step, rows):
        self._found = philox.uniforms(seed, step, into.DRAWING, rows)

    def random(self, shape):
        return self._found.reshape(shape)


def draw_on_device(logits, config, seed=1, step=0, order=0, b_y=None):
    device = emulated_device(order=order)
    xp, launcher, (N, V) = device.xp, device.launcher, logits.shape
    counters, rates = xp.empty(4, np.int64), xp.empty(4)
    into.set_update(launcher, counters, rates, (seed, step, 0, 1), (0.0,) * 4)()
    ids, written, nats = xp.empty(N, np.int32), xp.empty((2, N), np.int32), xp.empty((2, N))
    b_y = np.zeros(V, np.float32) if b_y is None else b_y
    weights = xp.empty((N, V), np.float64)
    update.draw(launcher, logits, b_y, weights, counters, ids, written, nats, config)()
    xp.check()
    assert np.array_equal(ids, written[1])
    np.testing.assert_allclose(nats[1], surprisal(logits + b_y, ids), rtol=1e-5, atol=1e-6)
    kept = weights > TINY
    return ids, kept


SETTINGS = [
    {"temperature": 0},
    {"temperature": 1},
    {"temperature": 1e-3},
    {"temperature": 100},
    {"top_k": 1},
    {"top_k": 3, "temperature": 2.0},
    {"top_k": 10_000},
    {"top_p": 0.0},
    {"top_p": 0.5},
    {"top_p": 0.95, "temperature": 1.5},
    {"min_p": 0.2},
    {"min_p": 1.0},
    {"top_k": 20, "top_p": 0.8, "min_p": 0.05, "temperature": 1.2},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("N", "V"), [(1, 1), (15, 3), (20, 65), (3, 2000)])
def test_draws_are_those_of_the_reference(N, V, settings):
    config = SamplingConfig(**settings)
    rng = np.random.default_rng(N + V)
    logits = rng.normal(0, 3, (N, V)).astype(np.float32)
    b_y = rng.normal(0, 1, V).astype(np.float32)
    for step in range(3):
        found, kept = draw_on_device(logits, config, 2**50 + 1, step, b_y=b_y)
        assert np.array_equal(found, draw(logits + b_y, config, Uniforms(2**50 + 1, step, N)))
        if config.temperature > 0:
            assert np.array_equal(kept, probabilities(logits + b_y, config) > TINY)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_ties_are_won_by_the_lower_id(settings):
    config = SamplingConfig(**({"temperature": 1.0} | settings))
    rng = np.random.default_rng(5)
    logits = rng.integers(-2, 2, (50, 40)).astype(np.float32)  # many equal ones
    logits[0] = 0
    logits[1, ::2] = -0.0
    found, kept = draw_on_device(logits, config)
    assert np.array_equal(found, draw(logits, config, Uniforms(1, 0, 50)))
    if config.temperature > 0:
        assert np.array_equal(kept, probabilities(logits, config) > TINY)


def test_no_order_of_threads_changes_a_draw():
    config = SamplingConfig(top_k=20, top_p=0.9, min_p=0.01)
    logits = np.random.default_rng(2).normal(size=(6, 300)).astype(np.float32)
    found = [draw_on_device(logits, config, order=order)[0].tolist() for order in (0, 1, 2)]
    assert found[0] == found[1] == found[2]


def test_draws_follow_the_distribution():
    logits = np.repeat(np.log(np.array([[0.5, 0.3, 0.2]], np.float32)), 1500, axis=0)
    found, _ = draw_on_device(logits, SamplingConfig(temperature=1.0))
    np.testing.assert_allclose(np.bincount(found) / 1500, [0.5, 0.3, 0.2], atol=0.05)


def network(L=2, V=11, H=20):
    config = ModelConfig(vocab_size=V, hidden_size=H, num_layers=L)
    parameters = Parameters.initial(config, 4)
    parameters["output.W_y"][:] *= 4
    return parameters


PROMPTS = [np.array([1, 2, 3]), np.array([4]), np.array([5, 6, 7, 8, 9, 10, 0])]


def written_by_numpy(parameters, prompt, config, rows, total):
    """What a stepper writes for the completions `rows` of a prompt, with the device's random numbers."""
    stepper, found, nats = Stepper(parameters, len(rows)), [], []
    logits = stepper.read(prompt)
    for step in range(config.length):

        class Rows(Uniforms):
            def random(self, shape):
                return self._found[rows].reshape(shape)

        ids = draw(logits, config, Rows(config.seed, step, total))
        found.append(ids)
        nats.append(surprisal(logits, ids))
        logits = stepper.step(ids)
    return np.array(found).T, np.array(nats).T


@pytest.mark.parametrize("L", [1, 2])
@pytest.mark.parametrize("settings", [{"temperature": 0}, {"temperature": 0.9, "top_p": 0.9}], ids=str)
def test_many_prompts_with_many_completions(L, settings):
    parameters, config = network(L), SamplingConfig(length=9, count=4, seed=6, **settings)
    chunks = list(sample_many(emulated_device(), parameters, PROMPTS, config, chunk=4))
    assert [chunk.ids.shape for chunk in chunks] == [(12, 4), (12, 4), (12, 1)]
    ids = np.concatenate([chunk.ids for chunk in chunks], axis=1)
    nats = np.concatenate([chunk.nats for chunk in chunks], axis=1)
    for i, prompt in enumerate(PROMPTS):
        rows = np.arange(4 * i, 4 * i + 4)
        expected, expected_nats = written_by_numpy(parameters, prompt, config, rows, 12)
        assert np.array_equal(ids[rows], expected)
        np.testing.assert_allclose(nats[rows], expected_nats, atol=1e-4)


def test_chunks_change_nothing_and_seeds_do():
    parameters = network()

    def text(chunk, seed):
        config = SamplingConfig(length=10, count=3, seed=seed, temperature=1.0)
        chunks = sample_many(emulated_device(), parameters, PROMPTS[:1], config, chunk=chunk)
        return np.concatenate([each.ids for each in chunks], axis=1).tolist()

    assert text(3, 1) == text(32, 1)
    assert text(32, 1) != text(32, 2)
    assert text(32, None) != text(32, None)


def test_parameters_may_lie_on_the_device_and_prompts_be_read_again():
    device, parameters = emulated_device(), network()
    config = SamplingConfig(length=5, count=1, seed=1)
    sampler = DeviceSampler(device, parameters, 2, config, slots=5)
    found = []
    for prompts in (PROMPTS[:2], PROMPTS[1:], PROMPTS[:2]):
        sampler.read(prompts)
        found.append(sampler.write(5).ids.tolist())
    device.xp.check()
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("prompts", [[], [np.array([], int)], [np.array([11])], [np.array([1, -1])]])
def test_prompts_outside_the_vocabulary_never_reach_a_kernel(prompts):
    with pytest.raises(ValueError, match="prompt"):
        sample_many(emulated_device(), network(), prompts, SamplingConfig())


def test_a_chunk_larger_than_the_slots_is_refused():
    sampler = DeviceSampler(emulated_device(), network(), 1, SamplingConfig(), slots=2)
    with pytest.raises(ValueError, match="slots"):
        sampler.write(3)
