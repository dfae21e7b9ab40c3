"""What a text says before and beside its training."""

from __future__ import annotations

import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.training import prospect as module
from chargru.training.pilot import LATE, Pilot
from chargru.training.prospect import Prospect

from .conftest import TEXT, material_of


def prospect_of(text=TEXT * 3):
    material = material_of(text, 0.1)
    model = ModelConfig(vocab_size=material.vocabulary.size, hidden_size=64)
    return Prospect(material, model, TrainingConfig(steps=10, batch_size=32, seq_len=64))


def test_the_loss_is_foreseen_from_the_first_look_on():
    prospect = prospect_of()
    assert prospect.foreseen(500) is None
    prospect.look()
    assert prospect.foreseen(50) > prospect.foreseen(500) > prospect.foreseen(5_000) > 0
    assert prospect.foreseen(0) is None
    assert prospect.forecast(500).likely == prospect.foreseen(500)
    assert prospect.landmarks(lambda: False).trigram > 0


@pytest.mark.parametrize("text", ["a", "ab" * 3])
def test_of_next_to_nothing_nothing_is_foreseen(text):
    prospect = prospect_of(text)
    prospect.look_closely(1e6, 1)
    assert prospect.foreseen(100) is None
    assert not prospect.forecast(100).measured


def test_who_is_told_to_stop_stops():
    prospect = prospect_of()
    assert prospect.landmarks(lambda: True) is None


def test_a_long_training_is_worth_a_pilot_and_it_is_made_once(monkeypatch):
    made = []

    def fake(train, val, vocab_size, threads):
        made.append(threads)
        return Pilot(2.0, 1.5, 1.7, 1.4, 1.6)

    monkeypatch.setattr(module, "pilot", fake)
    prospect = prospect_of()
    prospect.look_closely(LATE, 2)  # a pilot would be all of it
    before = prospect.foreseen(5_000)
    assert made == []
    prospect.look_closely(40 * LATE, 2)
    prospect.look_closely(40 * LATE, 3)
    assert made == [2]
    assert prospect.foreseen(5_000) != before


def test_a_pilot_that_somebody_made_before_is_taken_as_it_is(monkeypatch):
    monkeypatch.setattr(module, "pilot", None)  # which would fail
    material = material_of(TEXT * 3, 0.1)
    model, training = ModelConfig(material.vocabulary.size, 64), TrainingConfig(steps=10)
    known, unknown = (Prospect(material, model, training, pilot) for pilot in (Pilot(2.0, 1.5, 1.7, 1.4, 1.6), None))
    for prospect in (known, unknown):
        prospect.look()
    known.look_closely(1e6, 1)
    assert known.foreseen(2_000) != unknown.foreseen(2_000)
