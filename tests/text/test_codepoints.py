"""Texts as code points: exact for every character and across chunks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.text import codepoints

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


@given(ANY_TEXT)
def test_chunks_are_the_code_points(text: str) -> None:
    assert [point for chunk in codepoints.chunks(text) for point in chunk.tolist()] == list(map(ord, text))


def test_no_chunk_is_longer_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codepoints, "CHUNK", 5)
    assert [len(chunk) for chunk in codepoints.chunks("a" * 12)] == [5, 5, 2]


@given(st.text(max_size=40))
def test_to_text_is_the_inverse(text: str) -> None:
    points = np.array(list(map(ord, text)), np.uint32)
    assert codepoints.to_text(points) == text


@pytest.mark.parametrize("repeat", [1, 100])  # short texts are sorted, long ones tallied
@given(text=ANY_TEXT)
def test_count_agrees_with_a_counter(text: str, repeat: int) -> None:
    text = text * repeat
    points, counts = codepoints.count(text)
    expected = sorted(Counter(map(ord, text)).items())
    assert list(zip(points.tolist(), counts.tolist(), strict=True)) == expected


def test_count_adds_up_chunks_of_different_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codepoints, "CHUNK", 700)
    text = "a" * 700 + "한" * 700 + "b" * 700 + "🙂"
    points, counts = codepoints.count(text)
    assert dict(zip(map(chr, points), counts.tolist(), strict=True)) == {"a": 700, "b": 700, "한": 700, "🙂": 1}


@given(st.lists(st.text(max_size=20), max_size=5))
def test_distinct_code_points_of_a_text_in_pieces(pieces: list[str]) -> None:
    distinct = codepoints.Distinct()
    for piece in pieces:
        distinct.add(piece)
    assert distinct.points() == sorted(set(map(ord, "".join(pieces))))
