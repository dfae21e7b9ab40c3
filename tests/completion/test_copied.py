"""Copied passages against a search that tries everything; places and context against the text itself."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargru.completion import copied
from chargru.completion.copied import CopyIndex, Span
from chargru.errors import TextError

NARROW = st.text("ab\n", max_size=40)
# one, two and four bytes a character in memory; a lone surrogate and a NUL among them
WIDE = st.text("\0aé가각\uffff\ud800😀🥨", max_size=30)
few = settings(max_examples=50, deadline=None)


def spans_by_trial(corpus, text, least):
    """Every passage that occurs and is part of no longer one, by trying all of them."""
    n = len(text)
    occurs = [(i, j) for i in range(n) for j in range(i + least, n + 1) if text[i:j] in corpus]
    maximal = [(i, j) for i, j in occurs if (i - 1, j) not in occurs and (i, j + 1) not in occurs]
    return [Span(i, j, corpus.index(text[i:j]), count(corpus, text[i:j])) for i, j in sorted(maximal)]


def count(corpus, passage):
    return sum(corpus.startswith(passage, at) for at in range(len(corpus)))


@few
@given(NARROW, NARROW, st.integers(1, 6))
def test_spans_are_those_that_trying_everything_finds(corpus, text, least):
    assert CopyIndex.build(corpus).spans(text, least) == spans_by_trial(corpus, text, least)


@few
@given(WIDE, WIDE, st.integers(1, 4))
def test_any_character_is_right(corpus, text, least):
    assert CopyIndex.build(corpus).spans(text, least) == spans_by_trial(corpus, text, least)


@few
@given(st.lists(st.integers(0, 400), max_size=60), st.lists(st.integers(0, 400), max_size=30), st.integers(0, 50))
def test_more_than_256_characters_are_right(corpus, text, start):
    # all of the 400 occur, so that ids need two bytes, and the text takes up a piece of them
    every = "".join(map(chr, range(0x4E00, 0x4E00 + 401)))
    corpus = every + "".join(every[each] for each in corpus)
    text = "".join(every[each] for each in text) + corpus[start : start + 9]
    assert CopyIndex.build(corpus).spans(text, 2) == spans_by_trial(corpus, text, 2)


def test_four_byte_ids_are_right():
    characters = [chr(point) for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF][: (1 << 16) + 500]
    corpus = "".join(reversed(characters)) + "".join(characters[-40:])
    found = CopyIndex.build(corpus).spans(corpus[100:130] + "a" + "".join(characters[-30:]), 20)
    assert found == [Span(0, 30, 100), Span(31, 61, len(corpus) - 30)]


@few
@given(NARROW, NARROW, st.integers(1, 6))
def test_new_fraction_counts_each_uncopied_character_once(corpus, text, least):
    covered = {at for span in spans_by_trial(corpus, text, least) for at in range(span.start, span.end)}
    expected = 1 - len(covered) / len(text) if text else 1
    assert CopyIndex.build(corpus).new_fraction(text, least) == pytest.approx(expected)


TALE = "The harbour was quiet.\nNobody knew that the lamp had gone out.\nThe harbour was quiet again."


def test_a_copied_sentence_is_found_at_its_place():
    index = CopyIndex.build(TALE)
    (span,) = index.spans("so it goes: Nobody knew that the lamp had - and more")
    assert (span.start, span.end) == (12, 42)
    place = index.place(span)
    assert TALE[place.position :].startswith("Nobody knew that the lamp had")
    assert (place.line, place.fraction) == (2, TALE.index("Nobody") / len(TALE))
    assert index.context(span, 8) == " quiet.\nNobody knew that the lamp had gone out"


def test_context_ends_with_the_text():
    index = CopyIndex.build(TALE)
    (span,) = index.spans(TALE)
    assert span == Span(0, len(TALE), 0)
    assert index.context(span, 1000) == TALE
    assert index.new_fraction(TALE) == 0


def test_the_first_of_several_places_and_how_many():
    (span,) = CopyIndex.build(TALE).spans("The harbour was quiet")
    assert (span.position, span.count) == (0, 2)


@pytest.mark.parametrize("corpus", ["", "a", "aaaa", "가", "😀"])
def test_tiny_texts(corpus):
    index = CopyIndex.build(corpus)
    assert index.spans("a" * 30) == []
    assert index.new_fraction("a" * 30) == 1
    assert len(index.spans(corpus, 1)) == (1 if corpus else 0)
    assert index.spans("", 1) == []


def test_a_text_of_exactly_the_least_length():
    index = CopyIndex.build("x" + "abcdefghijklmnopqrst" + "y")
    assert index.spans("abcdefghijklmnopqrst") == [Span(0, 20, 1)]
    assert index.spans("abcdefghijklmnopqrs") == []


def test_a_passage_is_at_least_one_character():
    with pytest.raises(ValueError, match="at least 1"):
        CopyIndex.build("abc").spans("abc", 0)


def test_what_is_too_long_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(copied, "LIMIT", 10)
    with pytest.raises(TextError, match=r"11 characters, the limit is 10$"):
        CopyIndex.build("a" * 11)
    CopyIndex.build("a" * 10)


def test_what_does_not_fit_into_memory_is_refused(monkeypatch):
    def full(_):
        raise MemoryError

    monkeypatch.setattr(copied, "_suffix_array", full)
    with pytest.raises(TextError, match="does not fit into memory"):
        CopyIndex.build("abc")


def test_the_library_is_loaded_by_the_first_index_only():
    code = (
        "import sys, chargru.completion.completer, chargru.completion.copied as copied\n"
        "assert 'pydivsufsort' not in sys.modules\n"
        "copied.CopyIndex.build('abcabc')\n"
        "assert 'pydivsufsort' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
