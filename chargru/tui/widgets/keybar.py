"""The keys at the bottom: the screens first, then what this screen does, then help and quit, and never too many.

One widget that paints a line, where Textual's Footer mounts a widget a key: bindings change with every focus and every
phase of a training, and mounting a dozen widgets each time was the app's largest cost.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

FIRST = ("f2", "f3", "f4", "f6", "f8", "escape")  # escape: cancel what is being written, back to all panels
LAST = ("f1", "ctrl+q")


@dataclass(frozen=True)
class Key:
    """A key to be shown: its name, how it is written, and what it does."""

    name: str
    written: str
    told: str

    @property
    def width(self) -> int:
        """Cells on the bar, with the blank behind it."""
        return cell_len(self.written) + cell_len(self.told) + 2


class KeyBar(Widget):
    """The screen's shown bindings in a steady order; a click presses the key. F1 lists what finds no room."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self.watch(self.screen, "maximized", self._changed, init=False)

    def _changed(self, _: object) -> None:
        self.refresh()

    def keys(self) -> list[Key]:
        """The keys that are shown now."""
        found = [
            Key(name, self._written(active.binding), active.binding.description)
            for name, active in self.screen.active_bindings.items()
            if active.binding.show and active.enabled and not self._typed(name)
        ]
        if self.screen.maximized is not None:
            found = [key for key in found if key.name != "escape"]
            found.append(Key("escape", "esc", "Back"))
        return arrange(found, self.size.width)

    def _typed(self, name: str) -> bool:
        """Whether the focused field takes the key as a letter: Textual, which leaves such keys out, does not know the
        character of the slash.
        """
        focused = self.screen.focused
        return name == "slash" and focused is not None and focused.check_consume_key(name, "/")

    def _written(self, binding: Binding) -> str:
        plain = getattr(self.app, "plain", False)  # where Enter cannot be a glyph, it is a word
        return "enter" if plain and binding.key == "enter" else self.app.get_key_display(binding)

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for key in self.keys():
            parts += [(key.written, "bold $footer-key-foreground"), (f" {key.told} ", "$footer-description-foreground")]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        left = 0
        for key in self.keys():
            if left <= event.x < left + key.width - 1:
                self.app.simulate_key(key.name)
            left += key.width


def arrange(keys: list[Key], cells: int) -> list[Key]:
    """The keys in their order, without those of the screen that do not fit; the first of them have the room first."""
    first = sorted((key for key in keys if key.name in FIRST), key=lambda key: FIRST.index(key.name))
    last = sorted((key for key in keys if key.name in LAST), key=lambda key: LAST.index(key.name))
    own: list[Key] = []
    for key in keys:  # a short one may still fit where a long one before it does not
        if key.name not in FIRST + LAST and sum(each.width for each in (*first, *own, key, *last)) <= cells:
            own.append(key)
    while len(first) > 1 and first[-1].name == "escape" and sum(key.width for key in (*first, *last)) > cells:
        first.pop(-2)  # the way out of where one is goes before the ways elsewhere
    return [*first, *own, *last]
