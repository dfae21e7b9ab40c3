"""Best first, the same text once."""

from __future__ import annotations

import pytest

from chargru.completion.ranking import Scored, ranked


def test_best_first_and_equals_in_order_of_drawing():
    found = ranked(["a", "b", "c"], [-2.0, -1.0, -1.0])
    assert found == [Scored("b", -1.0, 1), Scored("c", -1.0, 2), Scored("a", -2.0, 0)]


def test_the_same_text_once_with_its_copies():
    assert ranked(["x", "y", "x", "x"], [-3.0, -1.0, -3.0, -3.0]) == [Scored("y", -1.0, 1, 1), Scored("x", -3.0, 0, 3)]


def test_nothing_and_too_little():
    assert ranked([], []) == []
    with pytest.raises(ValueError, match="shorter"):
        ranked(["a", "b"], [0.0])
