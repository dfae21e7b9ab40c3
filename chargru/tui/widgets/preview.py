"""The chosen text before it is trained on: its name, its figures, what was noticed, and its first lines."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chargru.tui.formatting import one_line, quantity, shown, whole
from chargru.tui.library import TextPreview

LINE_LIMIT = 400  # characters shown of one line; a text may be a single line of a gigabyte


class PreviewPanel(VerticalScroll, can_focus=True):
    """Shows one preview, or that it is being read, or why it cannot be."""

    BORDER_TITLE = "preview"
    HELP = "What the model will see. Up and down scroll."

    def compose(self) -> ComposeResult:
        yield Static(id="preview-facts", markup=False)
        yield Static(id="preview-text", markup=False)

    def nothing(self) -> None:
        """Nothing is chosen."""
        self._fill(
            "preview", Content.styled("Pick a text on the left, or type the path of one.", "$foreground 62%"), ""
        )

    def reading(self, name: str) -> None:
        """The preview of `name` is on its way."""
        self._fill(name, Content.styled("reading…", "$foreground 62%"), "")

    def problem(self, name: str, message: str, hint: str) -> None:
        """The text cannot be read."""
        lines = [Content.styled(shown(message), "$error")]
        if hint:
            lines.append(Content.styled(shown(hint), "$foreground 62%"))
        self._fill(name, Content("\n").join(lines), "")

    def preview(self, preview: TextPreview) -> None:
        """Show it."""
        about, least = ("", "") if preview.whole else ("about ", "at least ")
        told = f"{about}{quantity(preview.characters)} characters · {least}{whole(preview.vocabulary)} distinct"
        kind = [one_line(preview.encoding, 24), *(one_line(script, 16) for script in preview.scripts)]
        facts = [
            Content.styled(told, "bold"),
            *(
                Content.styled(line, "$foreground 62%")
                for line in (" · ".join(kind), *(f"· {shown(note, newlines=False)}" for note in preview.notes))
            ),
        ]
        body = "\n".join(shown(line[:LINE_LIMIT], newlines=False) for line in preview.lines)
        self._fill(preview.name, Content("\n").join(facts), body)
        self.scroll_home(animate=False)

    def _fill(self, title: str, facts: Content, body: str) -> None:
        self.border_title = Content(one_line(title, max(self.size.width - 4, 12)) or "preview")
        for name, content in (("#preview-facts", facts), ("#preview-text", Content(body))):
            for part in self.query(name).results(Static):  # none any more when the app is left at once
                part.update(content)
