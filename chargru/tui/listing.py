"""The list of runs: in which order, which of them, and which columns have room. Pure functions over rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chargru.tui.archive import RunRow

ORDERS = ("newest", "best", "name", "corpus")
TOLD = {"newest": "newest first", "best": "best first", "name": "by name", "corpus": "by text"}


def ordered(rows: Sequence[RunRow], order: str) -> list[RunRow]:
    """The rows in this order; those that come newest first keep that order among equals."""
    keys: dict[str, Callable[[RunRow], Any]] = {
        "best": lambda row: (row.best_loss is None, row.best_loss or 0.0),
        "name": lambda row: _natural(row.name),
        "corpus": lambda row: (not row.corpus, row.corpus.casefold(), row.best_loss is None, row.best_loss or 0.0),
    }
    return sorted(rows, key=keys[order]) if order in keys else list(rows)


def filtered(rows: Sequence[RunRow], words: str) -> list[RunRow]:
    """The rows in which every word stands: as it is where any row has it so, else with other letters between.

    Looked for in the name, the text, the network and the state.
    """
    wanted = unicodedata.normalize("NFC", words).casefold().split()
    told = [(row, unicodedata.normalize("NFC", _searched(row)).casefold()) for row in rows]
    for word in wanted:
        exact = [each for each in told if word in each[1]]
        told = exact or [each for each in told if any(_is_within(word, part) for part in each[1].split("\n"))]
    return [row for row, _ in told]


def _searched(row: RunRow) -> str:
    return "\n".join((row.name, row.corpus, row.shape, row.state))


def _is_within(word: str, text: str) -> bool:
    """Whether the letters of `word` stand in `text` in their order."""
    letters = iter(text)
    return all(letter in letters for letter in word)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts tales-2 before tales-10."""
    parts: list[tuple[int, int, str]] = []
    digits = text = ""
    for character in unicodedata.normalize("NFC", name).casefold() + "\0":
        if character.isascii() and character.isdecimal():
            digits += character
            if text:
                parts.append((1, 0, text))
                text = ""
        else:
            if digits:
                parts.append((0, int(digits[:300]), digits))
                digits = ""
            text += character
    return [*parts, (1, 0, text)]


@dataclass(frozen=True)
class Column:
    """A column of the table. `rank`: 0 always stays, the highest is dropped first."""

    key: str
    title: str
    width: int  # cells
    rank: int
    right: bool = False
    order: str = ""  # what a click on its heading sorts by
    most: int = 0  # cells that it may grow to


COLUMNS = (
    Column("mark", "", 3, 0),
    Column("name", "run", 14, 0, order="name", most=38),
    Column("curve", "validation", 10, 3, most=18),
    Column("corpus", "text", 9, 4, order="corpus", most=22),
    Column("shape", "network", 9, 6, most=11),
    Column("step", "steps", 7, 5, right=True),
    Column("best", "best", 5, 1, right=True, order="best"),
    Column("seconds", "trained", 7, 7, right=True),
    Column("age", "changed", 10, 2, order="newest"),
)
GAP = 2  # cells between two columns


def fitting(cells: int, wanted: Mapping[str, int] | None = None) -> list[tuple[Column, int]]:
    """The columns that fit side by side, each with its width.

    What is spare goes to those that may grow, one after the other, as far as what stands in them needs it (`wanted`:
    cells by the column's key).
    """
    kept = list(COLUMNS)

    def needed() -> int:
        return sum(column.width + GAP for column in kept)

    while needed() > cells and any(column.rank for column in kept):
        kept.remove(max(kept, key=lambda column: column.rank))
    spare = max(cells - needed(), 0)
    widths = {column.key: column.width for column in kept}
    for column in kept:
        most = min(column.most, (wanted or {}).get(column.key, column.most))
        more = min(max(most - column.width, 0), spare)
        widths[column.key] += more
        spare -= more
    return [(column, widths[column.key]) for column in kept]
