"""The line below the table of runs: how many there are, and what can be done with the one under the cursor."""

from __future__ import annotations

from chargru.tui.formatting import one_line, plural
from chargru.tui.widgets.legend import Entry, LegendLine

# key, what it does, action; the last ones are left out first where there is little room
ACTIONS = (
    ("⏎", "play", "play"),
    ("r", "go on", "resume"),
    ("␣", "mark", "mark"),
    ("n", "rename", "rename"),
    ("d", "delete", "delete"),
    ("e", "csv", "export"),
    ("y", "path", "copy_path"),
    ("/", "filter", "filter"),
    ("s", "sort", "sort"),
    ("i", "details", "details"),
)
IN_ASCII = {"⏎": "enter", "␣": "space"}


class RunLine(LegendLine):
    """One line; a click on an action does it."""

    def tell(self, *, shown: int, of: int, marked: int, words: str) -> None:
        """Tell these numbers of runs; `words` is the filter (raw)."""
        told = plural(of, "run") if shown == of and not words else f"{shown} of {of}"
        if words:
            told += f" with {one_line(words, 16)}"
        if marked:
            told += f", {marked} marked"
        entries = [Entry(((told, "$foreground 62%"),))]
        plain = getattr(self.app, "plain", False)
        for rank, (key, what, action) in enumerate(ACTIONS, start=1):
            written = IN_ASCII.get(key, key) if plain else key
            parts = ((written, "bold $footer-key-foreground"), (f" {what}", "$footer-description-foreground"))
            entries.append(Entry(parts, f"screen.{action}", rank))
        self.show(*entries)
