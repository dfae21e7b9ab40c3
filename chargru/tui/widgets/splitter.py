"""The divider between two columns: dragged with the mouse, moved by < and >, put back by a double click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

STEP = 4  # cells that one press of a key moves it
LEAST = 20  # cells that either side keeps


class Splitter(Widget):
    """Gives the column `target` (a selector) the width that the user wants; the rest is the other column's.

    `side` says on which side of the divider the target is. The width is kept as a share of the row, so that it means
    the same on a terminal of another size; 0 leaves the width to the stylesheet.
    """

    @dataclass
    class Moved(Message):
        """The user put the divider elsewhere; `name` is the divider's, `share` the target's part of the row."""

        name: str
        share: float

    def __init__(self, target: str, *, name: str, side: str = "left") -> None:
        """`name` is the field of the remembered layout. A screen of ours gives it its remembered share."""
        super().__init__(name=name)
        if side not in ("left", "right"):
            raise ValueError("a column is on the left or on the right")
        self._target = target
        self._side = side
        self.share = 0.0
        self._dragging = False
        self.tooltip = "Drag, or press < and >; a double click puts it back"

    def render(self) -> Content:
        mark = "┃" if self._dragging else "╎" if self.mouse_hover else " "
        return Content("\n".join([mark] * max(self.size.height, 1)))

    def fit(self) -> None:
        """Give the target its share, as far as the row has room for both sides; to be called when the row changed."""
        target = self.screen.query(self._target).first(Widget)
        row = cast("Widget", self.parent).size.width
        if not self.share or row < 2 * LEAST + 1 or not self.display:
            target.styles.clear_rule("width")
            target.styles.clear_rule("max_width")
            target.refresh(layout=True)
            return
        target.styles.width = max(min(round(self.share * row), row - LEAST - 1), LEAST)
        target.styles.max_width = None

    def move(self, cells: int) -> None:
        """Move the divider by so many cells, to the right where positive."""
        target = self.screen.query(self._target).first(Widget)
        self.put(target.outer_size.width + (cells if self._side == "left" else -cells))

    def put(self, width: int) -> None:
        """Give the target so many cells, as far as there is room, and tell."""
        row = cast("Widget", self.parent).size.width
        if row < 2 * LEAST + 1:
            return
        self.share = round(max(min(width, row - LEAST - 1), LEAST) / row, 4)
        self._tell()

    def put_back(self) -> None:
        """As it was designed."""
        self.share = 0.0
        self._tell()

    def _tell(self) -> None:
        self.fit()
        self.post_message(self.Moved(self.name or "", self.share))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragging = True
        self.capture_mouse()
        event.stop()
        self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            row = cast("Widget", self.parent).region
            x = event.screen_x
            self.put(x - row.x if self._side == "left" else row.right - 1 - x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.chain == 2:
            self.put_back()

    def on_enter(self) -> None:
        self.refresh()

    def on_leave(self) -> None:
        self.refresh()
