"""textual-plot, fitted to this app: losses over steps on a log or a linear axis, lines with names, and a crosshair.

Heights are given as places of a `Scale` (log10 of the loss unless another scale is set); the axis is labelled with the
losses themselves. Losses may also be drawn with the library's own `plot` and `scatter`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Grid
from textual.geometry import Region
from textual.message import Message
from textual_hires_canvas import Canvas, HiResMode
from textual_plot import PlotWidget
from textual_plot.plot_widget import Legend, LinePlot

from chargru.tui.curves import Point
from chargru.tui.scales import Scale, step_labels, step_ticks
from chargru.tui.widgets.canvas import Dot, PlotCanvas, flat_style, line_dots, written

FAR = 1 << 20  # dots; a point further away is as good as there


@dataclass
class Line(LinePlot):
    """A line of braille dots, or of `glyph` where there is no braille; `cloud` draws its points only."""

    glyph: str = ""
    thick: bool = False
    faint: bool = False
    cloud: bool = False


@dataclass
class Level(LinePlot):
    """A horizontal line with its name written on it, below everything else."""

    glyph: str = "┄"
    name: str = ""


class LogPlot(PlotWidget, can_focus=False):
    """A plot of losses over steps. Tells in messages what the mouse does on it; what that means is its owner's."""

    ALLOW_SELECT = False

    @dataclass
    class Pointed(Message):
        """The mouse is over this step (None: it left); `pinned` when it clicked."""

        step: float | None
        pinned: bool = False

    @dataclass
    class Wheeled(Message):
        """The wheel was turned over this step."""

        step: float
        closer: bool

    @dataclass
    class Dragged(Message):
        """The plot was dragged by this part of its width, to the right if positive."""

        part: float

    def __init__(self, *, id: str | None = None, scale: Scale | None = None) -> None:
        super().__init__(id=id, allow_pan_and_zoom=False)
        self.scale = scale or Scale()
        self.plain = False  # the axis may be drawn in ASCII only
        self.x_name = "step"
        self._cross: tuple[float, str] | None = None
        self._cross_marks: list[tuple[float, str, str]] = []
        self._below_cross: tuple[int, list[tuple[str, str]]] | None = None
        self._pressed: int | None = None
        self._dragged = False
        self.set_reactive(PlotWidget.margin_top, 0)
        self.set_reactive(PlotWidget.margin_bottom, 1)
        self.set_reactive(PlotWidget.margin_left, 6)

    def compose(self) -> ComposeResult:
        with Grid():
            yield PlotCanvas(1, 1, id="margin-top")
            yield PlotCanvas(1, 1, id="margin-left")
            yield PlotCanvas(1, 1, id="plot")
            yield PlotCanvas(1, 1, id="margin-bottom")
        yield Legend(id="legend")

    # -- what is drawn --------------------------------------------------------------------------------------------

    @property
    def columns(self) -> int:
        """Cells to the right of the axis."""
        return max(self._canvas.size.width - 1, 0)

    @property
    def rows(self) -> int:
        """Cells above the axis."""
        return max(self._canvas.size.height - 1, 0)

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """(lowest x, highest x, lowest y, highest y) shown."""
        return self._x_min, self._x_max, self._y_min, self._y_max

    def line(
        self,
        points: Sequence[Point],
        style: str,
        *,
        glyph: str = "",
        thick: bool = False,
        faint: bool = False,
        cloud: bool = False,
    ) -> None:
        """Draw a line through (step, place) points: braille, or with `glyph` in every cell it meets.

        A `thick` one is two dots high, a `cloud` is its points alone, a `faint` one gives way to what comes later.
        """
        xs, ys = np.array([x for x, _ in points]), np.array([y for _, y in points])
        mode = None if glyph else HiResMode.BRAILLE
        self._add(Line(xs, ys, mode, style, glyph=glyph, thick=thick, faint=faint, cloud=cloud))

    def level(self, place: float, name: str, style: str, *, glyph: str = "┄") -> None:
        """Draw a horizontal line with its name."""
        self._add(Level(np.array([]), np.array([place]), None, style, glyph=glyph, name=name))

    def cross(self, step: float | None, style: str = "", marks: Iterable[tuple[float, str, str]] = ()) -> None:
        """Show a vertical line at a step, with (place, glyph, style) marks on it; None takes it away.

        Only two columns are painted anew: it follows the mouse.
        """
        self._cross = None if step is None else (step, style)
        self._cross_marks = list(marks)
        self._canvas.quietly(self._draw_cross)

    def _rerender(self) -> None:
        # Not by painting this widget, which holds nothing but canvases: that would be a second painting of the screen.
        self._needs_rerender = True
        self.call_next(self._render_if_needed)

    def _render_if_needed(self) -> None:
        if self._needs_rerender:
            self.render()

    @on(Canvas.Resize)
    def _canvas_resized(self, event: Canvas.Resize) -> None:
        # The library looks at the sizes when this widget is laid out, and the canvases may get theirs only later.
        event.stop()
        self._needs_canvas_resize = True
        self._rerender()

    def _add(self, shape: LinePlot) -> None:
        self._datasets.append(shape)
        self._labels.append(None)
        self._rerender()

    @property
    def _canvas(self) -> PlotCanvas:
        return self.query_one("#plot", PlotCanvas)

    def _render_plot(self) -> None:
        if not self.query("#plot"):
            return  # asked for before it was composed
        canvas = self._canvas
        width, height = canvas.drawn_size
        if width < 3 or height < 3:
            return
        self._scale_rectangle = Region(1, 0, width - 1, height - 1)  # the library leaves room for a whole frame
        self._below_cross = None
        canvas.faint = {each.line_style for each in self._datasets if isinstance(each, Line) and each.faint}
        for each in self.query(PlotCanvas):
            each._refreshes_pending += 1  # one refresh for thousands of dots
        try:
            super()._render_plot()
            self._name_levels()
            self._draw_cross()
        finally:
            for each in self.query(PlotCanvas):
                each._refreshes_pending -= 1
                each.refresh()

    def _render_line_plot(self, dataset: LinePlot) -> None:
        canvas = self._canvas
        if isinstance(dataset, Level):
            y = self._row(float(dataset.y[0]))
            if y is not None:
                canvas.write(1, y, dataset.glyph * (canvas.drawn_size.width - 1), dataset.line_style)
        elif isinstance(dataset, Line) and dataset.glyph:
            cells = [(x >> 1, y >> 2) for x, y in self._dots(dataset)]
            for x, y in cells if dataset.cloud else line_dots(cells):
                canvas.write(x, y, dataset.glyph, dataset.line_style)
        elif isinstance(dataset, Line):
            dots = self._dots(dataset)
            drawn = dots if dataset.cloud else list(line_dots(dots))
            canvas.dots(drawn, dataset.line_style)
            if dataset.thick:
                canvas.dots([(x, y + 1) for x, y in drawn], dataset.line_style)
        else:
            super()._render_line_plot(dataset)

    def _dots(self, dataset: LinePlot) -> list[Dot]:
        """The points in dots: 2 a cell across, 4 down. What is beyond the upper or lower end stays beyond it."""
        width, height = self._scale_rectangle.size
        x_min, x_max, y_min, y_max = self.limits
        xs = 2 + np.floor((dataset.x - x_min) * (2 * width / (x_max - x_min)))
        ys = np.floor((y_max - dataset.y) * (4 * height / (y_max - y_min)))
        return list(
            zip(
                np.clip(xs, -FAR, FAR).astype(int).tolist(),
                np.clip(ys, -4 * height, 8 * height).astype(int).tolist(),
                strict=True,
            )
        )

    def _row(self, place: float) -> int | None:
        """The row of cells at a height; None outside."""
        height = self._scale_rectangle.height
        row = floor((self._y_max - place) * height / (self._y_max - self._y_min))
        return row if 0 <= row < height else None

    def _name_levels(self) -> None:
        """Write the levels' names where they cover least of the curves: to the right, to the left, or between."""
        canvas = self._canvas
        width = canvas.drawn_size.width
        for level in (each for each in self._datasets if isinstance(each, Level) and each.name):
            y = self._row(float(level.y[0]))
            text = f" {level.name} "
            last = width - len(text)
            if y is None or last < 2:
                continue
            places = [last, 2, *range(last - 2, 2, -4)]
            covered = [
                sum(canvas.glyph(x, y) != level.glyph for x in range(place, place + len(text))) for place in places
            ]
            best = min(range(len(places)), key=lambda index: (covered[index], index))
            if covered[best] <= 2:
                canvas.write(places[best], y, text, level.line_style)

    def _draw_cross(self) -> None:
        canvas = self._canvas
        if self._below_cross is not None:
            canvas.put_column(*self._below_cross)
            self._below_cross = None
        width, height = canvas.drawn_size
        if self._cross is None or width < 3 or height < 3:
            return
        step, style = self._cross
        x = self.cell_of(step)
        if not 1 <= x < width:
            return
        self._below_cross = (x, canvas.column(x))
        levels = {each.glyph for each in self._datasets if isinstance(each, Level)}
        bar = "|" if self.plain else "│"
        for y in range(height - 1):
            if canvas.glyph(x, y) in (" ", *levels):
                canvas.write(x, y, bar, style)
        canvas.write(x, height - 1, "+" if self.plain else "┴", style)
        for place, glyph, colour in self._cross_marks:
            if (row := self._row(place)) is not None:
                canvas.write(x, row, glyph, colour)

    def _tick_style(self, part: str) -> str:
        return flat_style(self, f"plot--{part}")

    def _render_x_ticks(self) -> None:
        canvas, margin = self._canvas, self.query_one("#margin-bottom", PlotCanvas)
        margin.reset()
        axis, label_style = self._tick_style("axis"), self._tick_style("tick")
        width, height = canvas.drawn_size
        ticks = step_ticks(self._x_min, self._x_max, max(width // 10, 2))
        left = self.margin_left
        if left > 1:
            written(self.x_name, self._tick_style("label"), margin, left - 2, 0)
        taken = left - 1  # the last cell in which something stands
        for tick, label in zip(ticks, step_labels(ticks), strict=True):
            x = self.cell_of(tick)
            if not 0 <= x < width:
                continue
            canvas.write(x, height - 1, "╰" if x == 0 else "┬", axis)
            begin = max(min(left + x - cell_len(label) // 2, left + width - cell_len(label)), left)
            if begin > taken:
                margin.write(begin, 0, label, label_style)
                taken = begin + cell_len(label)

    def _render_y_ticks(self) -> None:
        canvas, margin = self._canvas, self.query_one("#margin-left", PlotCanvas)
        margin.reset()
        axis, label_style = self._tick_style("axis"), self._tick_style("tick")
        ticks = self.scale.ticks(self._y_min, self._y_max, max(canvas.drawn_size.height // 2, 2))
        taken: int | None = None
        for tick, label in sorted(zip(ticks, self.scale.labels(ticks), strict=True), reverse=True):
            y = self._row(tick)
            if y is None or y == taken:
                continue
            taken = y
            canvas.write(0, y, "┤", axis)
            written(label, label_style, margin, self.margin_left - 2, y)

    def _render_x_label(self) -> None:
        """The axis is named in the corner."""

    def _render_y_label(self) -> None:
        """The owner's title says what is drawn."""

    # -- the mouse --------------------------------------------------------------------------------------------------

    def cell_of(self, step: float) -> int:
        """The column of the canvas in which a step stands; it may be outside."""
        width = max(self._scale_rectangle.width, 1)
        x = (2 * width * (step - self._x_min) / max(self._x_max - self._x_min, 1e-9)) // 2
        return 1 + int(min(max(x, -FAR), FAR))

    def step_at(self, cell: int) -> float:
        """The step in the middle of a column."""
        width = max(self._scale_rectangle.width, 1)
        return self._x_min + (cell - 0.5) / width * (self._x_max - self._x_min)

    def _cell_under(self, event: events.MouseEvent) -> int | None:
        """The column under the mouse; None beside the plot."""
        region = self._canvas.region
        x, y = event.screen_x - region.x, event.screen_y - region.y
        return x if 1 <= x < region.width and 0 <= y < region.height else None

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, closer=False)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, closer=True)

    def _wheel(self, event: events.MouseEvent, *, closer: bool) -> None:
        event.prevent_default()  # the library zooms both axes, and the other way round
        event.stop()
        if (cell := self._cell_under(event)) is not None:
            self.post_message(self.Wheeled(self.step_at(cell), closer))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.prevent_default()
        if event.button == 1 and self._cell_under(event) is not None:
            self._pressed, self._dragged = event.screen_x, False
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        event.prevent_default()
        if self._pressed is None:
            cell = self._cell_under(event)
            self.post_message(self.Pointed(None if cell is None else self.step_at(cell)))
        elif event.screen_x != self._pressed:
            moved, self._pressed, self._dragged = event.screen_x - self._pressed, event.screen_x, True
            self.post_message(self.Dragged(moved / max(self.columns, 1)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.prevent_default()
        if self._pressed is None:
            return
        self.release_mouse()
        self._pressed = None
        cell = self._cell_under(event)
        if not self._dragged and cell is not None:
            self.post_message(self.Pointed(self.step_at(cell), pinned=True))

    def on_leave(self, event: events.Leave) -> None:
        if self._pressed is None and not self.region.contains_point(self.app.mouse_position):
            self.post_message(self.Pointed(None))
