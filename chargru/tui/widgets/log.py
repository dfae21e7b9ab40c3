"""What happened in a training: a line an event, with its time and a mark for its kind. Texts pass `shown`."""

from __future__ import annotations

from functools import lru_cache

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size

from chargru.tui.formatting import duration, one_line, whole
from chargru.tui.state import LOG_LINES, LogLine, TrainingState
from chargru.tui.widgets.numbers import DIM, StateWidget

LINES = 4  # of the panel that one event may take

MARKS = {
    "saved": ("✓", "$success"),
    "done": ("✓", "$success"),
    "recovered": ("✗", "$warning"),
    "failed": ("✗", "$error"),
    "unsaved": ("!", "$error"),
    "rate": ("±", "$accent"),
    "paused": ("‖", "$warning"),
    "notice": ("·", DIM),
}


URGENT = ("failed", "unsaved", "recovered", "done")


class LogText(StateWidget):
    """The lines of the log, the newest at the bottom."""

    single = False  # one cut line an event, where there is one line of room

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self._lines(width)), 1)

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        log = list(self.state.log)
        times = max((len(_time(line)) for line in log), default=0)
        return [row for line in log for row in _rows(line, times, max(width, 12), self.single)]


class EventLog(VerticalScroll, can_focus=True):
    """The log in a panel that follows the newest line unless scrolled back; one line where there is no more room."""

    ALLOW_MAXIMIZE = True
    BORDER_TITLE = "events"
    HELP = "What happened, with the time of training: saves, pauses, changes of the learning rate, recoveries, notes."

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self._state: TrainingState | None = None
        self._told = -1

    def compose(self) -> ComposeResult:
        yield LogText(id="event-lines")

    def on_mount(self) -> None:
        self.anchor()

    def show(self, state: TrainingState) -> None:
        """Show the lines of this state, if there are new ones."""
        if state is self._state and state.logged == self._told:
            return
        self._state, self._told = state, state.logged
        self._paint()

    def on_resize(self) -> None:
        self._paint()

    def _paint(self) -> None:
        lines = self.query_one(LogText)
        lines.single = self.size.height <= 1
        if self._state is not None:
            lines.state = self._state
        lines.refresh(layout=True)


@lru_cache(2 * LOG_LINES)  # a new line must not cost as much as all that stand there already
def _rows(line: LogLine, times: int, width: int, single: bool) -> tuple[Content, ...]:
    glyph, colour = MARKS.get(line.kind, MARKS["notice"])
    room = max(width - times - 3, 8)
    step = "" if line.step is None else f"{whole(line.step)} "
    if step and single:
        step = f"step {step}"
    told = one_line(line.text, (room if single else LINES * room) - len(step))
    text = Content.assemble((step, "$primary 80%"), (told, "" if line.kind in URGENT else DIM))
    return tuple(
        Content.assemble(
            (_time(line).rjust(times) if index == 0 else " " * times, "$foreground 38%"),
            (f" {glyph} " if index == 0 else "   ", colour),
            part,
        )
        for index, part in enumerate(text.wrap(room) or [Content("")])
    )


def _time(line: LogLine) -> str:
    return "" if line.elapsed is None else duration(line.elapsed)
