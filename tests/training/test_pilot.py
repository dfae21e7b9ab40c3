"""The pilot: a real, small training, the same on every machine, which can be stopped."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from chargru.config import TrainRequest
from chargru.errors import ConfigError
from chargru.text import library
from chargru.text.stream import split
from chargru.text.vocabulary import Vocabulary
from chargru.training import pilot as module
from chargru.training.difficulty import difficulty
from chargru.training.landmarks import mean_loss, ngram_probabilities
from chargru.training.pilot import Pilot, pilot, pilot_seconds
from chargru.training.prior import prior_of

TALES = library.load("tales").text


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """As many updates as show that it learns."""
    monkeypatch.setattr(module, "EARLY", 15)
    monkeypatch.setattr(module, "LATE", 60)


def parts_of(text):
    vocabulary = Vocabulary.from_text(text)
    return *split(vocabulary.encode(text), 0.1), vocabulary.size


@pytest.mark.long
def test_it_learns_and_tells_how_fast():
    train, val, V = parts_of(TALES[:60_000])
    found = pilot(train, val, V, 1)
    assert math.log(V) > found.early > found.late > difficulty(train, val, V).best
    again = pilot(train, val, V, 2)
    assert again.late == pytest.approx(found.late, rel=1e-4)  # however many threads there are
    ninth = [mean_loss(each) for each in ngram_probabilities(train, val, V, 9)][-1]
    assert found.ninth == ninth
    assert found.quarter > found.half > difficulty(train, val, V).best  # less text says less


def test_it_stops_when_it_is_told_to():
    asked = []
    assert pilot(*parts_of(TALES[:20_000]), 1, lambda: len(asked) > 3 or asked.append(1)) is None
    assert len(asked) == 4


@pytest.mark.parametrize("text", ["a", "ab", "abcdefghij"])
def test_of_next_to_nothing_there_is_none(text):
    assert pilot(*parts_of(text), 1) is None


@pytest.mark.parametrize("text", ["a" * 500, "ab" * 400, "x" * 40 + "y" * 4, "abcdefghijklmnopqrstuvwxyz"])
def test_strange_texts_have_possible_losses(text):
    found = pilot(*parts_of(text), 1)
    for value in (found.early, found.late, found.ninth, found.half, found.quarter):
        assert math.isfinite(value)
        assert value >= 0


def test_a_loss_that_is_not_finite_is_no_pilot(monkeypatch):
    monkeypatch.setattr(module, "_RATE", 1e30)
    with np.errstate(all="ignore"):
        assert pilot(*parts_of(TALES[:20_000]), 1) is None


def test_what_a_face_hands_on_is_checked():
    losses = (2.0, 1.5, 1.7, 1.4, 1.6)
    request = TrainRequest.from_dict(json.loads(json.dumps(TrainRequest(corpus="tales", pilot=losses).to_dict())))
    assert Pilot.recall(request.pilot) == Pilot(*losses)
    for wrong in (losses[:4], (*losses, 1.0), (*losses[:4], math.nan), (*losses[:4], -1.0), (*losses[:4], "1")):
        with pytest.raises(ConfigError):
            Pilot.recall(wrong)


def test_many_characters_take_longer():
    assert pilot_seconds(2_000, 1e10) > 3 * pilot_seconds(60, 1e10)
    assert pilot_seconds(60, 2e10) == pytest.approx(pilot_seconds(60, 1e10) / 2)


def test_a_look_has_a_pilot_only_if_it_is_a_close_one():
    near, far = (prior_of(TALES[:20_000], whole=True, closely=closely, threads=1) for closely in (True, False))
    assert isinstance(near.pilot, Pilot)
    assert far.pilot is None
    assert near.hard == far.hard
    assert prior_of("ab", whole=True, closely=True, threads=None) is None
