"""What every painted line passes through last: no segment without a style, and for a plain terminal nothing but ASCII
drawn.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

# The lines, blocks and marks that widgets and Textual itself draw with, each one cell wide like what stands for it.
# Letters of any script are not among them: a text in Korean stays one.
_STAND_INS = {
    "-": "─╌┄┈╴╶╸╺╼╾‒–—―⎯−",
    "=": "━╍┅┉═≡",
    "|": "│┃╎╏┆┇┊┋╵╷╹╻╽╿║▌▐▎▏▊▋▍▕▉‖",
    "+": "┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋┍┎┑┒┕┖┙┚┝┞┟┠┡┢┥┦┧┨┩┪┭┮┯┰┱┲┵┶┷┸┹┺┽┾┿╀╁╂╃╄╅╆╇╈╉╊╔╗╚╝╠╣╦╩╬╒╓╕╖╘╙╛╜╞╟╡╢╤╥╧╨╪╫╭╮╰╯✚⊕",
    "#": "█▓▒■▇▆▅▄▀▃◼▮▦",
    ".": "░·⋅∙…",
    "_": "▂▁␣",
    '"': "▔",
    "/": "╱",
    "\\": "╲",
    "*": "●•◆★◉⬤✦✱∗◍",
    "o": "○◌◇☆◯□▢▯△◦",
    ">": "▸▶►❯›→⟩⇥⌦",
    "<": "⏎↵◂◀◄❮‹←⟨⌫⇤",
    "v": "▾▼↓⌄⏷✓✔▿",
    "^": "▴▲↑⌃⏶⇧",
    "x": "✗✘×╳✕✖",
    "~": "≈∼",
}
_TABLE = str.maketrans({glyph: plain for plain, glyphs in _STAND_INS.items() for glyph in glyphs})
_TABLE.update({0x2800: " ", **dict.fromkeys(range(0x2801, 0x2900), ".")})  # braille, one dot or eight
_TABLE.update(dict.fromkeys({*range(0x2400, 0x2427)} - {ord("␣")}, "?"))  # what control characters are shown as


def plainly(text: str, encoding: str = "utf-8") -> str:
    """`text` with its lines, blocks and marks in ASCII, cell for cell; what `encoding` has no bytes for becomes "?"."""
    if text.isascii():
        return text
    text = text.translate(_TABLE)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(each if _fits(each, encoding) else "?" * cell_len(each) for each in text)
    return text


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


class AsciiFilter(LineFilter):
    """Lines, blocks and marks in ASCII, whoever draws them; texts as far as the terminal's encoding has them."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.text.isascii()
            else Segment(plainly(segment.text, self._encoding), segment.style, segment.control)
            for segment in segments
        ]


@lru_cache(1024)
def _reversed(style: Style) -> Style:
    return style + Style(reverse=True, italic=False, strike=False)


class StyleFilter(LineFilter):
    """A style for every segment, and reversed words where the stylesheet can only ask for them in a roundabout way.

    Textual's filter for NO_COLOR fails on a style of None, which hatches and canvases give. And its options drop
    `text-style: reverse`, so the stylesheet writes "italic strike", which nothing else has, and it is turned here.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(style is None or (style.strike and style.italic) for _, style, _ in segments):
            return segments
        null = Style.null()
        return [
            Segment(
                text, null if style is None else _reversed(style) if style.strike and style.italic else style, control
            )
            for text, style, control in segments
        ]
