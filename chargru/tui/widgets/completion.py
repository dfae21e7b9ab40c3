"""One completion among several: the end of the prompt, then what the model writes, as it writes it."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chargru.tui.formatting import shown, tail
from chargru.tui.messages import CompletionAccepted

WRITING_LIMIT = 3000  # characters painted while more are coming: the end of a long text, thirty times a second
TAKE_KEYS = ("F5", "F7", "F9")  # not alt and a digit: many terminals send another character for that
PROMPT_TAIL = 32  # cells of the prompt repeated in front of what follows it


class CompletionCard(VerticalScroll, can_focus=True):
    """Takes text in pieces; Enter or a double click takes the completion into the prompt."""

    HELP = "A completion. Enter takes it into the prompt; up and down scroll."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "accept", "Take it")]

    def __init__(self, index: int) -> None:
        super().__init__(id=f"completion-{index}", classes="completion")
        self._index = index
        self._prompt = ""
        self.text = ""
        self.writing = False
        self.border_title = Content(f"{index + 1}")

    def compose(self) -> ComposeResult:
        yield Static(classes="completion-text", markup=False)

    def begin(self, prompt: str) -> None:
        """A new completion of this prompt begins."""
        self._prompt, self.text, self.writing = prompt, "", True
        self._paint()

    def grow(self, gained: str) -> None:
        """More of it."""
        if gained:
            self.text += gained
            self._paint()

    def end(self) -> None:
        """It is complete, or was cut off."""
        self.writing = False
        self._paint()
        self.scroll_home(animate=False)  # reading begins at the beginning

    def _paint(self) -> None:
        last_line = shown(self._prompt[-4 * PROMPT_TAIL :]).rsplit("\n", 1)[-1]
        body = shown(self.text[-WRITING_LIMIT:] if self.writing else self.text)
        self.query_one(Static).update(
            Content.assemble(
                (tail(last_line, PROMPT_TAIL), "$foreground 62%"), body, ("▌", "$primary") if self.writing else ""
            )
        )
        self.border_subtitle = Content(f"{TAKE_KEYS[self._index]} takes it") if self.text and not self.writing else None
        if self.writing:
            self.scroll_end(animate=False)

    def action_accept(self) -> None:
        if self.text:
            self.post_message(CompletionAccepted(self._index))

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2:
            self.action_accept()
