"""What every painted line passes through: ASCII on plain terminals, and no segment without a style."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import Monochrome

from chargru.tui.filters import AsciiFilter, StyleFilter, plainly
from chargru.tui.glyphs import ASCII, UNICODE, plain_terminal

BLACK = Color(0, 0, 0)


def test_what_is_drawn_becomes_ascii_cell_for_cell() -> None:
    drawn = "╭─ library ─╮│┃━╌▁▂▃▄▅▆▇█░▒▓▊▎▔╱╲⠒⣿⠀●○◌◍‖✓✗▸▾▼•◆┄⏎▌…·×–→⇥␣␛"
    assert plainly(drawn).isascii()
    assert cell_len(plainly(drawn)) == cell_len(drawn)
    assert plainly("╭─ a ─╮") == "+- a -+"
    for mark in vars(UNICODE).values():
        assert plainly(mark).isascii(), mark
    assert "".join(vars(ASCII).values()).isascii()


def test_texts_of_users_stay_what_they_are() -> None:
    for text in ("한글과 日本語", "Ünïcödé “quoted”", "Привет", "e\u0301", "👩‍👩‍👧‍👦"):
        assert plainly(text) == text


def test_what_the_terminals_encoding_lacks_keeps_its_cells() -> None:
    assert plainly("é한│x", "latin-1") == "é??|x"
    assert plainly("é한", "ascii") == "???"
    assert plainly("e\u0301", "ascii") == "e"


def test_a_plain_terminal_is_known_by_its_type_or_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", SimpleNamespace(encoding="UTF-8"))
    for term, plain in (("xterm-256color", False), ("linux", True), ("dumb", True)):
        monkeypatch.setenv("TERM", term)
        assert plain_terminal() is plain
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "__stderr__", SimpleNamespace(encoding="iso8859-1"))
    assert plain_terminal()
    monkeypatch.setattr(sys, "__stderr__", None)
    assert not plain_terminal()


def test_the_filter_keeps_styles() -> None:
    bold = Style(bold=True)
    segments = AsciiFilter().apply([Segment("──", bold), Segment("ok", None)], BLACK)
    assert segments == [Segment("--", bold), Segment("ok", None)]


def test_a_segment_without_a_style_survives_no_color() -> None:
    segments = StyleFilter().apply([Segment("a", None), Segment("b", Style(bold=True))], BLACK)
    assert Monochrome().apply(segments, BLACK)[0].text == "a"
    assert segments[0].style == Style.null()


def test_italic_and_struck_is_painted_reversed() -> None:
    (segment,) = StyleFilter().apply([Segment("a", Style(italic=True, strike=True, bold=True))], BLACK)
    assert segment.style is not None
    assert (segment.style.reverse, segment.style.italic, segment.style.strike) == (True, False, False)
    assert segment.style.bold
