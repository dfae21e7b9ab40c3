"""Completions side by side: each the end of the prompt, then what the model writes, as it writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from chargru.tui.continuations import Continuation
from chargru.tui.formatting import shown, tail
from chargru.tui.messages import CompletionAccepted
from chargru.tui.models import CopiedSpan
from chargru.tui.surprise import CLASSES, level
from chargru.tui.units import Unit, units, wrap
from chargru.tui.widgets.sampling import MOST

TAKE_KEYS = ("F5", "F7", "F9")  # not alt and a digit: many terminals send another character for that
PROMPT_TAIL = 32  # cells of the prompt repeated in front of what follows it
LEAST_WIDTH, LEAST_HEIGHT = 26, 5  # cells of a card, its frame included
BEGINNING, COPIED, PEN = "completion--prompt", "completion--copied", "completion--pen"


class CompletionCard(ScrollView, can_focus=True):
    """Paints one continuation; Enter or a double click takes it into the prompt.

    Only the last line is wrapped anew when text comes, and only lines in sight are painted: a long text costs no more
    than a short one.
    """

    HELP = (
        "A completion, the likeliest first; the number in its title is the mean log-probability of a character, in "
        "nats. Enter takes it into the prompt, b takes it and goes on, y copies it; 1 to 8 take the one of that number."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "Take it"),
        Binding("b", "branch", "Take, go on", tooltip="Take it and complete again"),
        Binding("y", "copy", "Copy"),
        Binding("ctrl+c", "copy", "Copy", show=False),
    ]

    @dataclass
    class Pointed(Message):
        """The mouse is on a copied stretch, or on none."""

        span: CopiedSpan | None

    @dataclass
    class CopyWanted(Message):
        """The user wants this text on the clipboard."""

        index: int

    def __init__(self, index: int) -> None:
        super().__init__(id=f"completion-{index}", classes="completion")
        self.index = index
        self.continuation = Continuation()
        self.writing = False
        self.view = ""  # "surprisal", "copied" or neither
        self.pen = "▌"
        self._units: list[Unit] = []
        self._prompt_units = 0
        self._lines: list[tuple[int, int]] = [(0, 0)]
        self._read = 0  # characters of the continuation that are in units

    @property
    def text(self) -> str:
        """The continuation as it stands, raw."""
        return self.continuation.text

    # -- what it shows ------------------------------------------------------------------------------------------

    def show(self, continuation: Continuation, prompt: str, *, writing: bool) -> None:
        """Show this continuation of this prompt from its beginning."""
        self.continuation, self.writing = continuation, writing
        last_line = shown(prompt[-4 * PROMPT_TAIL :]).rsplit("\n", 1)[-1]
        self._units = units(tail(last_line, PROMPT_TAIL))
        self._prompt_units = len(self._units)
        self._read = 0
        self._lines = [(0, 0)]
        self.scroll_home(animate=False, immediate=True)
        self.grow()

    def grow(self) -> None:
        """The continuation has grown: take in what is new."""
        fresh = self._read
        if len(self._units) > self._prompt_units:  # what comes may belong to the last unit
            fresh = self._units.pop().start
        self._units += units(self.text[fresh:], fresh)
        self._read = len(self.text)
        self._flow(from_last=True)
        if self.writing and not self.has_focus:
            self.scroll_end(animate=False, immediate=True)
        self.tell()

    def end(self) -> None:
        """It is complete, or was cut off."""
        self.writing = False
        if not self.has_focus:
            self.scroll_home(animate=False, immediate=True)  # reading begins at the beginning
        self.tell()
        self.refresh()

    def use(self, view: str) -> None:
        """Mark the characters by "surprisal", by what is "copied", or not at all."""
        self.view = view
        self.tell()
        self.refresh()

    def tell(self) -> None:
        """Bring the title and the subtitle up to date."""
        score = self.continuation.score
        self.border_title = Content(
            f"{self.index + 1}" + ("" if score is None else f" · {round(score, 2) or 0:.2f}".replace("-", "−"))
        )
        parts = []
        if self.text and not self.writing:
            if self.view == "copied" and self.continuation.copied is not None:
                parts.append(f"new {self.continuation.copied.new:.0%}")
            parts.append(TAKE_KEYS[self.index] if self.index < len(TAKE_KEYS) else f"{self.index + 1}")
        self.border_subtitle = Content(" · ".join(parts)) if parts else None

    # -- painting -----------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._flow()

    def watch_show_vertical_scrollbar(self) -> None:
        if self.is_mounted:
            self._flow()  # the bar takes a column without a word of resizing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def _flow(self, *, from_last: bool = False) -> None:
        width = self.scrollable_content_region.width
        if from_last and self._lines:
            start, _ = self._lines.pop()
            self._lines += wrap(self._units, width, start)
        else:
            self._lines = wrap(self._units, width)
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        base = self.rich_style
        if row >= len(self._lines):
            return Strip.blank(width, base)
        start, end = self._lines[row]
        segments: list[Segment] = []
        for i in range(start, end):
            unit = self._units[i]
            if unit.text != "\n":
                segments.append(Segment(unit.text, self._style(i, unit, base)))
        if self.writing and row == len(self._lines) - 1:
            segments.append(Segment(self.pen, self._ink(PEN, base)))
        strip = Strip(Segment.simplify(segments))
        # a blank may hang over the edge; and what is painted must be as wide as it says
        return Strip(strip, sum(cell_len(segment.text) for segment in strip)).adjust_cell_length(width, base)

    def _style(self, i: int, unit: Unit, base: Style) -> Style:
        if i < self._prompt_units:
            return self._ink(BEGINNING, base)
        if self.view == "surprisal":
            nats = self.continuation.nats[unit.start : unit.end]
            return self._ink(CLASSES[level(sum(nats))], base) if nats else base
        if self.view == "copied" and self.continuation.span_at(unit.start) is not None:
            return self._ink(COPIED, base)
        return base

    def _ink(self, name: str, base: Style) -> Style:
        # the panel's: a set of styles for every card would make each change of styles on this screen felt
        return self.parent.get_component_rich_style(name) if isinstance(self.parent, CompletionGrid) else base

    # -- mouse and keys -----------------------------------------------------------------------------------------

    def unit_at(self, x: int, y: int) -> Unit | None:
        """The unit of the continuation that is painted at this cell of the content, if any."""
        row = self.scroll_offset.y + y
        if not 0 <= row < len(self._lines):
            return None
        start, end = self._lines[row]
        cells = 0
        for i in range(start, end):
            cells += self._units[i].width
            if x < cells:
                return self._units[i] if i >= self._prompt_units else None
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self.view == "copied" and (place := event.get_content_offset(self)) is not None:
            unit = self.unit_at(*place)
            self.post_message(self.Pointed(self.continuation.span_at(unit.start) if unit else None))

    def on_focus(self) -> None:
        if self.view == "copied":
            self.post_message(self.Pointed(self.continuation.longest))

    def on_leave(self) -> None:
        if self.view == "copied":
            self.post_message(self.Pointed(None))

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2:
            self.action_accept()

    def action_accept(self) -> None:
        if self.text:
            self.post_message(CompletionAccepted(self.index))

    def action_branch(self) -> None:
        if self.text:
            self.post_message(CompletionAccepted(self.index, go_on=True))

    def action_copy(self) -> None:
        if self.text:
            self.post_message(self.CopyWanted(self.index))


def grid(count: int, width: int, height: int) -> tuple[int, int]:
    """(columns, height of a card) for so many cards in so many cells; what does not fit in height is scrolled to."""
    most = max(min(width // (LEAST_WIDTH if width < 100 else LEAST_WIDTH + 6), count), 1)
    rows = -(-count // most)
    columns = -(-count // rows)  # no row much emptier than the others
    return columns, max(height // rows, min(LEAST_HEIGHT, height))


class CompletionGrid(VerticalScroll, can_focus=False):
    """As many cards as there are completions, in columns that can be read. Has the styles of their ink."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {BEGINNING, COPIED, PEN, *CLASSES}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.count = 0

    def compose(self) -> ComposeResult:
        for index in range(MOST):
            card = CompletionCard(index)
            card.display = False
            yield card

    @property
    def cards(self) -> list[CompletionCard]:
        """The cards that are in use, in their order."""
        return list(self.query(CompletionCard))[: self.count]

    def use(self, count: int) -> list[CompletionCard]:
        """Show this many cards."""
        if count != self.count:
            self.count = count
            for index, card in enumerate(self.query(CompletionCard)):
                card.display = index < count
            self._arrange()
        return self.cards

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        if not self.count or not self.size.height:
            return
        columns, height = grid(self.count, self.size.width, self.size.height)
        self.styles.grid_size_columns = columns
        self.styles.grid_rows = f"{height}"
