"""What stands on the app's screen as a small SVG: a line of the file is one of the terminal, so that a diff reads well.

Rich's own export of a screen of 120 × 36 is ten times as large, carries a random name in every class and fetches a web
font. Here a style's class is made of what it looks like, so the same screen gives the same file on every machine; the
picture opens in any browser, and `lines_of` reads the characters back out of it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual._context import visible_screen_stack
from textual.app import App

WIDTH, HEIGHT = 10, 20  # of a cell, in pixels
NAMESPACE = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Run:
    """Neighbouring cells of one look: the first cell, how many, their text, colours as #rrggbb, and CSS."""

    left: int
    cells: int
    text: str
    back: str
    look: str


def screen_svg(app: App[int]) -> str:
    """The app's screen as an SVG; what lies behind a panel in front is in it."""
    visible_screen_stack.set(app._background_screens)
    width, height = app.size
    front, back = app.current_theme.foreground or "#ffffff", app.current_theme.background or "#000000"
    looks: dict[str, str] = {}
    rows = []
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        runs = merged(_runs(((each.text, each.style) for each in strip), _hex(front), _hex(back)))
        rows.append(_row(y, runs, _hex(back), looks))
    styles = "".join(f".{name}{{{css}}}" for name, css in sorted(looks.items()))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * WIDTH} {height * HEIGHT}" '
            'font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="16.6">',
            f"<style>text{{white-space:pre}}{styles}</style>",
            f'<rect width="{width * WIDTH}" height="{height * HEIGHT}" fill="{_hex(back)}"/>',
            *rows,
            "</svg>",
            "",
        )
    )


def lines_of(svg: str) -> list[str]:
    """The characters of a picture of `screen_svg`, line by line, without blanks at the end."""
    lines = []
    for row in ElementTree.fromstring(svg).iter(f"{NAMESPACE}g"):
        line = ""
        for part in row.iter(f"{NAMESPACE}tspan"):
            line += " " * (int(part.get("x", "0")) // WIDTH - cell_len(line)) + (part.text or "")
        lines.append(line.rstrip())
    return lines


def looks_of(svg: str) -> list[dict[int, str]]:
    """How each cell of a picture of `screen_svg` looks, line by line: its first cell -> the character and its CSS."""
    root = ElementTree.fromstring(svg)
    css = dict(re.findall(r"\.(\w+)\{(.*?)\}", root.findtext(f"{NAMESPACE}style") or ""))
    lines = []
    for row in root.iter(f"{NAMESPACE}g"):
        cells: dict[int, str] = {}
        for part in row.iter(f"{NAMESPACE}rect"):
            left, width = int(part.get("x", "0")) // WIDTH, int(part.get("width", "0")) // WIDTH
            cells.update(dict.fromkeys(range(left, left + width), f"on {part.get('fill')}"))
        for part in row.iter(f"{NAMESPACE}tspan"):
            column = int(part.get("x", "0")) // WIDTH
            for character in part.text or "":
                cells[column] = f"{character!r} {css.get(part.get('class', ''), '')} {cells.get(column, '')}".rstrip()
                column += cell_len(character)
        lines.append(cells)
    return lines


def merged(runs: Iterable[Run]) -> list[Run]:
    """The same cells in as few runs as possible."""
    found: list[Run] = []
    for run in runs:
        last = found[-1] if found else None
        if last is not None and (last.back, last.look) == (run.back, run.look):
            found[-1] = Run(last.left, last.cells + run.cells, last.text + run.text, run.back, run.look)
        else:
            found.append(run)
    return found


def _runs(segments: Iterable[tuple[str, Style | None]], front: str, back: str) -> Iterable[Run]:
    left = 0
    for text, style in segments:
        cells = cell_len(text)
        if not cells:
            continue
        style = style or Style.null()
        ink, paper = _hex(style.color) or front, _hex(style.bgcolor) or back
        if style.reverse:
            ink, paper = paper, ink
        drawn = text.strip() != "" or style.underline or style.strike
        marks = (
            (style.bold, "font-weight:bold"),
            (style.italic, "font-style:italic"),
            (style.dim, "opacity:.6"),
            (style.underline, "text-decoration:underline"),
            (style.strike, "text-decoration:line-through"),
        )
        look = ";".join([f"fill:{ink}", *(css for on, css in marks if on)]) if drawn else ""
        yield Run(left, cells, text, paper, look)
        left += cells


def _row(y: int, runs: list[Run], back: str, looks: dict[str, str]) -> str:
    """One line: what lies behind, then the characters; blanks are not drawn."""
    papers = merged(Run(run.left, run.cells, "", run.back, "") for run in runs)
    behind = "".join(
        f'<rect x="{run.left * WIDTH}" y="{y * HEIGHT}" width="{run.cells * WIDTH}" height="{HEIGHT}" '
        f'fill="{run.back}"/>'
        for run in papers
        if run.back != back
    )
    texts = []
    for run in runs:
        if run.look:
            name = f"s{zlib.crc32(run.look.encode()):08x}"[:6]
            looks[name] = run.look
            # What a reader's font has not comes from another one, with other widths.
            fit = "" if run.text.isascii() else f' textLength="{run.cells * WIDTH}" lengthAdjust="spacingAndGlyphs"'
            texts.append(f'<tspan x="{run.left * WIDTH}"{fit} class="{name}">{escape(run.text)}</tspan>')
    return f'<g>{behind}<text y="{y * HEIGHT + 16}">{"".join(texts)}</text></g>'


def _hex(color: Color | str | None) -> str:
    """#rrggbb, empty for none and for the terminal's own."""
    if color is None:
        return ""
    if isinstance(color, str):
        return color.lower()
    return "" if color.is_default else color.get_truecolor().hex.lower()
