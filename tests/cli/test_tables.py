from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargru.cli.tables import format_table


def test_columns_are_aligned_by_cells() -> None:
    table = format_table(("NAME", "N"), [("한국어", "1"), ("abc", "200"), ("", "3")], right=(1,))
    assert table.split("\n") == ["NAME      N", "한국어    1", "abc     200", "          3"]


def test_a_cell_is_one_safe_line() -> None:
    table = format_table(("A",), [("x\ny\x1b[2J",)])
    assert table.count("\n") == 1
    assert "\x1b" not in table


def test_the_last_column_is_cut_on_a_terminal_and_whole_in_a_pipe(
    as_terminal: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("a", "word " * 30)]
    assert "..." not in format_table(("N", "TEXT"), rows)
    monkeypatch.setenv("COLUMNS", "40")
    as_terminal("stdout")
    lines = format_table(("N", "TEXT"), rows).split("\n")
    assert max(map(len, lines)) == 40
    assert lines[1].endswith("...")
