"""textual-plot, fitted to this app: a log axis, a light frame, and no crash without colours."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Grid
from textual.strip import Strip
from textual_hires_canvas import Canvas
from textual_plot import PlotWidget
from textual_plot.axis_formatter import AxisFormatter
from textual_plot.plot_widget import Legend

from chargru.tui.curves import linear_ticks, log_ticks
from chargru.tui.formatting import quantity

# The frame's heavy glyphs as light ones with round corners; ticks stay below and on the left, where the labels are.
_BELOW_AND_LEFT = str.maketrans("┏┓┗┛━┃┳┻┣┫", "╭╮╰╯─│┬┴├┤")
_ABOVE_AND_RIGHT = str.maketrans("┏┓┗┛━┃┳┻┣┫", "╭╮╰╯─│──││")


class LogLossFormatter(AxisFormatter):
    """Labels an axis of log10(loss) with the losses themselves, at round values."""

    most = 6

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        return [log10(tick) for tick in log_ticks(10**min_, 10**max_, min(self.most, max_ticks))]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [f"{10**tick:.3g}" for tick in ticks]


class StepFormatter(AxisFormatter):
    """Labels an axis of steps: 0, 500, 1k, 1.5k."""

    most = 6

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        return linear_ticks(max_, min(self.most, max_ticks))

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [quantity(tick) for tick in ticks]


class MonochromeCanvas(Canvas):
    """A canvas whose segments always have a style: Textual's filter for NO_COLOR fails on None."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if all(segment.style is not None for segment in strip):
            return strip
        null = Style.null()
        return Strip(
            [Segment(text, null if style is None else style, control) for text, style, control in strip],
            strip.cell_length,
        )


class LogPlot(PlotWidget, can_focus=False):
    """A plot of log10 values over steps. Give it log10(y); the axis is labelled with y."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, allow_pan_and_zoom=False)
        self._losses = LogLossFormatter()
        self._steps = StepFormatter()
        self.set_y_formatter(self._losses)
        self.set_x_formatter(self._steps)
        self.set_reactive(PlotWidget.margin_top, 0)
        self.set_reactive(PlotWidget.margin_bottom, 1)
        self.set_reactive(PlotWidget.margin_left, 6)

    def compose(self) -> ComposeResult:
        with Grid():
            yield MonochromeCanvas(1, 1, id="margin-top")
            yield MonochromeCanvas(1, 1, id="margin-left")
            yield MonochromeCanvas(1, 1, id="plot")
            yield MonochromeCanvas(1, 1, id="margin-bottom")
        yield Legend(id="legend")

    @property
    def columns(self) -> int:
        """Cells between the frame's left and right side."""
        return max(self.query_one("#plot", Canvas).size.width - 2, 0)

    def _render_plot(self) -> None:
        size = self.query_one("#plot", Canvas).size
        self._losses.most = max(size.height // 2, 2)
        self._steps.most = max(size.width // 10, 2)
        canvases = list(self.query(Canvas))
        for canvas in canvases:
            canvas._refreshes_pending += 1  # one refresh for thousands of pixels
        try:
            super()._render_plot()
            self._lighten_frame()
        finally:
            for canvas in canvases:
                canvas._refreshes_pending -= 1
                canvas.refresh()

    def _lighten_frame(self) -> None:
        canvas = self.query_one("#plot", Canvas)
        width, height = canvas.size
        if width < 2 or height < 2:
            return
        left_below = [(0, y) for y in range(height)] + [(x, height - 1) for x in range(width)]
        above_right = [(x, 0) for x in range(width)] + [(width - 1, y) for y in range(height)]
        for edge, table in ((above_right, _ABOVE_AND_RIGHT), (left_below, _BELOW_AND_LEFT)):
            for x, y in edge:
                glyph, style = canvas.get_pixel(x, y)
                canvas.set_pixel(x, y, glyph.translate(table), style)
        corners = ((0, 0, "╭"), (width - 1, 0, "╮"), (0, height - 1, "╰"), (width - 1, height - 1, "╯"))
        for x, y, glyph in corners:  # a tick at the very end would spoil them
            canvas.set_pixel(x, y, glyph, canvas.get_pixel(x, y)[1])
