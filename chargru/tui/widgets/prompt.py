"""The prompt: several lines of text, Enter completes, and nothing gets in that a terminal would obey."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from chargru.tui.formatting import shown
from chargru.tui.messages import CompletionWanted


class PromptArea(TextArea):
    """A text area in which Enter asks for completions; ctrl+j or shift+enter begin a new line."""

    BORDER_TITLE = "prompt"
    HELP = "Write how it begins. Enter completes it; ctrl+j or shift+enter begin a new line; ctrl+z takes back."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "complete", "Complete"),
        Binding("ctrl+j,shift+enter", "newline", "New line", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder="Write a beginning and press Enter. Empty works too.",
        )

    async def _on_key(self, event: events.Key) -> None:
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
        edit.text = shown(edit.text)
        return super().edit(edit)

    def load_text(self, text: str) -> None:
        super().load_text(shown(text))

    def rewrite(self, text: str) -> None:
        """Replace the whole text so that ctrl+z brings the old one back, with the cursor at the end."""
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    def action_complete(self) -> None:
        self.post_message(CompletionWanted())

    def action_newline(self) -> None:
        self.insert("\n")
