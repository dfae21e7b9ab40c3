"""Text as cells: nothing is lost, nothing is cut in two, and every line is as wide as it says."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from rich.cells import cell_len
from textual._wrap import compute_wrap_offsets

from chargru.tui.units import units, wrap, wrap_words
from tests.tui.fakes import FORBIDDEN, HOSTILE, NASTY

FAMILY = "👩‍👩‍👧‍👦"


@pytest.mark.parametrize("text", [*HOSTILE, NASTY, "plain", "", "\u0301\u200dx", "ᅡᆨ", f"a{FAMILY}{FAMILY}b"])
def test_units_cover_the_text_and_know_their_width(text: str) -> None:
    found = units(text, 7)
    assert "".join(text[unit.start - 7 : unit.end - 7] for unit in found) == text
    painted = "".join(unit.text for unit in found if unit.text != "\n")
    assert sum(unit.width for unit in found) == cell_len(painted)
    assert not FORBIDDEN.search(painted)
    assert all(unit.width > 0 for unit in found if unit.text != "\n")


def test_what_belongs_together_is_one_unit() -> None:
    together = [FAMILY, "e\u0301\u0308", "👍🏽", "🇩🇪", "❤️", unicodedata.normalize("NFD", "한")]
    assert [len(units(text)) for text in together] == [1] * len(together)
    (syllable,) = units(unicodedata.normalize("NFD", "한"))
    assert syllable == ("한", 0, 3, 2)
    assert len(units("🇩🇪🇫🇷")) == 2
    assert len(units("한글")) == 2
    assert len(units("a\u0301b")) == 2


def lines(text: str, width: int) -> list[str]:
    found = units(text)
    return ["".join(unit.text for unit in found[a:b]) for a, b in wrap(found, width)]


def word_lines(text: str, width: int, room: int, *, fresh: bool) -> list[str]:
    found = units(text)
    return ["".join(unit.text for unit in found[a:b]) for a, b in wrap_words(found, width, room, fresh=fresh)]


def test_lines_break_at_blanks_newlines_and_wide_characters() -> None:
    assert lines("the rain fell", 8) == ["the rain ", "fell"]
    assert lines("the rain fell", 9) == ["the rain ", "fell"]
    assert lines("abcdefgh", 3) == ["abc", "def", "gh"]
    assert lines("a\n\nb", 5) == ["a\n", "\n", "b"]
    assert lines("한글텍스트", 5) == ["한글", "텍스", "트"]
    assert lines("", 5) == [""]
    assert lines("한", 1) == ["한"]  # it must stand somewhere


def test_no_line_begins_with_a_full_stop() -> None:
    assert lines("한글텍스트. 한글", 10) == ["한글텍스", "트. 한글"]
    assert lines("말했다.” 한글", 6) == ["말했", "다.” ", "한글"]
    assert lines("한...........", 4) == ["한..", "....", "....", "."]  # where they must


def test_the_first_line_may_have_less_room() -> None:
    assert word_lines("ing of the rain", 8, 4, fresh=False) == ["ing ", "of the ", "rain"]
    assert word_lines("ing of", 8, 2, fresh=False) == ["in", "g of"]
    assert word_lines("ing of", 8, 2, fresh=True) == ["", "ing of"]
    assert word_lines("ing of", 8, 0, fresh=False) == ["", "ing of"]


@pytest.mark.parametrize("width", [1, 3, 8, 20, 61])
def test_words_go_where_a_text_area_puts_them(width: int) -> None:
    text = "the rain fell on  the 나무 아래에 앉아 바다를 보았다. an_extraordinarily_long_word and 나무아래에앉아 end"
    ends = [0, *compute_wrap_offsets(text, width, 4), len(text)]
    if width > 1:  # a wide character has no place there
        assert word_lines(text, width, width, fresh=True) == [text[a:b] for a, b in pairwise(ends)]
    assert "".join(word_lines(text, width, width // 2, fresh=True)) == text


@pytest.mark.parametrize("width", [1, 2, 3, 7, 40])
def test_lines_go_on_as_if_wrapped_at_once(width: int) -> None:
    text = f"the rain fell on\n\nthe old 한글 텍스트 {FAMILY} e\u0301nd " * 3
    found = units(text)
    whole = wrap(found, width)
    grown = [(0, 0)]
    for upto in range(1, len(found) + 1):  # text that comes bit by bit: only the last line is wrapped again
        start, _ = grown.pop()
        grown += wrap(found[:upto], width, start)
    assert grown == whole
    for start, end in whole:
        cells = sum(unit.width for unit in found[start:end])
        hanging = found[end - 1].text == " " if end > start else False
        assert cells <= width + hanging or end - start - hanging == 1
