"""Where a continuation goes round in circles."""

from __future__ import annotations

import pytest

from chargru.completion.loops import once_round


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("", ""),
        ("and then it rained.", "and then it rained."),
        (" of the same of the same of the same of", " of the same"),
        ("the sand of the same of the same of", "the sand of the same"),
        ("한글을 쓰고 한글을 쓰고 한글을", "한글을 쓰고 "),
        ("ha ha ha, he said", "ha ha ha, he said"),
        ("-" * 40, "-" * 40),
        ("        return x", "        return x"),
        ("that that", "that that"),  # not the same length twice: a blank is between
        ("abcdabcd", "abcd"),
        ("the same and the same", "the same and the same"),
    ],
)
def test_what_is_said_twice_in_a_row_is_said_once(text: str, once: str) -> None:
    assert once_round(text) == once
    assert once_round(once) == once
