"""The question before runs are deleted: which, what goes with them, and how much room that makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from chargru.tui.archive import RunRow
from chargru.tui.formatting import memory, nats, one_line, plural

MOST = 8  # runs named one by one


class DeleteScreen(ModalScreen[bool]):
    """Gives True when the runs are to be deleted. The button that keeps them is the one that Enter presses."""

    HEADING = "Delete"
    HELP_TEXT = "A deleted run is gone: its models, its settings and its losses. Nothing is moved to a waste basket."
    AUTO_FOCUS = "#keep"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "Keep", tooltip="Keep everything"),
        Binding("y", "answer(True)", "Delete", tooltip="Delete for good"),
        Binding("left,right", "app.focus_next", "Other", show=False),
    ]

    def __init__(self, runs: Sequence[RunRow]) -> None:
        super().__init__()
        self._runs = tuple(runs)

    def compose(self) -> ComposeResult:
        with Vertical(id="delete-panel") as panel:
            panel.border_title = Content("delete")
            yield Static(question(self._runs), id="delete-words", markup=False)
            with Horizontal(id="delete-buttons"):
                yield Button("Keep (n)", id="keep", compact=True)
                yield Button("Delete (y)", id="delete", variant="error", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "delete")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


def question(runs: Sequence[RunRow]) -> Content:
    """What goes, in words."""
    size = memory(sum(run.size for run in runs))
    title = f"Delete {one_line(runs[0].name, 40)}?" if len(runs) == 1 else f"Delete {plural(len(runs), 'run')}?"
    lines: list[str] = []
    for run in runs[:MOST]:
        loss = f", best {nats(run.best_loss)}" if run.best_loss is not None else ""
        files = plural(len(run.models), "checkpoint") if run.models else "no checkpoint"
        lines.append(f"{one_line(run.name, 30)}: {files}{loss}, {memory(run.size)}")
    if len(runs) > MOST:
        lines.append(f"and {plural(len(runs) - MOST, 'more run')}")
    gone = f"{size} of models, settings and losses go for good. This cannot be undone."
    return Content.assemble((title, "bold"), "\n\n", "\n".join(lines), "\n\n", (gone, "$warning"))
