"""Adam, the norm, the schedule and the averages against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import Adam, Crew, Parameters, global_norm, learning_rate_at, optimizer
from chargru.engine.fused import choice

CONFIG = ModelConfig(vocab_size=5, hidden_size=4, num_layers=2)


def random_parameters(seed):
    parameters = Parameters(CONFIG, np.float64)
    parameters.flat[:] = np.random.default_rng(seed).normal(size=parameters.flat.shape)
    return parameters


def textbook(w, gradients, config, rate):
    """Adam with decoupled decay as in the papers, one array, no tricks."""
    m, v, w, average = 0.0, 0.0, w.copy(), w.copy()
    decayed = random_parameters(0).decayed()
    for t, g in enumerate(gradients, 1):
        norm = np.linalg.norm(g)
        g = g * min(1, config.clip_norm / norm)
        m = config.beta1 * m + (1 - config.beta1) * g
        v = config.beta2 * v + (1 - config.beta2) * g**2
        w = w - rate * config.weight_decay * decayed * w
        w = w - rate * (m / (1 - config.beta1**t)) / (np.sqrt(v / (1 - config.beta2**t)) + config.epsilon)
        keep = min(config.averaging, t / (10 + t))
        average = keep * average + (1 - keep) * w
    return w, average, m, v


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("workers", [1, 3])
def test_updates_are_those_of_the_papers(decay, workers, monkeypatch):
    monkeypatch.setattr(optimizer, "LARGE", 1)  # threads have their shares
    config = TrainingConfig(steps=9, weight_decay=decay, clip_norm=2.0, averaging=0.6)
    parameters = random_parameters(1)
    gradients = [random_parameters(seed) for seed in range(2, 8)]
    expected = textbook(parameters.flat, [g.flat for g in gradients], config, 0.01)
    with Crew(workers) as crew:
        adam = Adam(parameters, config, crew)
        for g in gradients:
            adam.update(g, global_norm(g), 0.01)
    for found, wanted in zip((parameters.flat, adam.averaged.flat, adam.m, adam.v), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)
    assert adam.step == 6


def test_small_gradients_are_not_scaled_up_and_zero_ones_are_fine():
    config = TrainingConfig(steps=1, clip_norm=100.0)
    parameters = random_parameters(1)
    adam = Adam(parameters, config)
    gradient = random_parameters(2)
    adam.update(gradient, global_norm(gradient), 0.01)
    np.testing.assert_allclose(adam.m, (1 - config.beta1) * gradient.flat, rtol=1e-12)
    before = parameters.flat.copy()
    other = Adam(parameters, config)
    other.update(Parameters(CONFIG, np.float64), 0.0, 0.01)
    assert np.array_equal(parameters.flat, before)


def test_norm_is_of_all_gradients_together_and_shows_what_is_not_finite():
    gradient = random_parameters(3)
    assert global_norm(gradient) == pytest.approx(np.linalg.norm(gradient.flat), rel=1e-12)
    gradient["output.b_y"][0] = np.inf
    assert not math.isfinite(global_norm(gradient))
    gradient["output.b_y"][0] = np.nan
    assert not math.isfinite(global_norm(gradient))


def test_weight_decay_spares_biases():
    parameters = random_parameters(4)
    mask = Parameters(CONFIG, buffer=parameters.decayed())
    assert all((mask[name] == (mask[name].ndim > 1)).all() for name in mask)


def test_rate_rises_then_follows_a_cosine_to_the_last_rate():
    config = TrainingConfig(steps=1, learning_rate=1.0, warmup=0.1, final_rate=0.02)
    assert learning_rate_at(0.05, config) == pytest.approx(0.5)
    assert learning_rate_at(0.1, config) == pytest.approx(1.0)
    assert learning_rate_at(0.55, config) == pytest.approx(0.51)
    assert learning_rate_at(1.0, config) == pytest.approx(0.02)
    assert learning_rate_at(7.0, config) == pytest.approx(0.02)
    assert 0 < learning_rate_at(0.0, config) < 0.05
    rates = [learning_rate_at(f, config) for f in np.linspace(0.1, 1, 50)]
    assert rates == sorted(rates, reverse=True)


def test_no_warm_up_starts_at_the_peak():
    assert learning_rate_at(0.0, TrainingConfig(steps=1, learning_rate=1.0, warmup=0)) == pytest.approx(1.0)


def test_averages_are_the_weights_when_turned_off():
    parameters = random_parameters(5)
    adam = Adam(parameters, TrainingConfig(steps=1, averaging=0))
    adam.update(random_parameters(6), 1.0, 0.1)
    np.testing.assert_allclose(adam.averaged.flat, parameters.flat, rtol=1e-14)


@pytest.mark.skipif(bool(choice.why_not()), reason="nothing is compiled here")
@pytest.mark.parametrize(("workers", "decay"), [(1, 0.0), (3, 0.0), (1, 2.0), (3, 2.0)])
def test_compiled_updates_are_those_of_numpy(workers, decay, monkeypatch):
    config = TrainingConfig(steps=9, clip_norm=2.0, averaging=0.6, weight_decay=decay)
    found = []
    for switch in ("1", "0"):
        monkeypatch.setenv(choice.SWITCH, switch)
        parameters = Parameters.initial(ModelConfig(vocab_size=7, hidden_size=131, num_layers=1), 1)
        assert len(parameters.flat) % 16
        rng = np.random.default_rng(2)
        with Crew(workers) as crew:
            adam = Adam(parameters, config, crew)
            assert (adam._compiled is not None) == (switch == "1")
            for _ in range(6):
                gradients = Parameters(
                    parameters.config, np.float32, rng.normal(size=parameters.flat.shape).astype("f")
                )
                adam.update(gradients, global_norm(gradients), 0.01)
        found.append((parameters.flat, adam.averaged.flat, adam.m, adam.v))
    for compiled, numpy in zip(*found, strict=True):
        np.testing.assert_allclose(compiled, numpy, rtol=2e-5, atol=1e-7)
        assert (compiled != numpy).any()  # or nothing was compiled
