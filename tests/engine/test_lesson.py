"""The classic first lesson: three characters, one-hot, learn "the next one round", with every parameter moving."""

from __future__ import annotations

import numpy as np

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import Adam, Network, Parameters, Stepper, global_norm


def test_three_characters_the_next_one_round():
    config = ModelConfig(vocab_size=3, hidden_size=8, num_layers=1)
    parameters = Parameters.initial(config, seed=1)
    before = Parameters(config, np.float32, parameters.flat.copy())
    network = Network(config, batch_size=4, seq_len=6)
    adam = Adam(parameters, TrainingConfig(steps=150))
    ids = np.arange(6)[:, None] + np.arange(4)
    losses = []
    for _ in range(150):
        losses.append(network.loss_and_gradients(parameters, ids % 3, (ids + 1) % 3))
        adam.update(network.gradients, global_norm(network.gradients), 0.02)
    assert losses[0] > 0.9
    assert losses[-1] < 0.02
    stepper = Stepper(parameters)
    answers = [int(stepper.step(np.array([i % 3]))[0].argmax()) for i in range(300)]
    assert answers == [(i + 1) % 3 for i in range(300)]
    for name in parameters:
        moved = np.abs(parameters[name] - before[name])
        assert (moved > 1e-4).all(), f"not every weight of {name} has learned"


def test_what_only_memory_can_know():
    """Two steps back decides: a network whose recurrent weights did not learn cannot get this right."""
    config = ModelConfig(vocab_size=2, hidden_size=12, num_layers=1)
    parameters = Parameters.initial(config, seed=3)
    rng = np.random.default_rng(0)
    network = Network(config, batch_size=16, seq_len=12)
    adam = Adam(parameters, TrainingConfig(steps=400))
    for _ in range(400):
        network.state.fill(0)
        inputs = rng.integers(0, 2, (12, 16))
        targets = np.concatenate([inputs[:2], inputs[:-2]])  # repeat what was read two steps ago
        loss = network.loss_and_gradients(parameters, inputs, targets)
        adam.update(network.gradients, global_norm(network.gradients), 0.02)
    assert loss < 0.25
