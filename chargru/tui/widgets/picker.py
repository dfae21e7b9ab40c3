"""The choice of a model, and the list it opens: filtered as one types, so that a hundred runs are no trouble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Select
from textual.widgets.option_list import Option

from chargru.tui.formatting import shown


@dataclass(frozen=True)
class Entry:
    """One of the things to choose from; `name` and `about` are `shown` already."""

    value: str
    name: str
    about: str = ""


def matching(entries: Sequence[Entry], typed: str) -> list[Entry]:
    """The entries that have every typed word somewhere in them, in their order."""
    words = typed.casefold().split()
    return [entry for entry in entries if all(word in f"{entry.name} {entry.about}".casefold() for word in words)]


class ModelSelect(Select[str]):
    """Looks like any choice; what it opens is the app's own list."""

    HELP = "Which model answers. Enter opens the list of all runs; typing there filters it."

    @dataclass
    class Opened(Message):
        """The user wants to choose."""

    def action_show_overlay(self) -> None:
        self.post_message(self.Opened())

    def _watch_expanded(self, expanded: bool) -> None:
        if expanded:  # by a click
            self.expanded = False
            self.post_message(self.Opened())


class PickerScreen(ModalScreen[str | None]):
    """A filter and the list; gives the value chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("down", "move(1)", "Next", show=False, priority=True),
        Binding("up", "move(-1)", "Before", show=False, priority=True),
        Binding("pagedown", "move(8)", "Further on", show=False, priority=True),
        Binding("pageup", "move(-8)", "Further back", show=False, priority=True),
    ]

    def __init__(self, title: str, entries: Sequence[Entry], chosen: str | None) -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._chosen = chosen
        self._found: list[Entry] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="picker-panel") as panel:
            panel.border_title = Content(self._title)
            yield Input(placeholder="type to filter", compact=True, id="picker-filter")
            yield OptionList(id="picker-list", compact=True, markup=False)

    def on_mount(self) -> None:
        self._fill("")
        values = [entry.value for entry in self._found]
        self.query_one(OptionList).highlighted = values.index(self._chosen) if self._chosen in values else 0

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value)

    def _fill(self, typed: str) -> None:
        self._found = matching(self._entries, typed)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(Content.assemble(entry.name, "  ", (entry.about, "$foreground 50%"))) for entry in self._found
        )
        options.highlighted = 0 if self._found else None
        panel = self.query_one("#picker-panel")
        panel.border_subtitle = Content(f"{len(self._found)} of {len(self._entries)} · ⏎ chooses · esc closes")

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        if self._found:
            options.highlighted = min(max((options.highlighted or 0) + by, 0), len(self._found) - 1)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.dismiss(self._found[at].value)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._found[event.option_index].value)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:  # beside the panel
            self.dismiss(None)


def entry(value: str, name: str, about: str) -> Entry:
    """An entry of raw words."""
    return Entry(value, shown(name, newlines=False), shown(about, newlines=False))
