"""n-gram losses against a slow implementation with dictionaries, and against what must hold for any text."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from chargru.text import library
from chargru.text.stream import split
from chargru.text.vocabulary import Vocabulary
from chargru.training import landmarks as module
from chargru.training.landmarks import landmarks, mean_loss, ngram_probabilities

TEXT = "".join(f"{n} and {n * n} is what the {n % 7}th said.\n" for n in range(60))


def ids_of(text, fraction=0.1):
    vocabulary = Vocabulary.from_text(text)
    return *split(vocabulary.encode(text), fraction), vocabulary.size


class Counting:
    """Interpolated Witten-Bell, one character at a time."""

    def __init__(self, train, V, n):
        self.V, self.n = V, n
        self.after = defaultdict(Counter)  # context -> what came after it
        for order, at in itertools.product(range(n), range(len(train))):
            if at >= order:
                self.after[tuple(train[at - order : at])][train[at]] += 1

    def probability(self, context, character):
        lower = self.probability(context[1:], character) if context else 1 / self.V
        seen = self.after.get(tuple(context))
        if seen is None:
            return lower
        return (seen[character] + len(seen) * lower) / (seen.total() + len(seen))

    def probabilities(self, text):
        return [self.probability(text[max(0, at - self.n + 1) : at], text[at]) for at in range(1, len(text))]


@pytest.mark.parametrize(
    "text",
    [TEXT, "a", "ab", "aaaaaaaaaaab", "abcabcabcabd", "가나다라" * 20, "the end" + "zyxwv" * 3],
    ids=lambda text: text[:8],
)
@pytest.mark.parametrize(("largest", "table"), [(2**63 - 1, 1 << 20), (2**63 - 1, 0), (5000, 0), (5000, 1000)])
def test_as_a_slow_count_with_dictionaries(text, largest, table, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST", largest)  # the small one: n-grams are given ranks on the way
    monkeypatch.setattr(module, "_TABLE", table)  # 0: everything is sorted
    train, val, V = ids_of(text, 0.3)
    train, val = train.tolist(), val.tolist()
    arrays = list(ngram_probabilities(np.array(train), np.array(val, int), V, 7))
    assert len(arrays) == 7
    for n, found in enumerate(arrays, start=1):
        np.testing.assert_allclose(found, Counting(train, V, n).probabilities(val), rtol=1e-12)


def test_every_context_has_a_distribution():
    V = 3
    train = np.random.default_rng(0).integers(0, V, 40)
    for context in itertools.product(range(V), repeat=4):
        total = np.zeros(5)
        for character in range(V):
            text = np.array([*context, character])
            total += [array[-1] for array in ngram_probabilities(train, text, V, 5)]
        np.testing.assert_allclose(total, 1.0, rtol=1e-12)


def test_a_vocabulary_of_any_size():
    rng = np.random.default_rng(1)
    train, val = rng.integers(0, 200_000, 300), rng.integers(0, 200_000, 80)
    val[40:60] = train[100:120]
    for n, found in enumerate(ngram_probabilities(train, val, 200_000, 5), start=1):
        expected = Counting(train.tolist(), 200_000, n).probabilities(val.tolist())
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_on_a_real_text_longer_contexts_are_better():
    train, val, V = ids_of(library.load("tales").text)
    found = landmarks(train, val, V)
    assert found.uniform == pytest.approx(math.log(V))
    assert found.uniform > found.unigram > found.trigram > found.fivegram > 1.0
    assert found.chars == len(train)


def test_the_held_out_part_is_not_counted():
    train, val, V = ids_of(TEXT)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, V, len(val))
    honest, hopeless = landmarks(train, val, V), landmarks(train, noise, V)
    assert hopeless.fivegram > math.log(V) > honest.fivegram
    assert np.array_equal(train, ids_of(TEXT)[0])


def test_one_letter_is_certain():
    train, val, V = ids_of("a" * 50)
    found = landmarks(train, val, V)
    assert (found.uniform, found.unigram, found.trigram, found.fivegram) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("m", [0, 1])
def test_nothing_to_measure_on_is_no_landmark(m):
    assert landmarks(np.arange(9) % 3, np.zeros(m, int), 3) is None


def test_a_long_text_is_counted_from_its_beginning_and_told(monkeypatch):
    monkeypatch.setattr(module, "COUNTED", 700)
    monkeypatch.setattr(module, "MEASURED", 90)
    train, val, V = ids_of(TEXT)
    found = landmarks(train, val, V)
    assert found.chars == 700
    expected = [mean_loss(each) for each in ngram_probabilities(train[:700], val[:90], V, 5)]
    assert (found.unigram, found.trigram, found.fivegram) == (expected[0], expected[2], expected[4])


def test_it_stops_when_told():
    train, val, V = ids_of(TEXT)
    asked = []

    def should_stop():
        asked.append(True)
        return len(asked) > 2

    assert landmarks(train, val, V, should_stop) is None
    assert len(asked) == 3
