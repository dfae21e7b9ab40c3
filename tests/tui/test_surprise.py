"""Levels of surprise, and their place on a text that was read otherwise than typed."""

from __future__ import annotations

import math
import unicodedata

from chargru.tui.surprise import LEVELS, LIKELY, level, spread


def test_levels_follow_probabilities() -> None:
    assert [level(-math.log(p)) for p in (0.9, 0.5, 0.49, 0.2, 0.06, 0.05, 0.02, 0.01, 0.009)] == [
        0, 0, 1, 1, 2, 2, 3, 3, 4,
    ]  # fmt: skip
    assert level(0.0) == 0
    assert level(math.inf) == level(math.nan) == LEVELS - 1 == len(LIKELY)


def test_a_text_read_as_typed_keeps_its_values() -> None:
    assert spread("abc", "abc", [1, 2, 3]) == (1.0, 2.0, 3.0)
    assert spread("a“b", 'a"b', [1, 2, 3]) == (1.0, 2.0, 3.0)
    assert spread("", "", []) == ()


def test_syllables_read_as_letters_sum_up() -> None:
    read = unicodedata.normalize("NFD", "한a글")
    assert spread("한a글", read, [1, 1, 1, 5, 2, 2, 2]) == (3.0, 5.0, 6.0)


def test_what_was_skipped_has_none() -> None:
    assert spread("a😀b", "ab", [1, 2]) == (1.0, None, 2.0)
    assert spread("ab😀", "ab", [1, 2]) == (1.0, 2.0, None)


def test_what_became_several_shares() -> None:
    assert spread("a™b", "aTMb", [1, 2, 4, 8]) == (1.0, 6.0, 8.0)


def test_a_long_text_is_not_matched_while_typing() -> None:
    typed = "x😀" + "y" * 5000
    values = spread(typed, "x" + "y" * 5000, [0.5] * 5001)
    assert len(values) == len(typed)
    assert values[0] == 0.5
    assert values[1] is None
