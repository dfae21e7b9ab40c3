"""The curves of one run or of several in one chart, told apart by glyph and colour, with a legend above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from chargru.tui import across
from chargru.tui.archive import RunCurves
from chargru.tui.curves import Curve, Point, envelope
from chargru.tui.formatting import one_line, quantity
from chargru.tui.glyphs import Glyphs, glyphs
from chargru.tui.scales import Scale, limits
from chargru.tui.widgets.legend import Entry, LegendLine
from chargru.tui.widgets.plot import LogPlot

DIVERGED = 1.5  # times the first loss, above which a curve leaves the chart
WORST = 100.0  # nats that a first loss can mean anything at
SLOTS = 8  # runs that can be told apart in one chart
DIM = "$foreground 62%"
# one theme colour a slot; the glyph beside it says the same without colour
COLOURS = ("$primary", "$accent", "$success", "$error", "$secondary", "$warning", "$foreground", "$text-muted")


@dataclass(frozen=True)
class Series:
    """A run in the chart. `slot` chooses its glyph and colour; None is the run under the cursor, not marked."""

    name: str  # raw
    curves: RunCurves
    window: int = 0  # characters that one step reads
    slot: int | None = None


@dataclass
class _Drawn:
    series: Series
    validation: list[list[Point]] = field(default_factory=list)
    training: list[list[Point]] = field(default_factory=list)

    @property
    def points(self) -> list[Point]:
        return [point for part in self.validation or self.training for point in part]


class Overlay(Vertical):
    """Shows what it was given last; draws again only when that, its size or the theme changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"overlay--{slot}" for slot in range(SLOTS)),
        "overlay--train",
        "overlay--validation",
        "overlay--cross",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._series: tuple[Series, ...] = ()
        self._note = self._empty = ""
        self._way = "steps"
        self._scale = Scale()
        self._drawn: list[_Drawn] = []
        self._factor = 1.0
        self._at: float | None = None  # where the mouse points, on the axis

    def compose(self) -> ComposeResult:
        yield LegendLine(id="overlay-axis")
        yield Static(id="overlay-legend", markup=False)
        yield LogPlot(id="overlay-plot")
        yield Static(id="overlay-empty", markup=False)

    def show(self, series: Sequence[Series], *, way: str, scale: Scale, note: str = "", empty: str = "") -> None:
        """Draw these runs; `note` is said above them, `empty` (raw) in place of a chart without points."""
        new = (tuple(series), note, empty, way, scale)
        if new != (self._series, self._note, self._empty, self._way, self._scale):
            self._series, self._note, self._empty, self._way, self._scale = new
            self.redraw()

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self.redraw()  # another theme: other colours

    def redraw(self) -> None:
        """Draw now."""
        plain = getattr(self.app, "plain", False)
        alphabet = glyphs(plain)
        plot = self.query_one(LogPlot)
        self._drawn = [_placed(each, self._way) for each in self._series]
        points = [point for each in self._drawn for point in each.points]
        plot.display = bool(points)
        empty = self.query_one("#overlay-empty", Static)
        empty.display = not points
        several = len(self._series) > 1
        self._tell_axes(several)
        self._tell(alphabet)
        plot.clear()
        plot.cross(None)
        if not points:
            room = max(self.size.width - 4, 10) * max(self.size.height - 4, 1)
            empty.update(Content.styled(one_line(self._empty, min(room, 600)), DIM))
            return
        most = max(x for x, _ in points)
        name, self._factor = across.unit(self._way, most)
        right = (most / self._factor) * 1.02 or 1.0
        plot.scale, plot.plain, plot.x_name = self._scale, plain, name
        plot.set_xlimits(0.0, right)
        low, high = self._limits()
        plot.set_ylimits(low, high)
        if not several:
            for part in self._drawn[0].training:
                plot.line(self._thin(part, right, high), self._style("train"), glyph="." if plain else "", faint=True)
        for each in self._drawn:
            self._draw(plot, each, alphabet, plain, right, high)

    def _draw(self, plot: LogPlot, each: _Drawn, alphabet: Glyphs, plain: bool, right: float, high: float) -> None:
        slot = each.series.slot
        style = self._style("validation" if slot is None else str(slot))
        glyph = alphabet.validation if slot is None else alphabet.series[slot]
        for part in each.validation:
            thin = self._thin(part, right, high)
            if not plain:
                plot.line(thin, style)
            marked = _spread(thin, self._columns, right, slot or 0)
            plot.scatter([x for x, _ in marked], [y for _, y in marked], marker=glyph, marker_style=style)

    @property
    def _columns(self) -> int:
        """Cells for the curves. The plot's own count is of no use while it is hidden or laid out anew."""
        return max(self.size.width - 8, 16)

    def _thin(self, part: list[Point], right: float, high: float) -> list[Point]:
        scaled = [(x / self._factor, loss) for x, loss in part]
        thin = envelope(scaled, 2 * self._columns, 0.0, right)
        return [(x, min(self._scale.place(loss), high)) for x, loss in thin]

    def _limits(self) -> tuple[float, float]:
        """The ends of the loss axis. All validation curves are seen whole, but for one that diverged far above where
        all began; the raw training loss gets what is left."""
        place = self._scale.place
        held = [y for each in self._drawn for part in each.validation for _, y in part]
        raw = [y for each in self._drawn for part in each.training for _, y in part]
        curve = held or raw
        top = DIVERGED * max(min(each.points[0][1], WORST) for each in self._drawn if each.points)
        ends = place(min(curve)), place(min(max(curve), top))
        cloud = place(min(raw or curve)), place(min(max(raw or curve), top))
        return limits(ends, cloud, place(min(curve[-1], top)), ())

    def _style(self, name: str) -> str:
        return str(self.get_component_rich_style(f"overlay--{name}", partial=True))

    def _tell_axes(self, several: bool) -> None:
        """What is drawn against what; a click on a word changes it."""
        scale = self._scale
        choices = (
            ("b", scale.unit, "units"),
            ("l", "log" if scale.log else "linear", "axis"),
            ("x", f"by {across.TOLD[self._way]}", "across"),
        )
        title = Entry((("validation loss" if several else "loss", "bold"),))
        words = [
            Entry(((key, "bold $accent"), (f" {told}", DIM)), f"screen.{action}", right=True)
            for key, told, action in choices
        ]
        self.query_one(LegendLine).show(title, *words)

    # -- the legend -------------------------------------------------------------------------------------------------

    def _tell(self, alphabet: Glyphs) -> None:
        """Each run's glyph, name and newest loss, or the loss where the mouse points; then what must be known."""
        width = max(self.size.width - 2, 20)
        room = max(width // max(min(len(self._drawn), 3), 1) - 12, 8)
        entries: list[Content] = []
        for each in self._drawn:
            slot = each.series.slot
            colour = "$accent" if slot is None else COLOURS[slot]
            glyph = alphabet.validation if slot is None else alphabet.series[slot]
            told = self._scale.told(self._value(each))
            entries.append(Content.assemble((f"{glyph} {one_line(each.series.name, room)}", colour), f" {told}"))
        if len(self._drawn) == 1 and self._drawn[0].training:
            entries.append(Content.styled(f"{alphabet.train} training", DIM))
        if self._at is not None:
            name, _ = across.unit(self._way, self._at * self._factor)
            entries.append(Content.styled(f"at {quantity(self._at)} {name}", DIM))
        lines = _flowed(entries, width)
        if self._note:
            lines.append(Content.styled(one_line(f"! {self._note}", width), "$warning"))
        self.query_one("#overlay-legend", Static).update(Content("\n").join(lines))

    def _value(self, each: _Drawn) -> float | None:
        points = [point for part in each.validation for point in part]
        if not points:
            return None
        if self._at is None:
            return points[-1][1]
        curve = Curve()
        for x, y in points:
            curve.add(x, y)
        near = curve.near(self._at * self._factor)
        return near[1] if near else None

    @on(LogPlot.Pointed)
    def _pointed(self, event: LogPlot.Pointed) -> None:
        event.stop()
        if event.step == self._at:
            return
        self._at = event.step
        plot = self.query_one(LogPlot)
        plot.cross(self._at, self._style("cross"))
        self._tell(glyphs(getattr(self.app, "plain", False)))


def _placed(series: Series, way: str) -> _Drawn:
    curves = series.curves
    validation = across.placed(curves.validation, way, series.window)
    training = across.placed(curves.training, way, series.window)
    return _Drawn(series, [part for part in validation if part], [part for part in training if part])


def _spread(points: Sequence[Point], columns: int, right: float, slot: int) -> list[Point]:
    """About every tenth column's point, shifted by slot so that glyphs of two runs seldom meet, and the last one."""
    if not points:
        return []
    kept: list[Point] = []
    apart = 10 * right / max(columns, 1)
    following = apart * (slot % 4) / 4
    for point in points:
        if point[0] >= following:
            kept.append(point)
            following = point[0] + apart
    return [*kept, points[-1]]


def _flowed(entries: Sequence[Content], width: int) -> list[Content]:
    """The entries on as few lines as they need."""
    lines: list[list[Content]] = [[]]
    used = 0
    for entry in entries:
        cells = cell_len(entry.plain) + 2
        if lines[-1] and used + cells > width:
            lines.append([])
            used = 0
        lines[-1].append(entry)
        used += cells
    return [Content("  ").join(line) for line in lines if line]
