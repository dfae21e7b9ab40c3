"""The Runs screen: what was trained and what is in training, compared in one chart; play with a run, go on with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widgets import DataTable

from chargru.events import Event, Finished, Saved
from chargru.tui import across, changes
from chargru.tui.archive import RunCurves, RunRow
from chargru.tui.formatting import one_line
from chargru.tui.glyphs import glyphs
from chargru.tui.listing import ORDERS, filtered, ordered
from chargru.tui.messages import PlayWanted, RunsChanged, RunsLooked, WatchWanted
from chargru.tui.scales import Scale
from chargru.tui.screens.base import BaseScreen
from chargru.tui.screens.deleting import DeleteScreen
from chargru.tui.screens.runkeys import COMMANDS, KEYS
from chargru.tui.state import TrainingState
from chargru.tui.widgets.details import RunDetails
from chargru.tui.widgets.empty import Empty
from chargru.tui.widgets.lineinput import LineInput
from chargru.tui.widgets.overlay import SLOTS, Overlay, Series
from chargru.tui.widgets.runline import RunLine
from chargru.tui.widgets.runtable import Look, RunsTable
from chargru.tui.widgets.splitter import Splitter

POLL = 1.0  # seconds between two looks at the disk
PATIENCE = 10  # a look may take at most one part in so many of the time


class RunsScreen(BaseScreen):
    """Looks at the disk about once a second, in a thread, while it is looked at itself."""

    HEADING = "Runs"
    HELP_TEXT = (
        "Every training leaves a run: its models, its settings and its losses. Runs that another process trains are "
        "here too, and move. Curves compare only where the text and the part held out are the same; where they are "
        "not, the chart says so."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    COMMANDS_HERE = COMMANDS

    def __init__(self) -> None:
        super().__init__()
        self._all: tuple[RunRow, ...] = ()
        self._rows: tuple[RunRow, ...] = ()  # those that are shown
        self._curves: dict[str, RunCurves] = {}
        self._differences: tuple[str, ...] = ()
        self._marks: dict[str, int] = {}  # path -> slot
        self._words = ""  # the filter
        self._renaming = ""  # path of the run that is given another name
        self._wanted = ""  # a path to put the cursor on
        self._turn = 0
        self._asked: float | None = None  # when the look began that is not answered yet
        self._next = 0.0
        self._problem = ""
        self._read = False
        self._live = False  # the run under the cursor

    def compose_body(self) -> ComposeResult:
        yield Empty("Looking for runs…", id="runs-empty")
        with Container(id="runs-body"):
            with Vertical(id="runs-left"):
                yield RunsTable(id="runs-table")
                yield LineInput(id="runs-typed")
                yield RunLine(id="runs-line")
                yield Overlay(id="runs-chart")
            yield Splitter("#runs-details", name="runs", side="right")
            yield RunDetails(id="runs-details")

    def on_mount(self) -> None:
        self.query_one("#runs-body").display = False
        self.set_interval(POLL / 2, self._poll)

    # -- looking ------------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        self.look()

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        if any(isinstance(event, Saved | Finished) for event in events):
            self.look()

    def _poll(self) -> None:
        # not `app.screen`, which raises when the app is being left and no screen is on the stack any more
        if self.is_active and self._asked is None and monotonic() >= self._next:
            self.look()

    def look(self) -> None:
        """Ask for the runs and for the curves that are shown; answers to earlier questions are dropped."""
        self._turn += 1
        self._asked = monotonic()
        turn, wanted = self._turn, self._charted()

        def ask() -> None:
            self.post_message(changes.look(self.chargru.archive, turn, wanted))

        self.run_worker(ask, thread=True, group="runs", exclusive=True)

    def _charted(self) -> list[str]:
        """Paths of the runs in the chart: the marked ones, and the one under the cursor."""
        row = self._current()
        paths = list(self._marks)
        return [*paths, row.path] if row is not None and row.path not in self._marks else paths

    @on(RunsLooked)
    def _looked(self, message: RunsLooked) -> None:
        if message.turn != self._turn:
            return
        took, self._asked = monotonic() - (self._asked or monotonic()), None
        self._next = monotonic() + max(POLL, PATIENCE * took)
        if message.problem and message.problem != self._problem:
            self.chargru.tell(message.problem, severity="error", title="The runs cannot be read")
        self._problem = message.problem
        first, self._read = not self._read, True
        self._all = message.runs
        self._curves = {each.path: each for each in message.curves}
        self._differences = message.differences
        paths = {row.path for row in self._all}
        self._marks = {path: slot for path, slot in self._marks.items() if path in paths}
        self._fill()
        if set(self._charted()) - set(self._curves):
            self.look()  # the cursor was moved in between
        if first and self._all and self.focused is None:
            self.query_one(RunsTable).focus()

    # -- showing ------------------------------------------------------------------------------------------------

    def _scale(self) -> Scale:
        return Scale.of(self.chargru.remembered.chart)

    def _fill(self) -> None:
        """Show what is known."""
        chosen = self.chargru.remembered.runs
        self._rows = tuple(filtered(ordered(self._all, chosen.order), self._words))
        look = Look(chosen.order, self._scale(), glyphs(self.chargru.plain))
        body, empty = self.query_one("#runs-body"), self.query_one(Empty)
        body.display, empty.display = bool(self._all), not self._all
        if not self._all and self._read:
            title = "The runs cannot be read" if self._problem else "Nothing was trained yet"
            empty.say(title, one_line(self._problem, 200) or "F2 picks a text, and Enter there starts.")
        table = self.query_one(RunsTable)
        table.styles.height = max(len(self._all), 3) + 1  # of all: a filter must not move what is below
        table.show(self._rows, self._marks, look, cursor=self._wanted)
        if self._wanted in {row.path for row in self._rows}:
            self._wanted = ""
        self._show_current()

    def _show_current(self) -> None:
        """Bring the chart, the details and the line of actions up to date with the cursor."""
        row, scale, chosen = self._current(), self._scale(), self.chargru.remembered.runs
        curves = self._curves.get(row.path) if row else None
        if (live := row is not None and row.state == "live") != self._live:
            self._live = live
            self.refresh_bindings()
        self.query_one(RunDetails).show(row, curves, scale)
        known = {each.path: each for each in self._all}
        series = [
            Series(known[path].name, self._curves[path], known[path].window, self._marks.get(path))
            for path in self._charted()
            if path in known and path in self._curves
        ]
        note = ""
        if self._differences and len(series) > 1:
            note = "not the same measure: " + ", ".join(self._differences)
        empty = ""
        if row is not None and curves is not None:
            empty = curves.problem or row.problem or "No loss was measured yet."
        self.query_one(Overlay).show(series, way=chosen.across, scale=scale, note=note, empty=empty)
        self.query_one(RunLine).tell(
            shown=len(self._rows), of=len(self._all), marked=len(self._marks), words=self._words
        )

    @on(DataTable.RowHighlighted)
    def _moved(self) -> None:
        self._show_current()
        if set(self._charted()) - set(self._curves):
            self.look()

    def _current(self) -> RunRow | None:
        return self.query_one(RunsTable).current

    # -- the list -----------------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """Another order."""
        order = self.chargru.remembered.runs.order
        self._sort(ORDERS[(ORDERS.index(order) + 1) % len(ORDERS)])

    def _sort(self, order: str) -> None:
        self.chargru.remembered.change("runs", order=order)
        self._fill()

    @on(DataTable.HeaderSelected)
    def _heading_clicked(self, event: DataTable.HeaderSelected) -> None:
        orders = {"name": "name", "corpus": "corpus", "best": "best", "age": "newest"}
        if (order := orders.get(event.column_key.value or "")) is not None:
            self._sort(order)

    def action_mark(self) -> None:
        """Mark the run under the cursor for the chart, or unmark it."""
        if (row := self._current()) is not None:
            self._mark(row.path)

    @on(RunsTable.MarkWanted)
    def _mark_clicked(self, event: RunsTable.MarkWanted) -> None:
        self._mark(event.path)

    def _mark(self, path: str) -> None:
        if path in self._marks:
            del self._marks[path]
        elif len(self._marks) == SLOTS:
            self.chargru.tell(f"{SLOTS} runs are marked; more cannot be told apart in one chart.", severity="warning")
            return
        else:
            self._marks[path] = min(set(range(SLOTS)) - set(self._marks.values()))
        self._fill()
        self.look()

    def action_filter(self) -> None:
        """Type what the runs shown must fit."""
        self.query_one(LineInput).ask("filter", "filter ", self._words)

    def action_clear(self) -> None:
        """Forget the filter; once there is none, the marks."""
        if self._words:
            self._words = ""
        else:
            self._marks = {}
        self._fill()

    # -- the chart ----------------------------------------------------------------------------------------------

    def action_across(self) -> None:
        """Another x axis."""
        way = self.chargru.remembered.runs.across
        self.chargru.remembered.change("runs", across=across.WAYS[(across.WAYS.index(way) + 1) % len(across.WAYS)])
        self._show_current()

    def action_units(self) -> None:
        """Nats or bits."""
        units = "bits" if self.chargru.remembered.chart.units == "nats" else "nats"
        self.chargru.remembered.change("chart", units=units)
        self._fill()

    def action_axis(self) -> None:
        """Logarithmic or linear."""
        axis = "linear" if self.chargru.remembered.chart.axis == "log" else "log"
        self.chargru.remembered.change("chart", axis=axis)
        self._show_current()

    def action_details(self) -> None:
        """The details in place of the chart, and back."""
        self.toggle_class("-details")

    # -- one run ------------------------------------------------------------------------------------------------

    @on(DataTable.RowSelected)
    def action_play(self) -> None:
        """Open the run under the cursor in Play."""
        if (run := self._current()) is None:
            return
        if run.state == "broken" or (run.state == "live" and not run.models and run.holder):
            self.chargru.tell(run.problem or "It has no checkpoint yet.", severity="warning", title=run.name)
            return
        self.post_message(PlayWanted(run.path))

    def action_resume(self) -> None:
        """Go on training the run under the cursor."""
        if (run := self._current()) is None:
            return
        if run.state == "live":
            self._tell_live(run, "is in training already")
            return
        self.chargru.resume_run(run.path)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "watch":
            return self._live
        return super().check_action(action, parameters)

    async def action_watch(self) -> None:
        """Watch the run under the cursor, which another process trains; this app's own training is simply shown."""
        if (run := self._current()) is None or run.state != "live":
            return
        training = self.chargru.training
        if training.active and training.started is not None and Path(training.started.path).name == run.name:
            await self.chargru.action_show_screen("train")
            return
        who = f"process {run.holder}" if run.holder else "another process"
        self.post_message(WatchWanted(run.path, f"{one_line(run.name, 40)} is trained by {who}"))

    def action_rename(self) -> None:
        """Type another name for the run under the cursor."""
        if (run := self._current()) is None:
            return
        if run.state == "live":
            self._tell_live(run, "is in training; it can be renamed when that is over")
            return
        self._renaming = run.path
        self.query_one(LineInput).ask("rename", f"rename {one_line(run.name, 24)} to ", run.name)

    @on(LineInput.Typed)
    def _typed(self, event: LineInput.Typed) -> None:
        if isinstance(event, LineInput.Taken):
            return
        if event.purpose == "filter":
            self._words = event.text
            self._fill()
        elif event.purpose == "rename":
            name = self.chargru.archive.name_for(event.text)
            self.query_one(LineInput).tell(f"→ {one_line(name, 60)}" if name != event.text else "")

    @on(LineInput.Taken)
    def _taken(self, event: LineInput.Taken) -> None:
        self._close_line()
        if event.purpose == "rename" and event.text.strip():
            self._do(partial(changes.rename, self.chargru.archive, self._renaming, event.text))

    @on(LineInput.Left)
    def _left(self, event: LineInput.Left) -> None:
        if event.purpose == "filter":
            self._words = ""
        self._close_line()
        self._fill()

    def _close_line(self) -> None:
        self.query_one(LineInput).close()
        self.query_one(RunsTable).focus()

    def action_delete(self) -> None:
        """Ask, and delete the marked runs, or the one under the cursor."""
        row = self._current()
        chosen = [run for run in self._all if run.path in self._marks] or ([row] if row is not None else [])
        for run in chosen:
            if run.state == "live":
                self._tell_live(run, "is in training and stays")
        doomed = [run for run in chosen if run.state != "live"]
        if not doomed:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(partial(changes.delete, self.chargru.archive, [run.path for run in doomed]))

        self.app.push_screen(DeleteScreen(doomed), answered)

    def action_export(self) -> None:
        """Write the metrics of the marked runs, or of the one under the cursor, to a CSV file."""
        row = self._current()
        paths = list(self._marks) or ([row.path] if row is not None else [])
        if paths:
            self._do(partial(changes.export, self.chargru.archive, paths))

    def action_copy_path(self) -> None:
        """Copy where the run under the cursor is."""
        if (run := self._current()) is not None:
            self.chargru.copy(run.path, f"the path {run.path}")

    def _do(self, what: Callable[[], RunsChanged]) -> None:
        """Do something to runs in a thread; what came of it is told."""

        def work() -> None:
            self.post_message(changes.carefully(what))

        self.run_worker(work, thread=True, group="doing")

    @on(RunsChanged)
    def _changed(self, message: RunsChanged) -> None:
        self.chargru.tell(message.told, severity=message.severity)
        if message.was:
            self.chargru.training.moved(message.was, message.run)
        self._wanted = message.run
        self.look()

    def _tell_live(self, run: RunRow, what: str) -> None:
        who = f" (process {run.holder})" if run.holder else ""
        self.chargru.tell(f"{one_line(run.name, 40)} {what}{who}.", severity="warning")
