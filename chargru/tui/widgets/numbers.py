"""The figures of a training, as one line for a small terminal and as a panel for a large one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from chargru.tui import formatting as say
from chargru.tui.formatting import fit
from chargru.tui.glyphs import glyphs
from chargru.tui.scales import Scale
from chargru.tui.state import TrainingState
from chargru.tui.widgets.figures import Row, figures, fitting, panel

if TYPE_CHECKING:
    from chargru.tui.app import ChargruApp

Part = tuple[str, str] | str
DIM = "$foreground 62%"


class StateWidget(Widget):
    """A widget that paints a training state; `show` gives it a new one."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state = TrainingState()

    @property
    def chargru(self) -> ChargruApp:
        """The app, by its own type."""
        return cast("ChargruApp", self.app)

    @property
    def scale(self) -> Scale:
        """The unit of losses that the user chose."""
        return Scale.of(self.chargru.remembered.chart)

    def show(self, state: TrainingState) -> None:
        """Paint this state."""
        self.state = state
        self.refresh()


class NumbersLine(StateWidget):
    """The figures on one line, the least important left out where there is no room."""

    def render(self) -> Content:
        rows = figures(self.state, self.scale)
        told = {f"{name} {value}": (name, value) for _, name, value in rows}
        kept = fit([(rank, f"{name} {value}") for rank, name, value in rows], self.size.width - 2)
        parts: list[Part] = [" "]
        for text in kept:
            name, value = told[text]
            tone = {"loss": "bold $primary", "val": "bold $accent", "best": "$success", "no better for": "$warning"}
            parts += [(f"{name} ", DIM), (value, tone.get(name, "")), "  "]
        return Content.assemble(*parts)


class NumbersPanel(StateWidget, can_focus=True):
    """The figures in a panel, one a line, with what does not change below."""

    ALLOW_MAXIMIZE = True
    BORDER_TITLE = "numbers"
    HELP = (
        "A loss is how surprised the model is by each character, on average: e to its power, the perplexity, is among "
        "how many characters it hesitates. The best model is the one with the lowest validation loss; it is kept."
    )

    def show(self, state: TrainingState) -> None:
        self.border_subtitle = Content(f"{self.scale.unit} per character")
        super().show(state)

    def render(self) -> Content:
        width, height = self.size
        rows = panel(self.state, self.scale)
        lines = self._lines(rows, width)
        while len(lines) > height and len(rows) > 1:  # a sentence may take two lines
            rows = fitting(rows, len(rows) - 1)
            lines = self._lines(rows, width)
        return Content("\n").join(lines[: max(height, 1)])

    def _lines(self, rows: list[Row], width: int) -> list[Content]:
        lines: list[Content] = []
        for row in rows:
            lines += self._sentence(row, width) if row.name and not row.value else [self._row(row, width)]
        return lines

    def _signs(self) -> dict[str, tuple[str, str]]:
        """The sign and the colour of each tone."""
        marks = glyphs(self.chargru.plain)
        return {
            "train": (marks.train[:1], "$primary"),
            "validation": (marks.validation, "$accent"),
            "best": (marks.best, "$success"),
            "here": (marks.resumed, "$accent"),
            "good": ("✓", "$success"),
            "warning": ("!", "$warning"),
        }

    def _sentence(self, row: Row, width: int) -> list[Content]:
        sign, colour = self._signs().get(row.tone, (" ", ""))
        return [
            Content.assemble((f"{sign} " if index == 0 else "  ", colour), line.stylize(colour))
            for index, line in enumerate(Content(row.name).wrap(max(width - 2, 8)))
        ]

    def _row(self, row: Row, width: int) -> Content:
        if row.gap:
            return Content("")
        sign, colour = self._signs().get(row.tone, (" ", ""))
        value = say.one_line(row.value, max(width - cell_len(row.name) - 3, 4))
        blank = " " * max(width - 2 - cell_len(row.name) - cell_len(value), 1)
        strong = f"bold {colour}" if row.tone in ("train", "validation", "here") else colour
        return Content.assemble((f"{sign} ", colour), (row.name, DIM), blank, (value, strong))
