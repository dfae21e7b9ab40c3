"""The loss panel: training loss smoothed before its raw values, validation, the best point, what simple models reach,
and the places where something happened. It can be zoomed, moved, measured with a crosshair, and shown in bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from chargru.tui.crosshair import Crosshair, crosshair_at, next_step, steps_of
from chargru.tui.curves import Curve, Point, averaged, cut, envelope, inside
from chargru.tui.glyphs import Glyphs, glyphs
from chargru.tui.landmarks import yardsticks
from chargru.tui.runner import REDRAW
from chargru.tui.scales import Scale, limits
from chargru.tui.state import TrainingState
from chargru.tui.viewport import LAST_THIRD, ZOOM, Viewport
from chargru.tui.widgets.canvas import flat_style
from chargru.tui.widgets.legend import SERIES, LegendLine, names, reading, switches
from chargru.tui.widgets.plot import LogPlot

if TYPE_CHECKING:
    from chargru.tui.app import ChargruApp

PAN = 0.25  # of the width, by one key


class LossChart(Vertical, can_focus=True):
    """A legend line and the plot. `show` hands it a state; it draws a few times a second at most."""

    ALLOW_MAXIMIZE = True
    BORDER_TITLE = "loss"  # never painted, as there is no border, but it is the panel's name
    HELP = (
        "The strong line is the training loss, smoothed; the faint dots are its single values, the points are "
        "validations. A click on the legend hides or shows a series; the wheel zooms, dragging moves."
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--train",
        "chart--raw",
        "chart--validation",
        "chart--validation-line",
        "chart--best",
        "chart--recovered",
        "chart--landmark",
        "chart--rate",
        "chart--cross",
        "chart--cross-point",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cross(-1)", "Crosshair left", show=False),
        Binding("right", "cross(1)", "Crosshair right", show=False),
        Binding("home", "cross_end(-1)", "Crosshair to the first step shown", show=False),
        Binding("end", "cross_end(1)", "Crosshair to the newest step", show=False),
        Binding("escape", "uncross", "Take the crosshair away", show=False),
        Binding("shift+left", "pan(-1)", "Move to earlier steps", show=False),
        Binding("shift+right", "pan(1)", "Move to later steps", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="loss-chart")
        self._state = TrainingState()
        self._stale = False
        self._drawn_plain: bool | None = None
        self._drawn = -math.inf  # when
        self._viewport = Viewport()
        self._hidden: set[str] = set()
        self._cross: float | None = None
        self._pinned = False

    @property
    def viewport(self) -> Viewport:
        """Which steps are shown."""
        return self._viewport

    @property
    def crosshair(self) -> Crosshair | None:
        """What the curves say where the crosshair stands; None without one."""
        return None if self._cross is None else crosshair_at(self._state, self._cross)

    @property
    def scale(self) -> Scale:
        """The unit and the axis that the user chose."""
        return Scale.of(self._app.remembered.chart)

    @property
    def _app(self) -> ChargruApp:
        return cast("ChargruApp", self.app)

    @property
    def _glyphs(self) -> Glyphs:
        return glyphs(self._app.plain)

    def compose(self) -> ComposeResult:
        yield LegendLine(id="legend-line")
        yield LogPlot(id="loss-plot")

    def on_mount(self) -> None:
        self.set_interval(REDRAW, self._redraw_if_stale)

    def show(self, state: TrainingState) -> None:
        """Remember the state to draw at the next turn."""
        if state is not self._state:
            self._cross, self._pinned, self._viewport = None, False, Viewport()
        self._state = state
        self._stale = True
        if monotonic() - self._drawn > 0.7 * REDRAW:  # now, so that one painting serves the figures and the chart
            self._redraw_if_stale()

    def on_resize(self) -> None:
        self._stale = True

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._stale = True  # another theme: other colours

    def on_focus(self) -> None:
        self.call_later(self._show_legend)  # which then knows that the focus is here, or gone

    def on_blur(self) -> None:
        self.call_later(self._show_legend)

    def _redraw_if_stale(self) -> None:
        stale = self._stale or self._drawn_plain != self._app.plain
        if stale and self.screen in self.app.screen_stack and self.display:
            self.redraw()

    # -- what keys and the mouse do -----------------------------------------------------------------------------

    def span(self) -> tuple[float, float]:
        """(first, last) of the steps there are, with a little room behind the last."""
        ends = [curve for curve in (self._state.train, self._state.validation) if curve.last is not None]
        xs = [x for curve in ends for segment in curve.segments for x in (segment[0][0], segment[-1][0])]
        first, last = min(xs, default=0.0), max(xs, default=1.0)
        first = 0.0 if first < 0.3 * last else first
        return first, max(last + 0.015 * (last - first), first + 1.0)

    def zoom(self, closer: bool, around: float | None = None) -> None:
        """Show fewer or more steps, around a step or around the crosshair; else the newest stay."""
        around = self._cross if around is None else around
        self._look(self._viewport.zoom(ZOOM if closer else 1 / ZOOM, around, *self.span()))

    def follow(self) -> None:
        """Show the last third of the steps, whatever comes; or everything again."""
        self._look(Viewport() if self._viewport.following else Viewport(share=LAST_THIRD))

    def show_all(self) -> None:
        """Show all steps."""
        self._look(Viewport())

    def toggle(self, series: str) -> None:
        """Hide or show a series: "train", "raw" or "validation"."""
        self._hidden ^= {series}
        self.redraw()

    def _look(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self.redraw()

    def action_toggle_series(self, series: str) -> None:
        if series in SERIES:
            self.toggle(series)

    def action_pan(self, direction: int) -> None:
        self._look(self._viewport.pan(PAN * direction, *self.span()))

    def action_cross(self, direction: int) -> None:
        first, last = self.span()
        low, high = self._viewport.window(first, last)
        known = steps_of(self._state, first, last)
        if self._cross is None:  # it comes in at the newest step shown
            known = [step for step in known if low <= step <= high]
            self._put_cross(known[-1] if known else None)
            return
        stride = (high - low) / max(self.query_one(LogPlot).columns, 1)
        self._put_cross(next_step(known, self._cross, direction, stride))

    def action_cross_end(self, direction: int) -> None:
        low, high = self._viewport.window(*self.span())
        known = steps_of(self._state, low, high)
        self._put_cross(known[0 if direction < 0 else -1] if known else None)

    def action_uncross(self) -> None:
        self._cross, self._pinned = None, False
        self._show_cross()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "uncross":
            return self._cross is not None
        return super().check_action(action, parameters)

    def _put_cross(self, step: float | None) -> None:
        if step is None:
            return
        self._cross, self._pinned = step, True
        viewport = self._viewport.reach(step, *self.span())
        if viewport != self._viewport:
            self._look(viewport)
        else:
            self._show_cross()

    @on(LogPlot.Pointed)
    def _pointed(self, message: LogPlot.Pointed) -> None:
        message.stop()
        if message.pinned:
            self._pinned = not (self._pinned and self._cross is not None and self._same_column(message.step))
        elif self._pinned:
            return  # it stays where it was put
        self._cross = message.step
        self._show_cross()

    def _same_column(self, step: float | None) -> bool:
        plot = self.query_one(LogPlot)
        return step is not None and self._cross is not None and plot.cell_of(step) == plot.cell_of(self._cross)

    @on(LogPlot.Wheeled)
    def _wheeled(self, message: LogPlot.Wheeled) -> None:
        message.stop()
        self.zoom(message.closer, message.step)

    @on(LogPlot.Dragged)
    def _dragged(self, message: LogPlot.Dragged) -> None:
        message.stop()
        self._look(self._viewport.pan(-message.part, *self.span()))

    # -- drawing ------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draw now."""
        self._stale, self._drawn_plain, self._drawn = False, self._app.plain, monotonic()
        plot, state, scale, marks = self.query_one(LogPlot), self._state, self.scale, self._glyphs
        plot.scale, plot.plain = scale, self._app.plain
        plot.clear()
        self._show_legend()
        if not (len(state.train) or len(state.validation)) or plot.columns < 4:
            return
        left, right = self._viewport.window(*self.span())
        low, high = self._limits(left, right)
        plot.set_xlimits(left, right)
        plot.set_ylimits(low, high)
        plain = self._app.plain

        def line(curve: Curve, style: str, glyph: str, *, thick: bool = False, faint: bool = False) -> None:
            for segment in curve.segments:
                points = averaged(cut(segment, left, right), plot.columns, left, right)
                if points:
                    placed = [(x, scale.place(y)) for x, y in points]
                    plot.line(placed, style, glyph=glyph if plain else "", thick=thick, faint=faint)

        if self._app.remembered.chart.landmarks:
            for each in yardsticks(state.landmarks):
                if low <= (place := scale.place(each.loss)) <= high:
                    name = f"{each.label} {scale.told(each.loss, 2)}"
                    plot.level(place, name, self._style("landmark"), glyph=marks.landmark)
        if not self._hidden & {"raw", "train"}:
            for segment in state.train.segments:
                points = self._thin(inside(segment, left, right), left, right)
                kept = [(x, y) for x, y in points if y <= high]
                if kept:
                    plot.line(kept, self._style("raw"), glyph=marks.raw if plain else "", faint=True, cloud=True)
        if "validation" not in self._hidden and not plain:
            line(state.validation, self._style("validation-line"), "", faint=True)
        if "train" not in self._hidden:
            line(state.smooth, self._style("train"), marks.train[0], thick=True)
        if "validation" not in self._hidden:
            self._mark_validation(left, right, marks.validation)
        self._mark_places(left, right, low, high, marks)
        self._show_cross()

    def _mark_validation(self, left: float, right: float, glyph: str) -> None:
        """Points no closer than they can be told apart; the newest is always one."""
        plot, scale = self.query_one(LogPlot), self.scale
        _, _, low, high = plot.limits
        points = [point for segment in self._state.validation.segments for point in inside(segment, left, right)]
        taken: float = math.inf
        shown: list[Point] = []
        for x, y in reversed(points):
            if taken - (cell := plot.cell_of(x)) >= 3:
                taken = cell
                if low <= scale.place(y) <= high:
                    shown.append((x, scale.place(y)))
        if shown:
            plot.scatter([x for x, _ in shown], [y for _, y in shown], glyph, self._style("validation"))

    def _mark_places(self, left: float, right: float, low: float, high: float, marks: Glyphs) -> None:
        """The best validation, and where training went back, went on, or was given another learning rate."""
        plot, state, scale = self.query_one(LogPlot), self._state, self.scale
        floor, top = low, high - 1e-9

        def mark(step: float, place: float, glyph: str, style: str) -> None:
            if left <= step <= right:
                plot.scatter([step], [place], glyph, self._style(style))

        before = 1.0
        for rate in state.rates:
            mark(rate.step, floor, marks.faster if rate.scale >= before else marks.slower, "rate")
            before = rate.scale
        for went_on in state.resumed_at:
            mark(went_on, floor, marks.resumed, "rate")
        told = state.evaluated
        if told is not None and math.isfinite(told.best_loss) and "validation" not in self._hidden:
            mark(told.best_step, min(max(scale.place(told.best_loss), low), top), marks.best, "best")
        for step, loss in state.marks:
            place = min(max(scale.place(loss), low), top) if math.isfinite(loss) else (low + high) / 2
            mark(step, place, marks.recovered, "recovered")

    def _limits(self, left: float, right: float) -> tuple[float, float]:
        """The y axis for the steps shown; a diverged loss may not squash the rest of the curve."""
        state, scale = self._state, self.scale
        started = state.started
        most = 1.5 * math.log(started.vocab_size) if started is not None and started.vocab_size > 1 else math.inf

        def ends(curves: list[Curve]) -> tuple[float, float] | None:
            ys = [y for curve in curves for segment in curve.segments for _, y in cut(segment, left, right)]
            return (scale.place(min(min(ys), most)), scale.place(min(max(ys), most))) if ys else None

        lines = ends([state.smooth, state.validation]) or (0.0, 1.0)
        newest = state.validation.last or state.smooth.last
        known = yardsticks(state.landmarks) if self._app.remembered.chart.landmarks else ()
        return limits(
            lines,
            ends([state.train]) or lines,
            scale.place(newest[1]) if newest else lines[0],
            [scale.place(each.loss) for each in known],
        )

    def _thin(self, points: Sequence[Point], left: float, right: float) -> list[Point]:
        thinned = envelope(points, self.query_one(LogPlot).columns, left, right)
        return [(x, self.scale.place(y)) for x, y in thinned]

    def _style(self, part: str) -> str:
        return flat_style(self, f"chart--{part}")

    # -- the crosshair and the legend ---------------------------------------------------------------------------

    def _show_cross(self) -> None:
        plot, scale, told = self.query_one(LogPlot), self.scale, self.crosshair
        self._show_legend()
        if told is None:
            plot.cross(None)
            return
        marks = []
        if told.val_loss is not None and told.val_step == told.step:
            marks.append((scale.place(told.val_loss), self._glyphs.validation, self._style("validation")))
        if told.smooth is not None:
            marks.append((scale.place(told.smooth), self._glyphs.point, self._style("cross-point")))
        plot.cross(told.step, self._style("cross"), marks)

    def _show_legend(self) -> None:
        told, state, marks = self.crosshair, self._state, self._glyphs
        if told is not None:
            entries = reading(told, self.scale, marks)
        else:
            shown = frozenset(SERIES) - self._hidden
            entries = [
                *names(state, self.scale, marks, shown, focused=self.has_focus),
                *switches(state, self._app.remembered.chart, whole=self._viewport.whole),
            ]
        self.query_one(LegendLine).show(*entries)
