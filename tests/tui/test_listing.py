"""The list of runs: order, filter, columns."""

from __future__ import annotations

import pytest

from chargru.tui.archive import RunRow
from chargru.tui.listing import COLUMNS, GAP, ORDERS, filtered, fitting, ordered


def row(name: str, corpus: str = "tales", best: float | None = 1.0, state: str = "stopped") -> RunRow:
    return RunRow(name, f"runs/{name}", corpus, "GRU 2×256", 10, best, "", state=state)


ROWS = (
    row("tales-10", best=1.5),
    row("Tales-2", best=None),
    row("b", "alice", 1.2),
    row("한국어", "alice", 0.9, "live"),
)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("newest", ["tales-10", "Tales-2", "b", "한국어"]),
        ("best", ["한국어", "b", "tales-10", "Tales-2"]),
        ("name", ["b", "Tales-2", "tales-10", "한국어"]),
        ("corpus", ["한국어", "b", "tales-10", "Tales-2"]),
    ],
)
def test_every_order(order: str, names: list[str]) -> None:
    assert order in ORDERS
    assert [each.name for each in ordered(ROWS, order)] == names


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ["tales-10", "Tales-2", "b", "한국어"]),
        ("tales", ["tales-10", "Tales-2"]),
        ("TALES -2", ["Tales-2"]),
        ("tales 2", ["tales-10", "Tales-2"]),
        ("tls2", ["Tales-2"]),
        ("alice", ["b", "한국어"]),
        ("live", ["한국어"]),
        ("\u1112\u1161\u11ab", ["한국어"]),
        ("2×256 live", ["한국어"]),
        ("zzz", []),
        ("[/bold]", []),
    ],
)
def test_every_word_is_looked_for_in_name_text_network_and_state(words: str, names: list[str]) -> None:
    assert [each.name for each in filtered(ROWS, words)] == names


def test_letters_between_count_only_where_the_word_stands_nowhere() -> None:
    rows = (row("abc"), row("a-b-c"))
    assert [each.name for each in filtered(rows, "abc")] == ["abc"]
    assert [each.name for each in filtered(rows[1:], "abc")] == ["a-b-c"]


@pytest.mark.parametrize("cells", [20, 40, 57, 60, 77, 80, 97, 107, 157, 400])
def test_columns_fit_and_the_important_ones_stay(cells: int) -> None:
    columns = fitting(cells)
    keys = [column.key for column, _ in columns]
    assert {"mark", "name"} <= set(keys)
    assert sum(width + GAP for _, width in columns) <= max(cells, 21)
    dropped = [column.rank for column in COLUMNS if column.key not in keys]
    assert max((column.rank for column, _ in columns), default=0) < min(dropped, default=99)
    assert [column for column in COLUMNS if column.key in keys] == [column for column, _ in columns]


def test_at_80_cells_the_essential_is_there_and_at_160_all() -> None:
    assert [column.key for column, _ in fitting(77)] == ["mark", "name", "curve", "corpus", "step", "best", "age"]
    assert len(fitting(107)) == len(COLUMNS)


def test_names_get_the_room_that_they_need_and_no_more() -> None:
    short = {column.key: width for column, width in fitting(200, {"name": 5, "corpus": 12})}
    assert (short["name"], short["corpus"]) == (14, 12)
    long = {column.key: width for column, width in fitting(200, {"name": 99, "corpus": 99})}
    assert (long["name"], long["corpus"]) == (38, 22)
