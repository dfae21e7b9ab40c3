"""F1, what this screen and the focused panel are for and what their keys do; and `?`, all keys that work now."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from chargru.tui.widgets.keybar import FIRST, LAST

HERE, SCREEN, EVERYWHERE, MORE = "In this panel", "On this screen", "Everywhere", "More keys of this panel"
# Textual's own, in words that say what they are for here
THEIRS = (
    ("ctrl+p", "All commands, and a search in them"),
    ("tab shift+tab", "To the next panel, and back"),
    ("ctrl+c", "Copy the text selected with the mouse"),
)


@dataclass(frozen=True)
class KeyRow:
    """The keys of one action, and what it does."""

    keys: str
    told: str


class HelpScreen(ModalScreen[None]):
    """A panel over the screen that asked for it; `everything` lists all keys, else what this screen is comes first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "Close"),
        Binding("question_mark", "app.all_keys", "All keys"),
    ]

    def __init__(self, about: Screen[Any], *, everything: bool = False) -> None:
        super().__init__()
        self.everything = everything
        self._about = about
        self._groups = key_groups(about)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-panel") as panel:
            panel.border_title = Content("all keys" if self.everything else "help")
            panel.border_subtitle = Content(
                "esc closes" if self.everything else "esc closes · ? all keys · ctrl+p commands"
            )
            yield Static(id="help-words", markup=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        panel = self.query_one(VerticalScroll)
        width = max(min(panel.styles.width.value if panel.styles.width else 76, 0.96 * self.size.width) - 8, 20)
        self.query_one(Static).update(self._words(int(width)))

    def _words(self, width: int) -> Content:
        groups = self._groups
        if self.everything:
            return tables(groups, width)
        parts = [Content.styled(getattr(self._about, "HEADING", ""), "bold $primary")]
        if text := getattr(self._about, "HELP_TEXT", ""):
            parts.append(Content(text))
        if (focused := self._about.focused) is not None and focused.HELP:
            parts.append(Content.assemble(("This panel: ", "bold"), focused.HELP))
        parts.append(tables([group for group in groups if group[0] in (HERE, SCREEN)], width))
        return Content("\n\n").join(parts)


def key_groups(screen: Screen[Any]) -> list[tuple[str, list[KeyRow]]]:
    """Every key that does something on this screen now, by where it belongs; the footer's keys first in each group."""
    found: dict[str, dict[tuple[str, str], list[str]]] = {HERE: {}, SCREEN: {}, EVERYWHERE: {}, MORE: {}}
    active = [each for each in screen.active_bindings.items() if each[1].enabled]
    for key, (node, binding, _, _) in sorted(active, key=lambda each: (not each[1].binding.show, _rank(each[0]))):
        told = binding.tooltip or binding.description
        ours = binding.show or _is_ours(node, binding.action)
        if not told or (not ours and node in (screen, screen.app)):
            continue
        group = MORE if not ours else EVERYWHERE if node is screen.app else SCREEN if node is screen else HERE
        found[group].setdefault((binding.action, told), []).append(key_name(key))
    groups = {
        group: [KeyRow(" ".join(dict.fromkeys(names)), told) for (_, told), names in rows.items()]
        for group, rows in found.items()
    }
    groups[EVERYWHERE] += [KeyRow(*each) for each in THEIRS]
    return [(group, rows) for group, rows in groups.items() if rows]


def tables(groups: list[tuple[str, list[KeyRow]]], width: int) -> Content:
    """The groups below each other, the keys right-aligned in a column of their own, in `width` cells."""
    column = min(max((cell_len(row.keys) for _, rows in groups for row in rows), default=0), width // 2)
    parts: list[Content] = []
    for group, rows in groups:
        lines = [Content.styled(group, "bold $primary")]
        for row in rows:
            first, *rest = textwrap.wrap(row.told, max(width - column - 2, 10)) or [""]
            lines.append(Content.assemble((row.keys.rjust(column), "bold $accent"), "  ", first))
            lines += [Content(" " * (column + 2) + line) for line in rest]
        parts.append(Content("\n").join(lines))
    return Content("\n\n").join(parts)


def _rank(key: str) -> int:
    """The screens' keys first, help and quit last, the others as they come."""
    return FIRST.index(key) - len(FIRST) if key in FIRST else 1 if key in LAST else 0


def _is_ours(node: DOMNode, action: str) -> bool:
    """Whether this program wrote the action: what every list of Textual can do needs no telling."""
    target, _, name = action.split("(")[0].rpartition(".")
    method = getattr(node.app if target == "app" else node, f"action_{name}", None)
    return str(getattr(method, "__module__", "")).startswith("chargru.")


def key_name(key: str) -> str:
    """A key as people write it: f8 is F8, question_mark is ?."""
    names = {
        "question_mark": "?",
        "escape": "esc",
        "pagedown": "pgdn",
        "pageup": "pgup",
        "less_than_sign": "<",
        "greater_than_sign": ">",
        "plus": "+",
        "minus": "-",
        "equals_sign": "=",
        "slash": "/",
        "left_square_bracket": "[",
        "right_square_bracket": "]",
        "comma": ",",
        "full_stop": ".",
    }
    *modifiers, last = key.split("+")
    last = names.get(last, last)
    return "+".join([*modifiers, last.upper() if last[:1] == "f" and last[1:].isdecimal() else last])
