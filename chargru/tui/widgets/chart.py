"""The loss panel: training and validation loss on a log axis, the best point and the places of recovery marked."""

from __future__ import annotations

import math
import os
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual_hires_canvas import HiResMode

from chargru.tui.curves import Point, envelope, log10
from chargru.tui.formatting import nats, whole
from chargru.tui.glyphs import plain_terminal
from chargru.tui.state import TrainingState
from chargru.tui.widgets.plot import LogPlot

# Over ssh each redraw is traffic; and a redraw costs some 20 ms that training on the same processor loses.
REDRAW = 1.0 if "SSH_CONNECTION" in os.environ else 0.4

# (train line, validation point, best, recovered)
BRAILLE_GLYPHS = ("⠒⠒", "•", "◆", "✗")
ASCII_GLYPHS = ("..", "o", "*", "x")


class LossChart(Vertical):
    """A legend line and the plot. `show` hands it a state; it draws a few times a second at most."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chart--train", "chart--validation", "chart--best", "chart--recovered"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="loss-chart")
        self._state = TrainingState()
        self._stale = False
        self._told = Content("")
        self.ascii = plain_terminal()

    def compose(self) -> ComposeResult:
        yield Static(id="legend-line", markup=False)
        yield LogPlot(id="loss-plot")

    def on_mount(self) -> None:
        self.set_interval(REDRAW, self._redraw_if_stale)

    def show(self, state: TrainingState) -> None:
        """Remember the state to draw at the next turn."""
        self._state = state
        self._stale = True

    def on_resize(self) -> None:
        self._stale = True

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._stale = True  # another theme: other colours

    def redraw(self) -> None:
        """Draw now."""
        self._stale = False
        plot = self.query_one(LogPlot)
        legend = self._legend()
        if legend != self._told:  # a new text means a new layout
            self._told = legend
            self.query_one("#legend-line", Static).update(legend)
        plot.clear()
        state = self._state
        segments = state.train.segments + state.validation.segments
        points = [point for segment in segments for point in segment]
        if not points or plot.columns < 4:
            return
        right = max(x for x, _ in points) * 1.02 or 1.0
        low, high = self._limits(points)
        plot.set_xlimits(0.0, right)
        plot.set_ylimits(low, high)
        mode = None if self.ascii else HiResMode.BRAILLE
        train, held_out, best, recovered = ASCII_GLYPHS if self.ascii else BRAILLE_GLYPHS
        for segment in state.train.segments:
            xs, ys = self._thin(segment, right, high)
            if self.ascii:
                plot.scatter(xs, ys, marker=train[0], marker_style=self._style("chart--train"))
            else:
                plot.plot(xs, ys, line_style=self._style("chart--train"), hires_mode=mode)
        for segment in state.validation.segments:
            xs, ys = self._thin(segment, right, high)
            if not self.ascii:
                plot.plot(xs, ys, line_style=self._style("chart--validation"), hires_mode=mode)
            plot.scatter(xs, ys, marker=held_out, marker_style=self._style("chart--validation"))
        if (told := state.evaluated) is not None and math.isfinite(told.best_loss):
            y = min(log10(told.best_loss), high)
            plot.scatter([told.best_step], [y], marker=best, marker_style=self._style("chart--best"))
        for x, loss in state.marks:
            y = min(log10(loss), high) if math.isfinite(loss) else (low + high) / 2
            plot.scatter([x], [y], marker=recovered, marker_style=self._style("chart--recovered"))

    def _redraw_if_stale(self) -> None:
        if self._stale and self.screen in self.app.screen_stack and self.display:
            self.redraw()

    def _thin(self, segment: list[Point], right: float, high: float) -> tuple[list[float], list[float]]:
        thinned = envelope(segment, self.query_one(LogPlot).columns, 0.0, right)
        return [x for x, _ in thinned], [min(log10(y), high) for _, y in thinned]

    def _limits(self, points: list[Point]) -> tuple[float, float]:
        """The y axis in log10, with a little room; a diverged loss may not squash the rest of the curve."""
        low = log10(min(y for _, y in points))
        high = log10(max(y for _, y in points))
        if (started := self._state.started) is not None and started.vocab_size > 1:
            high = min(high, log10(1.5 * math.log(started.vocab_size)))
        low = min(low, high)
        room = max(0.05 * (high - low), 0.01)
        return low - room, high + room

    def _style(self, component: str) -> str:
        return str(self.get_component_rich_style(component, partial=True))

    def _legend(self) -> Content:
        state = self._state
        train, held_out, best, recovered = ASCII_GLYPHS if self.ascii else BRAILLE_GLYPHS
        parts: list[Content | str | tuple[str, str]] = [
            ("loss ", "bold"),
            (f" {train} train", "$primary"),
            (f"  {held_out} validation", "$accent"),
        ]
        if (told := state.evaluated) is not None:
            parts.append((f"  {best} best {nats(told.best_loss, 2)}@{whole(told.best_step)}", "$success"))
        if state.marks:
            parts.append((f"  {recovered} recovered", "$error"))
        return Content.assemble(*parts)
