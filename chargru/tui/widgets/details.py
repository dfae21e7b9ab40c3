"""What is known of one run: how it stands, its settings, its text, its checkpoints, its landmarks, its last sample."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chargru.tui.archive import RunCurves, RunRow
from chargru.tui.formatting import duration, memory, one_line, pad, shown, whole
from chargru.tui.scales import Scale

DIM = "$foreground 62%"
STATES = {
    "live": "in training",
    "finished": "finished: its budget is spent",
    "stopped": "stopped: it can go on",
    "broken": "broken: nothing to go on from",
}
LANDMARKS = {"uniform": "uniform", "unigram": "letters", "trigram": "3-gram", "fivegram": "5-gram"}
_SAMPLE = 1200  # characters


class RunDetails(VerticalScroll):
    """A column of facts; scrolls where they are too many."""

    BORDER_TITLE = "run"
    HELP = "What is known of the run under the cursor. Its sample is what the model wrote last."

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._told: tuple[RunRow | None, RunCurves | None, Scale] | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="runs-facts", markup=False)

    def on_resize(self) -> None:
        if self._told is not None:
            self.show(*self._told)  # it may have been told before it had its place

    def show(self, row: RunRow | None, curves: RunCurves | None, scale: Scale) -> None:
        """Tell these facts."""
        self._told = row, curves, scale
        self.border_title = Content(one_line(row.name, max(self.size.width - 6, 10)) if row else "run")
        width = max(self.scrollable_content_region.width, 20)
        self.query_one("#runs-facts", Static).update(facts(row, curves, scale, width) if row else Content(""))


def facts(row: RunRow, curves: RunCurves | None, scale: Scale, width: int) -> Content:
    """The facts on lines of at most `width` cells (the sample is wrapped by who shows it)."""
    state = STATES.get(row.state, row.state)
    if row.state == "live":
        state += f" by process {row.holder}" if row.holder else ""
        if curves is not None and curves.fraction is not None:
            state += f", {curves.fraction:.0%}"
    parts: list[Content] = [Content.styled(one_line(state, width), "bold")]
    if row.problem:
        parts.append(Content.styled(shown(row.problem, newlines=False), "$error"))
    table: list[tuple[str, str]] = []
    if row.step is not None:
        table.append(("steps", whole(row.step)))
    if row.seconds is not None:
        table.append(("trained", duration(row.seconds)))
    if row.best_loss is not None:
        other = Scale(not scale.bits, scale.log)
        both = f"{scale.told(row.best_loss)} {scale.unit}, {other.told(row.best_loss)} {other.unit}"
        table.append(("best", both))
    parts.append(_table([*table, *row.facts], width))
    if curves is not None and curves.landmarks:
        told = [(LANDMARKS[name], scale.told(value)) for name, value in curves.landmarks]
        parts.append(_headed(f"simple models reach ({scale.unit})", _table(told, width)))
    if row.models:
        files = Content("\n").join(Content(one_line(each, width)) for each in row.models)
        parts.append(_headed(f"checkpoints, {memory(row.size)} in all", files))
    if curves is not None and curves.notes:
        notes = Content("\n").join(Content(shown(note, newlines=False)) for note in curves.notes)
        parts.append(_headed("notices", notes))
    if curves is not None and curves.sample is not None:
        step, prompt, text = curves.sample
        parts.append(_headed(f"sample of step {whole(step)}", Content(shown((prompt + text)[:_SAMPLE]))))
    return Content("\n\n").join(part for part in parts if part.plain)


def _headed(title: str, body: Content) -> Content:
    return Content.assemble((title, DIM), "\n", body)


def _table(rows: Sequence[tuple[str, str]], width: int) -> Content:
    rows = [(one_line(name, 16), told) for name, told in rows]
    left = max((cell_len(name) for name, _ in rows), default=0)
    lines = [
        Content.assemble((pad(name, left + 1), DIM), one_line(told, max(width - left - 1, 8))) for name, told in rows
    ]
    return Content("\n").join(lines)
