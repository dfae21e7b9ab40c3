"""The prompt: several lines of text, the model's own continuation as ghost text behind it, Enter completes.

Nothing gets in that a terminal would obey. The ghost is painted, never part of the document, until a key takes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, Selection

from chargru.tui.formatting import shown
from chargru.tui.ghosting import first_sentence, first_word
from chargru.tui.messages import CompletionWanted
from chargru.tui.surprise import CLASSES, level
from chargru.tui.units import JOINER, units, wrap_words

GHOST = "prompt--ghost"
UNREAD = "prompt--unread"


class PromptArea(TextArea):
    """A text area in which Enter asks for completions; ctrl+j or shift+enter begin a new line.

    At the end of the text, right or end take the whole ghost, ctrl+right a word of it, ctrl+e a sentence.
    """

    BORDER_TITLE = "prompt"
    COMPONENT_CLASSES: ClassVar[set[str]] = {GHOST, UNREAD, *CLASSES}
    HELP = (
        "Write how it begins. Dim text is how the model would go on: right or end take all of it, ctrl+right a word, "
        "ctrl+e a sentence, esc hides it. Enter completes; ctrl+j or shift+enter begin a new line; ctrl+z takes back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "complete", "Complete"),
        Binding("ctrl+j,shift+enter", "newline", "New line", show=False),
        Binding("right", "take_or('all','cursor_right')", "Take the ghost, or cursor right", show=False),
        Binding("end", "take_or('all','cursor_line_end')", "Take the ghost, or end of line", show=False),
        Binding("ctrl+right", "take_or('word','cursor_word_right')", "Take a word of the ghost", show=False),
        Binding("ctrl+e", "take_or('sentence','cursor_line_end')", "Take a sentence of the ghost", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        self._ghost = ""
        self._hidden = False  # until the next key
        self._newline = "⏎"
        self._nats: tuple[float | None, ...] = ()
        self._read = ""  # the text that they belong to
        self._starts: list[int] = [0]  # where in the text each line begins, while surprisal is shown
        super().__init__(
            id=id,
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder="Write a beginning: the model goes on as you type. Enter completes it.",
        )

    # -- the document -------------------------------------------------------------------------------------------

    async def _on_key(self, event: events.Key) -> None:
        if self._hidden and event.key != "escape":
            self._hidden = False
            self.refresh()
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.action_complete()
        elif event.key in ("ctrl+j", "shift+enter"):
            event.stop()
            event.prevent_default()
            self.action_newline()
        else:
            await super()._on_key(event)

    def edit(self, edit: Edit) -> EditResult:
        # The one way into the document while typing, pasting and taking a completion.
        edit.text = shown(edit.text.replace("\r\n", "\n").replace("\r", "\n"))
        follows = self.at_end and edit.from_location == edit.to_location and self._ghost.startswith(edit.text)
        self._ghost = self._ghost[len(edit.text) :] if follows else ""
        result = super().edit(edit)
        self._retint()
        return result

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        self._ghost = ""
        super()._undo_batch(edits)
        self._retint()

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        self._ghost = ""
        super()._redo_batch(edits)
        self._retint()

    def load_text(self, text: str) -> None:
        super().load_text(shown(text))

    def rewrite(self, text: str) -> None:
        """Replace the whole text so that ctrl+z brings the old one back, with the cursor at the end."""
        text = shown(text)
        if text.startswith(self.text):  # the old text stays, so undoing marks nothing but what was added
            self.insert(text[len(self.text) :], self.document.end, maintain_selection_offset=False)
        else:
            self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    def action_complete(self) -> None:
        self.post_message(CompletionWanted())

    def action_newline(self) -> None:
        self.insert("\n")

    @property
    def cursor_index(self) -> int:
        """Where in the text the cursor is."""
        row, column = self.cursor_location
        return sum(len(line) + 1 for line in self.document.lines[:row]) + column

    @property
    def at_end(self) -> bool:
        """The cursor stands behind the last character and nothing is selected."""
        return self.selection.is_empty and self.cursor_location == self.document.end

    # -- the ghost ----------------------------------------------------------------------------------------------

    @property
    def ghost(self) -> str:
        """What stands behind the cursor without being there, empty when nothing is shown."""
        shows = self._ghost and not self._hidden and self.at_end and self.document.end > (0, 0)
        return self._ghost if shows else ""

    def show_ghost(self, ghost: str) -> None:
        """Show this continuation behind the text, to the end of its first line."""
        head, newline, _ = shown(ghost).partition("\n")
        ghost = head + newline
        if ghost != self._ghost:
            self._ghost = ghost
            self.refresh()

    def hide_ghost(self) -> None:
        """Show none until the next key."""
        self._hidden = True
        self.refresh()

    def action_take_or(self, part: str, otherwise: str) -> None:
        """Take a part of the ghost into the text, or do what the key does without one."""
        if not (ghost := self.ghost):
            getattr(self, f"action_{otherwise}")()
            return
        taken = {"all": ghost, "word": first_word(ghost), "sentence": first_sentence(ghost)}[part]
        self.insert(taken, self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def use_newline(self, mark: str) -> None:
        """The mark that stands for a line break in the ghost."""
        self._newline = mark

    def render_line(self, y: int) -> Strip:
        strip = _unjoined(super().render_line(y))
        if not (ghost := self.ghost):
            return strip
        column, top = self.wrapped_document.location_to_offset(self.cursor_location)
        row = self.scroll_offset.y + y - top
        width = self.scrollable_content_region.width
        if row < 0 or width < 2:
            return strip
        found = units(ghost.removesuffix("\n") + (self._newline if ghost.endswith("\n") else ""))
        at, before = self.cursor_index, self.text
        fresh = not at or before[at - 1].isspace()
        lines = wrap_words(found, self.wrap_width, self.wrap_width - column, fresh=fresh)
        if row >= len(lines):
            return strip
        start, end = lines[row]
        if row == 0 and start == end:
            return strip  # the cursor stays where it is
        parts = [unit.text for unit in found[start:end]]
        style = self.get_component_rich_style(GHOST)
        left = strip.crop(0, column) if row == 0 else Strip([])
        ink = [Segment("".join(parts), style)]
        if row == 0 and parts and self._draw_cursor:
            cursor = self.get_component_rich_style("text-area--cursor")
            ink = [Segment(parts[0], cursor), Segment("".join(parts[1:]), style)]
        return Strip.join([left, Strip(ink)]).adjust_cell_length(strip.cell_length, self.rich_style)

    def _refresh_size(self) -> None:
        # A line for the ghost below the last one, there all the time so that nothing jumps. Set at once: every change
        # of this size lays out the whole screen.
        self.virtual_size = Size(0, self.wrapped_document.height + self._spare)
        self._refresh_scrollbars()

    @property
    def _spare(self) -> bool:
        return self.scrollable_content_region.height > 2

    def _watch_selection(self, previous_selection: Selection, selection: Selection) -> None:
        super()._watch_selection(previous_selection, selection)
        if self.is_mounted and self._spare and self.at_end:
            _, y = self.wrapped_document.location_to_offset(self.cursor_location)
            self.scroll_to_region(Region(0, y, 1, 2), animate=False, force=True)

    # -- surprisal ----------------------------------------------------------------------------------------------

    def tint(self, nats: tuple[float | None, ...]) -> None:
        """Mark the characters by their surprisal, in nats; None marks one the model could not read; () marks none."""
        if nats != self._nats:
            self._nats = nats
            self._read = self.text[: len(nats)]
            self._retint()

    def _retint(self) -> None:
        if self._nats:
            # what was read before an edit still holds up to the first change
            text = self.text
            same = next((i for i, (a, b) in enumerate(zip(self._read, text, strict=False)) if a != b), None)
            kept = min(len(self._read), len(text)) if same is None else same
            self._nats, self._read = self._nats[:kept], text[:kept]
            self._starts = list(accumulate((len(line) + 1 for line in self.document.lines), initial=0))
        self.notify_style_update()
        self.refresh()

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if self._nats and line_index < len(self._starts):
            start = self._starts[line_index]
            names = [UNREAD if each is None else CLASSES[level(each)] for each in self._nats[start : start + len(line)]]
            at = 0
            for name, run in groupby(names):  # this is asked for every row of a long line
                end = at + len(list(run))
                line.stylize(self.get_component_rich_style(name), at, end)
                at = end
        return line


def _unjoined(strip: Strip) -> Strip:
    """A line without joiners that lost what they join to the next line: they would join the blank behind them."""
    segments = [
        Segment(segment.text.rstrip(JOINER), segment.style, segment.control)
        if segment.text.endswith(JOINER)
        else segment
        for segment in strip
    ]
    return Strip(segments, strip.cell_length) if segments != list(strip) else strip
