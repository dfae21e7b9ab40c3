"""A screen's words while there is nothing to show yet: what it will be, and the key that gets there."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Center, Middle
from textual.content import Content
from textual.widgets import Static


class Empty(Middle):
    """A title and a few lines, in the middle of the room it has."""

    def __init__(self, title: str = "", text: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words = (title, text)

    def compose(self) -> ComposeResult:
        with Center():
            yield Static(self._content(), classes="empty-words", markup=False)

    def say(self, title: str, text: str) -> None:
        """Say something else; both are the app's own words or `shown` already."""
        if (title, text) != self._words:
            self._words = (title, text)
            self.query_one(".empty-words", Static).update(self._content())

    def _content(self) -> Content:
        title, text = self._words
        return Content.assemble((title, "bold $primary"), "\n\n" if title and text else "", (text, "$foreground 62%"))
