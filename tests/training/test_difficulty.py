"""How hard a text is: the landmarks of a bounded sample, and how they fall with more text."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chargru.text import library
from chargru.text.stream import split
from chargru.text.vocabulary import Vocabulary
from chargru.training import difficulty as module
from chargru.training.difficulty import Difficulty, difficulty
from chargru.training.landmarks import landmarks

TALES = library.load("tales").text


def difficulty_of(text, *, whole=True):
    vocabulary = Vocabulary.from_text(text)
    return difficulty(*split(vocabulary.encode(text), 0.1), vocabulary.size, whole=whole)


def test_of_a_text_that_is_not_long_it_is_the_landmarks():
    text = TALES[:60_000]
    vocabulary = Vocabulary.from_text(text)
    train, val = split(vocabulary.encode(text), 0.1)
    found, known = difficulty_of(text), landmarks(train, val, vocabulary.size)
    assert (found.unigram, found.trigram) == (known.unigram, known.trigram)
    assert found.unigram > found.bigram > found.trigram
    assert found.best <= min(known.trigram, known.fivegram)
    assert (found.counted, found.measured, found.slope) == (len(train), len(val), 0.0)


def test_a_long_text_is_sampled_within_bounds(monkeypatch):
    monkeypatch.setattr(module, "COUNTED", 20_000)
    monkeypatch.setattr(module, "MEASURED", 4_000)
    ids = Vocabulary.from_text(TALES).encode(TALES)
    found = difficulty(*split(ids, 0.1), 69)
    assert (found.counted, found.measured) == (20_000, 4_000)
    assert found.unigram > found.trigram >= found.best > 1.0


def test_more_text_makes_it_easier_as_the_slope_says():
    part = difficulty_of(TALES[:40_000], whole=False)
    assert part.slope > 0
    assert part.best_at(part.counted) == part.best_at(10) == part.best
    assert part.best_at(math.e * part.counted) == pytest.approx(part.best - part.slope, abs=0.03)
    assert 0 < part.best_at(1e30) < part.best_at(1e6) < part.best
    assert difficulty_of(TALES[:40_000], whole=True).best == part.best


@pytest.mark.parametrize("text", ["a", "ab", "abcdefghij"])
def test_too_short_to_measure(text):
    assert difficulty_of(text) is None
    assert difficulty(np.zeros(5, np.uint8), np.zeros(1, np.uint8), 1) is None


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("text", ["a" * 30, "abcdefghijklmnopqrstuvwxyz", "ab" * 4000])
def test_strange_texts_have_possible_figures(text, whole):
    found = difficulty_of(text, whole=whole)
    for value in (found.unigram, found.bigram, found.trigram, found.best, found.slope, found.best_at(1e9)):
        assert math.isfinite(value)
        assert value >= 0
    assert found.best <= found.unigram


def test_nothing_left_to_learn_stays_nothing():
    assert Difficulty(0.0, 0.0, 0.0, 0.0, 0.0, 100, 10).best_at(1e6) == 0.0
