"""How far a reading is, on a terminal and elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargru.cli.reading import ReadingBar


def test_a_terminal_sees_a_bar_that_goes_away(as_terminal: Callable[[str], Any]) -> None:
    terminal = as_terminal("stderr")
    with ReadingBar() as reading:
        reading(3 * 10**8, 10**9)
        assert reading._bar is not None
        reading._bar.refresh()
    shown = terminal.getvalue()
    assert " 30%|" in shown
    assert "reading the text" in shown
    assert shown.rstrip(" ").endswith("\r")


def test_another_pass_makes_the_bar_longer(as_terminal: Callable[[str], Any]) -> None:
    terminal = as_terminal("stderr")
    with ReadingBar() as reading:
        reading(50, 100)
        reading(100, 400)
        assert reading._bar is not None
        assert (reading._bar.n, reading._bar.total) == (100, 400)
    assert terminal.getvalue()


def test_nothing_is_shown_of_a_small_text(as_terminal: Callable[[str], Any]) -> None:
    terminal = as_terminal("stderr")
    with ReadingBar():
        pass
    assert terminal.getvalue() == ""


def test_elsewhere_there_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    with ReadingBar(live=False, clock=lambda: now) as reading:
        for done in range(0, 100, 10):
            now += 2.0
            reading(done, 100)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [f"reading the text: {done}%" for done in (20, 50, 80)]
