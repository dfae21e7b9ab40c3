"""A loss in words: which simple model it beats."""

from __future__ import annotations

import math

import pytest

from chargru.events import Landmarks
from chargru.tui.landmarks import comparison, yardsticks
from chargru.tui.scales import Scale

TOLD = Landmarks(4.17, 3.05, 2.05, 1.62, 1_003_854)


def test_the_weakest_comes_first_and_what_is_not_finite_not_at_all() -> None:
    assert [each.label for each in yardsticks(TOLD)] == ["uniform", "letters", "3-gram", "5-gram"]
    # on a very short text the longer context may do worse
    odd = Landmarks(4.17, 3.05, 2.05, 2.2, 100)
    assert [each.label for each in yardsticks(odd)] == ["uniform", "letters", "5-gram", "3-gram"]
    assert [each.label for each in yardsticks(Landmarks(4.17, math.inf, math.nan, 2.2, 9))] == ["uniform", "5-gram"]
    assert yardsticks(None) == ()


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (4.3, "not yet better than guessing evenly"),
        (3.5, "better than guessing evenly, 0.45 above letter frequencies"),
        (1.8, "better than the 3-gram model, 0.18 above the 5-gram"),
        (1.4, "better than the 5-gram model"),
        (math.nan, ""),
        (None, ""),
    ],
)
def test_in_words(loss: float | None, words: str) -> None:
    assert comparison(TOLD, loss, Scale()) == words
    assert comparison(None, loss, Scale()) == ""


def test_the_distance_is_in_the_unit_that_was_chosen() -> None:
    assert comparison(TOLD, 1.62 + math.log(2), Scale(bits=True)).endswith("0.38 above the 3-gram")
    assert comparison(TOLD, 1.8, Scale(), next_too=False) == "better than the 3-gram model"
