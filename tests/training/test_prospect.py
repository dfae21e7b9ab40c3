"""What a text says before and beside its training."""

from __future__ import annotations

import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.training.prospect import Prospect

from .conftest import TEXT, material_of


def prospect_of(text=TEXT * 3):
    material = material_of(text, 0.1)
    model = ModelConfig(vocab_size=material.vocabulary.size, hidden_size=64)
    return Prospect(material, model, TrainingConfig(steps=10, batch_size=32, seq_len=64))


def test_landmarks_are_worked_out_once_and_the_loss_is_foreseen_from_then_on():
    prospect = prospect_of()
    assert prospect.foreseen(500) is None
    assert prospect.work_out(lambda: False, with_landmarks=False) is None
    without = prospect.foreseen(500)
    assert prospect.work_out(lambda: False, with_landmarks=True) is not None
    assert prospect.foreseen(500) == without
    assert prospect.foreseen(50) > without > prospect.foreseen(5_000) > 0
    assert prospect.foreseen(0) is None


@pytest.mark.parametrize("text", ["a", "ab" * 3])
def test_of_next_to_nothing_nothing_is_foreseen(text):
    prospect = prospect_of(text)
    prospect.work_out(lambda: False, with_landmarks=True)
    assert prospect.foreseen(100) is None


def test_who_is_told_to_stop_stops():
    prospect = prospect_of()
    assert prospect.work_out(lambda: True, with_landmarks=True) is None
    assert prospect.foreseen(100) is None
