"""What the model writes while it learns, and the log of what happened. Both show data and therefore `shown` text."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chargru.events import Sampled
from chargru.tui.formatting import one_line, shown, whole
from chargru.tui.state import LogLine, TrainingState
from chargru.tui.widgets.numbers import StateWidget

SAMPLE_LIMIT = 4000  # characters painted; more than any screen holds

NO_SAMPLE = Content.styled("The first words appear here after a few seconds.", "$foreground 38%")

LOG_MARKS = {
    "saved": ("✓", "$success"),
    "done": ("✓", "$success"),
    "recovered": ("✗", "$warning"),
    "failed": ("✗", "$error"),
    "notice": ("·", "$foreground 62%"),
}


class SamplePanel(VerticalScroll, can_focus=True):
    """The newest sample, rewritten whenever the model sends one."""

    BORDER_TITLE = "sample"
    HELP = "What the model writes at this moment, from what it has learned so far."

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: Sampled | None = None

    def compose(self) -> ComposeResult:
        yield Static(NO_SAMPLE, id="sample-text", markup=False)

    def show(self, state: TrainingState) -> None:
        """Show the newest sample of this state."""
        if state.sampled is self._shown:
            return  # a new text means a new layout; only a new sample is worth one
        self._shown = state.sampled
        body = self.query_one("#sample-text", Static)
        if (sample := state.sampled) is None:
            self.border_title = Content("sample")
            body.update(NO_SAMPLE)
            return
        self.border_title = Content(f"sample · step {whole(sample.step)} · temperature {sample.temperature:g}")
        body.update(
            Content.assemble((shown(sample.prompt), "$foreground 62%"), shown(sample.text[:SAMPLE_LIMIT])),
        )


class EventLog(StateWidget):
    """What happened, the newest at the bottom: one line where there is no more room, else as many as fit."""

    BORDER_TITLE = "events"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._told: LogLine | None = None

    def show(self, state: TrainingState) -> None:
        """Paint again if there is a new line."""
        self.state = state
        newest = state.log[-1] if state.log else None
        if newest is not self._told:
            self._told = newest
            self.refresh()

    def render(self) -> Content:
        height, width = max(self.size.height, 1), self.size.width
        if height == 1:
            return self._line(self.state.log[-1], width) if self.state.log else Content("")
        rows: list[Content] = []
        for line in reversed(self.state.log):
            if len(rows) >= height:
                break
            rows = [*self._line(line, 4 * width).wrap(max(width, 1)), *rows]
        return Content("\n").join(rows[-height:])

    def _line(self, line: LogLine, width: int) -> Content:
        glyph, colour = LOG_MARKS.get(line.kind, LOG_MARKS["notice"])
        return Content.assemble((f" {glyph}", colour), " ", (one_line(line.text, width - 4), "$foreground 62%"))
