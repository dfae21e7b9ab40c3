"""A line that is typed now and then: a filter, another name. It says what it is for, and what will come of it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from chargru.tui.formatting import shown


class SafeInput(Input):
    """An input that shows nothing raw: what is pasted may hold anything."""

    def validate_value(self, value: str) -> str:
        """Control characters become symbols."""
        return shown(value, newlines=False)


class LineInput(Horizontal):
    """Hidden until it is opened. Enter takes what was typed, Escape leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", tooltip="Leave without a change")]

    class Typed(Message):
        """Something else stands there now."""

        def __init__(self, purpose: str, text: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    class Taken(Typed):
        """Enter."""

    class Left(Message):
        """Escape."""

        def __init__(self, purpose: str) -> None:
            super().__init__()
            self.purpose = purpose

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.purpose = ""

    def compose(self) -> ComposeResult:
        yield Static(classes="line-label", markup=False)
        yield SafeInput(compact=True, select_on_focus=False)
        yield Static(classes="line-told", markup=False)

    def on_mount(self) -> None:
        self.display = False

    def ask(self, purpose: str, label: str, value: str = "") -> None:
        """Open it; `purpose` comes back in the messages. `label` is the app's own or `shown` already."""
        self.purpose = purpose
        self.display = True
        self.query_one(".line-label", Static).update(Content(label))
        self.tell("")
        field = self.query_one(SafeInput)
        with field.prevent(Input.Changed):
            field.value = value
        field.cursor_position = len(field.value)
        field.focus()

    def tell(self, text: str) -> None:
        """Say beside it what will come of it; `text` may be data."""
        self.query_one(".line-told", Static).update(Content(shown(text, newlines=False)))

    def close(self) -> None:
        """Hide it."""
        self.display = False
        self.purpose = ""

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self.purpose, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Taken(self.purpose, event.value))

    def action_leave(self) -> None:
        self.post_message(self.Left(self.purpose))
