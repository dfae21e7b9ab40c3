"""The table of runs: one row each, columns that give way where there is no room, marks for the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from chargru.tui.archive import RunRow
from chargru.tui.formatting import ago, duration, one_line, whole
from chargru.tui.glyphs import UNICODE, Glyphs
from chargru.tui.listing import Column, fitting
from chargru.tui.scales import Scale
from chargru.tui.widgets.overlay import SLOTS
from chargru.tui.widgets.sparkline import sparkline

STATE_STYLES = {"live": "live", "finished": "finished", "stopped": "stopped", "broken": "broken"}


@dataclass(frozen=True)
class Look:
    """How rows are drawn: everything besides the rows themselves."""

    order: str = "newest"
    scale: Scale = field(default_factory=Scale)
    alphabet: Glyphs = UNICODE


class RunsTable(DataTable[Text]):
    """Moving only looks; Enter or a double click plays; Space or a click on the first column marks for the chart."""

    HELP = (
        "One run a row. ● is in training, ✓ finished, ‖ stopped and can go on, ! broken. Space marks runs whose curves "
        "are then drawn in one chart; a click on a heading sorts."
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"runs--{slot}" for slot in range(SLOTS)),
        *(f"runs--{state}" for state in STATE_STYLES),
        "runs--curve",
        "runs--quiet",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Play", tooltip="Play with this run's best model"),
        Binding("p", "select_cursor", "Play", show=False, tooltip="Play with this run's best model"),
        Binding("home", "scroll_top", "First run", show=False),
        Binding("end", "scroll_bottom", "Last run", show=False),
    ]

    class MarkWanted(Message):
        """The run of this path is to be marked, or not any more."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=True)
        self._rows: tuple[RunRow, ...] = ()
        self._marks: dict[str, int] = {}
        self._look = Look()
        self._columns_shown: list[tuple[Column, int]] = []
        self._cells: dict[str, list[Text]] = {}

    @property
    def current(self) -> RunRow | None:
        """The run under the cursor."""
        index = self.cursor_row
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def show(self, rows: Sequence[RunRow], marks: Mapping[str, int], look: Look, *, cursor: str = "") -> None:
        """Show these runs, `marks` by path. The cursor stays on its run, or goes to the one of the path `cursor`."""
        columns = self._columns_for(rows)
        same = [row.path for row in rows] == [row.path for row in self._rows] and look.order == self._look.order
        was = cursor or (self.current.path if self.current else "")
        index = self.cursor_row
        self._rows, self._marks, self._look = tuple(rows), dict(marks), look
        if same and columns == self._columns_shown:
            self._update()
            if not cursor:
                return
        else:
            self._columns_shown = columns
            self._fill()  # which takes the cursor to the first row
        places = {row.path: place for place, row in enumerate(self._rows)}
        if rows:
            self.move_cursor(row=places.get(was, min(max(index, 0), len(rows) - 1)))

    def on_resize(self) -> None:
        if self._columns_shown and self._columns_for(self._rows) != self._columns_shown:
            self.show(self._rows, self._marks, self._look, cursor=self.current.path if self.current else "")

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._columns_shown:
            self._update()

    def _columns_for(self, rows: Sequence[RunRow]) -> list[tuple[Column, int]]:
        """The columns that fit beside the scroll bar, as wide as what stands in them."""
        wanted = {
            "name": max((cell_len(one_line(row.name, 80)) for row in rows), default=0),
            "corpus": max((cell_len(one_line(row.corpus, 80)) for row in rows), default=0),
        }
        return fitting(max(self.size.width - 3, 20), wanted)

    def _fill(self) -> None:
        self.clear(columns=True)
        for column, width in self._columns_shown:
            self.add_column(self._heading(column, width), width=width, key=column.key)
        self._cells = {}
        now = datetime.now().astimezone()
        for row in self._rows:
            cells = self._cells[row.path] = self._cells_of(row, now)
            self.add_row(*cells, key=row.path)

    def _update(self) -> None:
        """Change what has changed, cell by cell."""
        now = datetime.now().astimezone()
        for row in self._rows:
            before, after = self._cells[row.path], self._cells_of(row, now)
            for (column, _), old, new in zip(self._columns_shown, before, after, strict=True):
                if old != new or old.style != new.style:  # equal texts may differ in their style
                    self.update_cell(row.path, column.key, new)
            self._cells[row.path] = after

    def _heading(self, column: Column, width: int) -> Text:
        title = self._look.scale.unit if column.key == "best" else column.title
        if column.order and column.order == self._look.order:
            arrow = ("v" if column.order == "newest" else "^") if self._look.alphabet is not UNICODE else "▾"
            title = f"{one_line(title, width - 1)}{arrow}"
        return Text(one_line(title, width), justify="right" if column.right else "left")

    def _cells_of(self, row: RunRow, now: datetime) -> list[Text]:
        """A row. Text, not str: a table reads markup in a str, and these are data."""
        return [self._cell(column.key, width, row, now, right=column.right) for column, width in self._columns_shown]

    def _cell(self, key: str, width: int, row: RunRow, now: datetime, *, right: bool) -> Text:
        alphabet = self._look.alphabet
        if key == "mark":
            return self._mark(row)
        style = ""
        match key:
            case "name":
                told = one_line(row.name, width)
            case "curve":
                told = sparkline(row.losses, width, alphabet)
                style = "runs--curve"
                if not told and row.problem:
                    told, style = one_line(row.problem, width), "runs--broken"
            case "corpus":
                told = one_line(row.corpus, width)
            case "shape":
                told = one_line(row.shape.removeprefix("GRU "), width)
            case "step":
                told = whole(row.step) if row.step is not None else "–"
            case "best":
                told = self._look.scale.told(row.best_loss, 3 if width > 4 else 2)
            case "seconds":
                told = duration(row.seconds) if row.seconds is not None else "–"
            case _:
                told, style = one_line(ago(row.when, now), width), "runs--quiet"
        if cell_len(told) > width:
            told = one_line(told, width)
        return Text(
            told,
            style=self.get_component_rich_style(style, partial=True) if style else "",
            justify="right" if right else "left",
        )

    def _mark(self, row: RunRow) -> Text:
        """The glyph of the run's curve, if it is marked, and that of its state."""
        alphabet = self._look.alphabet
        slot = self._marks.get(row.path)
        mark = (
            Text(" ")
            if slot is None
            else Text(alphabet.series[slot], style=self.get_component_rich_style(f"runs--{slot}", partial=True))
        )
        state = getattr(alphabet, row.state) if row.state in STATE_STYLES else " "
        mark.append(" ")
        mark.append(
            state,
            style=self.get_component_rich_style(f"runs--{row.state}", partial=True)
            if row.state in STATE_STYLES
            else None,
        )
        return mark

    def on_click(self, event: events.Click) -> None:
        meta = event.style.meta
        row, column = meta.get("row", -1), meta.get("column", -1)
        if not (0 <= row < len(self._rows)):
            return  # the heading, or the empty space: as every table does
        event.prevent_default()
        event.stop()
        self.move_cursor(row=row)
        if column == 0:
            self.post_message(self.MarkWanted(self._rows[row].path))
        elif event.chain == 2:
            self.action_select_cursor()
