"""F1: what this screen is for and what its keys do, gathered from the keys that really work there."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from chargru.tui.widgets.keybar import LAST


class HelpScreen(ModalScreen[None]):
    """A panel over the screen that asked for it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "Close")]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self._words = help_for(about)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-panel") as panel:
            panel.border_title = Content("help")
            panel.border_subtitle = Content("esc closes")
            yield Static(self._words, markup=False)


def help_for(screen: Screen[Any]) -> Content:
    """The words about a screen: its purpose, the focused widget's, and all keys that work now."""
    parts = [Content.styled(getattr(screen, "HEADING", ""), "bold $primary")]
    if text := getattr(screen, "HELP_TEXT", ""):
        parts.append(Content(text))
    if screen.focused is not None and (focused := screen.focused.HELP):
        parts.append(Content(focused))
    parts.append(Content.styled("Keys", "bold $primary"))
    keys = _keys(screen)
    width = max((cell_len(key) for key, _ in keys), default=0)
    table = [Content.assemble((key.rjust(width), "bold $accent"), "  ", told) for key, told in keys]
    parts.append(Content("\n").join(table))
    return Content("\n\n").join(parts)


def _keys(screen: Screen[Any]) -> list[tuple[str, str]]:
    """(key, what it does) of everything that works on this screen now, one line an action; the footer's keys first."""
    keys: dict[tuple[str, str], list[str]] = {}
    active = [each for each in screen.active_bindings.items() if each[1].enabled]
    for key, (node, binding, _, _) in sorted(active, key=lambda each: (not each[1].binding.show, each[0] in LAST)):
        told = binding.tooltip or binding.description
        if told and (binding.show or _is_ours(node, binding.action)):
            keys.setdefault((binding.action, told), []).append(_display(key))
    rows = [(" ".join(dict.fromkeys(names)), told) for (_, told), names in keys.items()]
    return [*rows, ("ctrl+p", "All commands"), ("tab", "To the next panel")]


def _is_ours(node: DOMNode, action: str) -> bool:
    """Whether this program wrote the action: what every list of Textual can do needs no telling."""
    target, _, name = action.split("(")[0].rpartition(".")
    method = getattr(node.app if target == "app" else node, f"action_{name}", None)
    return str(getattr(method, "__module__", "")).startswith("chargru.")


def _display(key: str) -> str:
    names = {"question_mark": "?", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup"}
    *modifiers, last = key.split("+")
    last = names.get(last, last)
    return "+".join([*modifiers, last.upper() if last[:1] == "f" and last[1:].isdecimal() else last])
