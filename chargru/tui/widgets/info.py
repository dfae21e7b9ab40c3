"""One line for what has to be said now, and at its right end what the marks on the screen mean."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from chargru.tui.formatting import one_line
from chargru.tui.surprise import LEGEND

# What is said first: a problem hides a note, a note hides how the prompt was read.
ORDER = ("problem", "place", "note", "reading")
INK = (
    "$foreground 45%",
    "$foreground",
    "$text-accent underline",
    "$text-warning bold underline",
    "$error bold reverse",
)


class InfoLine(Widget):
    """Holds one line for each of several sources and shows the most important."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: dict[str, tuple[str, str]] = {}
        self._legend = ""

    def say(self, source: str, text: str, style: str = "$warning") -> None:
        """Let this source (one of `ORDER`) say `text`, which may be data; nothing takes its line away."""
        line = (text, style) if text else ("", "")
        if self._lines.get(source, ("", "")) != line:
            self._lines[source] = line
            self.refresh()

    def explain(self, view: str) -> None:
        """Show the legend of "surprisal", of "copied", or none."""
        if view != self._legend:
            self._legend = view
            self.refresh()

    def render(self) -> Content:
        said = (self._lines.get(source, ("", "")) for source in ORDER)
        text, style = next((each for each in said if each[0]), ("", ""))
        room = max(self.size.width - 2, 1)
        legend = self._explanation()
        if text and room - legend.cell_length - 2 < cell_len(text):
            legend = Content("")
        line = one_line(text, room - legend.cell_length - 2 if legend.cell_length else room)
        gap = room - cell_len(line) - legend.cell_length
        return Content.assemble(" ", (line, style), " " * max(gap, 0), legend)

    def _explanation(self) -> Content:
        if self._legend == "surprisal":
            parts = [Content.styled(told, ink) for told, ink in zip(LEGEND, INK, strict=True)]
            return Content.assemble(("likely ", "$foreground 62%"), Content(" ").join(parts))
        if self._legend == "copied":
            return Content.assemble(
                ("underlined", "$text-accent underline"), (" stands in the training text", "$foreground 62%")
            )
        return Content("")
