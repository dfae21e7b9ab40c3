"""The cells that a plot is drawn on: braille that merges where two lines meet, a light axis, a style in every cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual_hires_canvas import Canvas

Dot = tuple[int, int]

# bits of the braille block by column and row of the dot in its cell: two columns of four
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = range(0x2800, 0x2900)


class PlotCanvas(Canvas):
    """A canvas for one plot. What is drawn first lies below; `faint` styles give way instead of being merged with."""

    ALLOW_SELECT = False

    def __init__(self, width: int, height: int, *, id: str | None = None) -> None:
        super().__init__(width, height, id=id)
        self.faint: set[str] = set()

    @property
    def drawn_size(self) -> Size:
        """The size that is drawn on, in cells; after a resize this lags behind `size` until the next drawing."""
        return self._canvas_size

    def quietly(self, draw: Callable[[], None]) -> None:
        """Draw with one refresh at the end instead of one a cell."""
        self._refreshes_pending += 1
        try:
            draw()
        finally:
            self._refreshes_pending -= 1
            self.refresh()

    def render_line(self, y: int) -> Strip:
        # Textual's filter for NO_COLOR fails on a segment without a style.
        strip = super().render_line(y)
        if all(segment.style is not None for segment in strip):
            return strip
        null = Style.null()
        return Strip(
            [Segment(text, null if style is None else style, control) for text, style, control in strip],
            strip.cell_length,
        )

    def glyph(self, x: int, y: int) -> str:
        """What stands in a cell; a blank outside."""
        width, height = self.drawn_size
        return self._buffer[y][x] if 0 <= x < width and 0 <= y < height else " "

    def write(self, x: int, y: int, text: str, style: str) -> None:
        """Write narrow text from cell (x, y) on; what is outside is cut off."""
        width, height = self.drawn_size
        if not 0 <= y < height:
            return
        for column, glyph in enumerate(text, start=x):
            if 0 <= column < width:
                self._buffer[y][column] = glyph
                self._styles[y][column] = style

    def column(self, x: int) -> list[tuple[str, str]]:
        """The glyphs and styles of a column, to be put back."""
        return [(row[x], styles[x]) for row, styles in zip(self._buffer, self._styles, strict=True)]

    def put_column(self, x: int, cells: Sequence[tuple[str, str]]) -> None:
        """Put a column back."""
        if x < self.drawn_size.width:
            for y, (glyph, style) in enumerate(cells[: self.drawn_size.height]):
                self._buffer[y][x], self._styles[y][x] = glyph, style

    def dots(self, dots: Iterable[Dot], style: str) -> None:
        """Draw braille dots, counted from the top left: 2 a cell across, 4 down."""
        width, height = self.drawn_size
        cells: dict[tuple[int, int], int] = {}
        for x, y in dots:
            cell = x >> 1, y >> 2
            cells[cell] = cells.get(cell, 0) | _BITS[x & 1][y & 3]
        for (x, y), bits in cells.items():
            if 0 <= x < width and 0 <= y < height:
                before = ord(self._buffer[y][x][0])
                if before in _BRAILLE and self._styles[y][x] not in self.faint:
                    bits |= before - 0x2800
                self._buffer[y][x] = chr(0x2800 + bits)
                self._styles[y][x] = style

    def draw_rectangle_box(self, x0: int, y0: int, x1: int, y1: int, thickness: int = 1, style: str = "white") -> None:
        """The frame of a plot: its left and lower side are enough."""
        width, height = self.drawn_size
        for y in range(height - 1):
            self.write(0, y, "│", style)
        self.write(0, height - 1, "╰" + "─" * (width - 1), style)


def flat_style(widget: Widget, component: str) -> str:
    """The style of a component class as a canvas takes it: its colour mixed with the background where it lets that
    through, which a canvas does not do by itself.
    """
    styles = widget.get_component_styles(component)
    _, background = widget.background_colors
    text = str(styles.text_style)
    colour = (background + styles.color).rich_color.name
    return colour if text in ("", "none") else f"{text} {colour}"


def line_dots(points: Sequence[Dot]) -> Iterable[Dot]:
    """All dots of the line through these points, none missing between two."""
    if len(points) == 1:
        yield points[0]
    for (x0, y0), (x1, y1) in pairwise(points):
        count = max(abs(x1 - x0), abs(y1 - y0), 1)
        for index in range(count + 1):
            yield x0 + round((x1 - x0) * index / count), y0 + round((y1 - y0) * index / count)


def written(text: str, style: str, canvas: PlotCanvas, right: int, y: int) -> None:
    """Write text that ends in cell (right, y)."""
    canvas.write(right - cell_len(text) + 1, y, text, style)
