"""What simple models reach on a text: n-gram models, so that a network's loss can be compared with something.

An n-gram model predicts a character from the n − 1 before it by counting (interpolated Witten-Bell: Witten and Bell
1991, in the form of Chen and Goodman 1996, section 2.5). With c(h) occurrences of a context h, t(h) distinct
characters seen after it, and h′ the context without its oldest character,

    P(w | h) = (c(h w) + t(h) P(w | h′)) / (c(h) + t(h))

down to the single letters, whose context is empty and whose h′ is the uniform distribution over the vocabulary; a
context that was never seen says nothing, P(w | h) = P(w | h′). So every model is a distribution, gives every character
of the vocabulary some probability, and is counted on one text and measured on another.

Everything is a sort and a few passes over arrays: a few tenths of a second for a million characters, nearly all of it
in NumPy with the interpreter lock released, so that it can be counted beside a training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.events import Landmarks

COUNTED = 1_000_000  # characters of the training part that are counted, at most
MEASURED = 100_000  # characters of the held-out part that are scored, at most
ORDER = 5
_LARGEST = 2**63 - 1  # what a packed n-gram may be
_TABLE = 1 << 20  # so many possible n-grams are counted in a table; more are sorted

Array = npt.NDArray[Any]


def landmarks(
    train: Array, val: Array, vocab_size: int, should_stop: Callable[[], bool] = lambda: False
) -> Landmarks | None:
    """The losses of the simple models, counted on the beginning of `train` (n,) and measured on that of `val` (m,).

    None when there is nothing to measure on (m < 2: the first character, which nothing precedes, is not scored by the
    networks either), or when `should_stop` said so.
    """
    if len(val) < 2 or len(train) < 1:
        return None
    counted, measured = train[:COUNTED], val[:MEASURED]
    losses: list[float] = []
    for probabilities in ngram_probabilities(counted, measured, vocab_size, ORDER):
        if should_stop():
            return None
        losses.append(mean_loss(probabilities))
    return Landmarks(math.log(vocab_size), losses[0], losses[2], losses[4], len(counted))


def mean_loss(probabilities: Array) -> float:
    """Nats per character."""
    return abs(float(np.mean(np.log(probabilities))))


def ngram_probabilities(train: Array, text: Array, vocab_size: int, orders: int) -> Iterator[Array]:
    """For n = 1, 2, … `orders`: P(text[i] | the n − 1 characters before) for i = 1 … m − 1, as float64 (m − 1,).

    `train` (n,) and `text` (m,) are ids below `vocab_size`. A character at the beginning of the text, which has fewer
    than n − 1 before it, is predicted from those it has. The array is the caller's own.
    """
    counted, asked = _Grams(train, vocab_size), _Grams(text, vocab_size)
    p = np.full(max(0, len(text) - 1), 1.0 / vocab_size)
    for n in range(1, orders + 1):
        if n > 1:
            if counted.bound > _LARGEST // vocab_size:
                _compress(counted, asked)
            counted.lengthen()
            asked.lengthen()
        if len(asked.grams) == 0:  # the text is shorter than n
            yield p.copy()
            continue
        if len(counted.grams):
            # the first n-gram of the text ends at its character n − 1; the first character is not scored
            grams = asked.grams if n > 1 else asked.grams[1:]
            stretch = slice(max(0, n - 2), None)
            p[stretch] = _interpolate(counted, grams, vocab_size, p[stretch])
        yield p.copy()


class _Grams:
    """The n-grams of a text, from single letters on; each packed into one integer below `bound`.

    It is that of the (n − 1)-gram before its last character, times V, plus that character.
    """

    def __init__(self, ids: Array, vocab_size: int) -> None:
        self._ids = ids.astype(np.int64)  # (m,)
        self._vocab_size = vocab_size
        self.grams = self._ids  # (m − n + 1,)
        self.bound = vocab_size

    def lengthen(self) -> None:
        """From n-grams to (n + 1)-grams."""
        following = self._ids[len(self._ids) - len(self.grams) + 1 :]
        self.grams = self.grams[: len(following)] * self._vocab_size
        self.grams += following
        self.bound *= self._vocab_size


def _compress(counted: _Grams, asked: _Grams) -> None:
    """Give the n-grams of `counted` their ranks as new names; one more name is for all that do not occur in it."""
    known, _ = _counts(counted.grams, counted.bound)
    counted.grams = np.searchsorted(known, counted.grams)
    place, found = _look_up(known, asked.grams)
    asked.grams = np.where(found, place, len(known))
    counted.bound = asked.bound = len(known) + 1


def _interpolate(counted: _Grams, asked: Array, vocab_size: int, lower: Array) -> Array:
    """P(w | h) for each n-gram h w of `asked` (k,), where `lower` (k,) is P(w | h′)."""
    grams, occurrences = _counts(counted.grams, counted.bound)
    contexts, distinct = _runs(grams // vocab_size)  # distinct (u,): characters seen after each
    total = np.add.reduceat(occurrences, np.cumsum(distinct) - distinct)  # (u,)
    place, found = _look_up(grams, asked)
    here = np.where(found, occurrences[place], 0)  # (k,) c(h w)
    place, found = _look_up(contexts, asked // vocab_size)
    weight = distinct[place].astype(np.float64)  # (k,) t(h)
    return np.where(found, (here + weight * lower) / (total[place] + weight), lower)


def _counts(values: Array, bound: int) -> tuple[Array, Array]:
    """The distinct values, which are below `bound`, in order, and how often each occurs; int64 (u,) both."""
    if bound <= _TABLE:
        table = np.bincount(values, minlength=bound)
        distinct = np.flatnonzero(table)
        return distinct, table[distinct]
    return _runs(np.sort(values))


def _runs(ordered: Array) -> tuple[Array, Array]:
    """The distinct values of an ordered, not empty array, and how often each occurs; (u,) both."""
    first = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
    return ordered[first], np.diff(first, append=len(ordered))


def _look_up(known: Array, asked: Array) -> tuple[Array, Array]:
    """Where each of `asked` (k,) stands in the ordered `known` (u ≥ 1,), and whether it is there at all."""
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return place, known[place] == asked
