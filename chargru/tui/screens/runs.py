"""The Runs screen: what was trained, newest first; play with one or go on training it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from chargru.events import Event, Finished, Saved
from chargru.tui.archive import RunRow
from chargru.tui.formatting import moment, nats, one_line, whole
from chargru.tui.messages import PlayWanted, RunsRead
from chargru.tui.screens.base import BaseScreen
from chargru.tui.state import TrainingState
from chargru.tui.widgets.empty import Empty

# (title, cells); the first column also takes what the terminal has to spare
COLUMNS = (("run", 18), ("corpus", 14), ("model", 10), ("steps", 8), ("best", 6), ("when", 10))
PADDING = 2 * len(COLUMNS) + 2


class RunsTable(DataTable[Text]):
    """Enter on a row plays with that run."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Play")]


class RunsScreen(BaseScreen):
    """A plain table; a run that cannot be read says so and stands in nobody's way."""

    HEADING = "Runs"
    HELP_TEXT = "Every training leaves a run: its models, its settings and its losses. The best loss is in nats."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "Go on", tooltip="Go on training this run"),
    ]
    COMMANDS_HERE = (
        ("Play with this run", "Its best model (Enter)", "play"),
        ("Go on training this run", "From its newest checkpoint (r)", "resume"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[RunRow, ...] = ()

    def compose_body(self) -> ComposeResult:
        yield Empty("Nothing was trained yet", "F2 picks a text, and Enter there starts.", id="runs-empty")
        yield RunsTable(id="runs-table", cursor_type="row", zebra_stripes=True)

    def on_mount(self) -> None:
        super().on_mount()
        table = self.query_one(RunsTable)
        for name, width in COLUMNS:
            table.add_column(name, width=width, key=name)
        table.display = False
        self._fit_columns()

    def on_resize(self) -> None:
        self._fit_columns()
        self._fill()

    def _fit_columns(self) -> None:
        spare = max(self.size.width - sum(width for _, width in COLUMNS) - PADDING, 0)
        columns = self.query_one(RunsTable).ordered_columns
        if columns:
            columns[0].width = COLUMNS[0][1] + min(spare, 40)
            columns[1].width = COLUMNS[1][1] + min(max(spare - 40, 0), 20)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.ask_for_runs()

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        if any(isinstance(event, Saved | Finished) for event in events):
            self.ask_for_runs()

    @on(RunsRead)
    def _runs_read(self, message: RunsRead) -> None:
        self._rows = message.runs
        if message.problem:
            self.chargru.tell(message.problem, severity="error", title="The runs cannot be read")
        self._fill()

    def _fill(self) -> None:
        table = self.query_one(RunsTable)
        if not table.ordered_columns:
            return
        row = table.cursor_row
        table.clear()
        for run in self._rows:
            table.add_row(*_cells(run, [column.width for column in table.ordered_columns]))
        table.move_cursor(row=min(row, max(len(self._rows) - 1, 0)))
        table.display = bool(self._rows)
        self.query_one(Empty).display = not self._rows
        if self._rows and self.focused is None:
            table.focus()

    @on(DataTable.RowSelected)
    def action_play(self) -> None:
        """Open the run under the cursor in Play."""
        if (run := self._current()) is not None:
            self.post_message(PlayWanted(run.path))

    def action_resume(self) -> None:
        """Go on training the run under the cursor."""
        if (run := self._current()) is not None:
            self.chargru.resume_run(run.path)

    def _current(self) -> RunRow | None:
        index = self.query_one(RunsTable).cursor_row
        return self._rows[index] if 0 <= index < len(self._rows) else None


def _cells(run: RunRow, widths: list[int]) -> list[Text]:
    """The cells of a row. Text, not str: a table reads markup in a str, and these are data."""
    name = one_line(run.name, widths[0])
    if run.problem:
        return [Text(name), Text(one_line(run.problem, widths[1])), Text(), Text(), Text(), Text()]
    cells = (
        name,
        one_line(run.corpus, widths[1]),
        one_line(run.shape, widths[2]),
        whole(run.step) if run.step is not None else "–",
        nats(run.best_loss),
        moment(run.when, datetime.now().astimezone()),
    )
    right = (False, False, False, True, True, False)
    return [Text(cell, justify="right" if side else "left") for cell, side in zip(cells, right, strict=True)]
