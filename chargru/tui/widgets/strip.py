"""The strip under the prompt: the five likeliest next characters with bars; a number takes one."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from chargru.tui.formatting import pad
from chargru.tui.glyphs import UNICODE, Glyphs
from chargru.tui.messages import NextCharacter
from chargru.tui.units import units

COUNT = 5
DIGITS = "12345"
VISIBLE = 0.02  # a probability from which a bar shows something
NAMES = {" ": "␣", "\t": "⇥", "\u00a0": "nbsp", "\u3000": "wide ␣"}
PLAIN_NAMES = {" ": "space", "\t": "tab", "\u00a0": "nbsp", "\u3000": "wide space"}


def name(character: str, marks: Glyphs = UNICODE) -> str:
    """A character so that one can see it: blanks and line ends have marks, what is invisible has its number."""
    if character == "\n":
        return marks.newline
    names = NAMES if marks is UNICODE else PLAIN_NAMES
    if character in names:
        return names[character]
    if not character.isprintable() and unicodedata.category(character) != "Cc":
        return f"U+{ord(character):04X}"
    return units(character)[0].text


def percent(probability: float) -> str:
    """A probability in four cells: 62%, <1%."""
    return "<1%" if probability < 0.005 else f"{probability:.0%}"


@dataclass(frozen=True)
class Cell:
    """One character's place on the strip, from `left` on, `width` cells."""

    left: int
    width: int
    head: str
    filled: str
    empty: str
    tail: str


def arrange(likeliest: tuple[NextCharacter, ...], cells: int, marks: Glyphs = UNICODE) -> list[Cell]:
    """The characters side by side in so many cells, as many as have room for a bar."""
    shown = likeliest[: max(min(COUNT, cells // 12), 1)]
    if not shown:
        return []
    width = cells // len(shown)
    widest = max(cell_len(name(each.character, marks)) for each in shown)
    room = max(min(width - widest - 10, 20), 1)
    found = []
    for i, each in enumerate(shown):
        halves = min(round(each.probability * room * 2), room * 2)
        halves = max(halves, int(each.probability >= VISIBLE))
        bar = marks.bar * (halves // 2) + marks.cursor * (halves % 2)
        head = f"{i + 1} {pad(name(each.character, marks), widest)} "
        tail = f" {percent(each.probability):>4}"
        found.append(Cell(i * width, width, head, bar, marks.blank * (room - cell_len(bar)), tail))
    return found


class NextStrip(Widget, can_focus=True):
    """Five likely characters. With the focus, a digit takes one and any other key goes back to the prompt."""

    HELP = (
        "The likeliest next characters. Here 1 to 5 take one, or left and right choose and Enter takes; "
        "any other character goes on in the prompt, esc goes back to it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"take({n - 1})", f"Take {n}", show=False) for n in range(1, COUNT + 1)),
        Binding("enter", "take_marked", "Take it"),
        Binding("left", "mark(-1)", "Mark the one before", show=False),
        Binding("right", "mark(1)", "Mark the next", show=False),
        Binding("escape,up,down", "back", "To the prompt", show=False),
    ]

    @dataclass
    class Taken(Message):
        """The user takes this character, raw."""

        character: str

    @dataclass
    class Left(Message):
        """Back to the prompt, where this key goes on, if any."""

        key: events.Key | None

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.likeliest: tuple[NextCharacter, ...] = ()
        self.marks = UNICODE
        self._marked = 0

    def show(self, likeliest: tuple[NextCharacter, ...]) -> None:
        """Show these, the likeliest first; none clears the strip."""
        if likeliest != self.likeliest:
            self.likeliest = likeliest
            self._marked = 0
            self.refresh()

    def render(self) -> Content:
        if not self.likeliest:
            return Content.styled("the likeliest next characters appear here", "$foreground 40%")
        parts: list[tuple[str, str]] = []
        for i, cell in enumerate(arrange(self.likeliest, self.size.width, self.marks)):
            head = "bold $primary reverse" if self.has_focus and i == self._marked else "bold $text-accent"
            text = cell.head + cell.filled + cell.empty + cell.tail
            parts += [
                (cell.head[:1], head),
                (cell.head[1:], "bold"),
                (cell.filled, "$primary"),
                (cell.empty, "$foreground 20%"),
                (cell.tail, "$foreground 62%"),
                (" " * (cell.width - cell_len(text)), ""),
            ]
        return Content.assemble(*parts)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        for i, cell in enumerate(arrange(self.likeliest, self.size.width, self.marks)):
            if cell.left <= event.x < cell.left + cell.width:
                self.action_take(i)
                self.action_back()  # who points with the mouse goes on writing

    def on_key(self, event: events.Key) -> None:
        digit = event.character is not None and event.character in DIGITS
        if digit or event.is_printable or event.key == "backspace":
            event.stop()
            event.prevent_default()
        if digit:  # here, not by the binding: that is looked up later, and a fast typist is elsewhere by then
            self.action_take(DIGITS.index(event.character or ""))
        elif event.is_printable or event.key == "backspace":
            self.post_message(self.Left(event))

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        # what would be typed in the prompt is no shortcut here
        return character is not None and character.isprintable() and character not in DIGITS

    def action_take(self, index: int) -> None:
        if index < len(self.likeliest):
            self.post_message(self.Taken(self.likeliest[index].character))

    def action_take_marked(self) -> None:
        self.action_take(self._marked)

    def action_mark(self, by: int) -> None:
        self._marked = (self._marked + by) % max(len(arrange(self.likeliest, self.size.width, self.marks)), 1)
        self.refresh()

    def action_back(self) -> None:
        self.post_message(self.Left(None))
