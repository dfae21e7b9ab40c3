"""What an update does beside its gradients: streams that forget their state."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import Crew
from chargru.training.learner import Learner

IDS = np.random.default_rng(0).integers(0, 5, 4_000).astype(np.uint8)


def learner(state_reset):
    training = TrainingConfig(steps=100, batch_size=8, seq_len=16, state_reset=state_reset)
    return Learner(IDS, ModelConfig(vocab_size=5, hidden_size=7, num_layers=2), training, Crew(1))


def states_before(state_reset, windows=40):
    """The state that each window begins from, (L, B, H)."""
    subject, begun = learner(state_reset), []
    compute = subject.network.loss_and_gradients

    def watched(*arguments):
        begun.append(subject.network.state.copy())
        return compute(*arguments)

    subject.network.loss_and_gradients = watched
    for _ in range(windows):
        subject.update(1e-3)
    return np.array(begun[1:])  # the first begins from zero anyhow


def test_without_it_the_state_is_carried_on():
    assert states_before(0.0).any(axis=(1, 3)).all()


def test_a_stream_forgets_all_its_layers_at_once_and_now_and_then():
    kept = states_before(0.25).any(axis=3)  # (windows, L, B)
    assert (kept[:, 0] == kept[:, 1]).all()
    assert np.mean(~kept) == pytest.approx(0.25, abs=0.08)
    assert len({each.tobytes() for each in kept[:, 0]}) > 10  # not always the same streams


def test_it_may_forget_always():
    assert not states_before(1.0).any()


def test_the_same_seed_forgets_at_the_same_places():
    assert np.array_equal(states_before(0.25), states_before(0.25))
