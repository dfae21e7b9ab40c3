"""The chosen text before it is trained on: its figures, what was noticed, its characters, and its first lines."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chargru.tui.formatting import one_line, plural, quantity, shown, tail, whole
from chargru.tui.glyphs import glyphs
from chargru.tui.library import TextPreview
from chargru.tui.paths import abbreviated
from chargru.tui.widgets import vocabulary
from chargru.tui.widgets.choices import bytes_told

LINE_LIMIT = 400  # characters shown of one line; a text may be a single line of a gigabyte
_ROOMY = (46, 24)  # cells of width and lines from which the characters stand in a table
_DIM = "$foreground 62%"


class PreviewPanel(VerticalScroll, can_focus=True):
    """Shows one preview, or that it is being read, or why it cannot be."""

    BORDER_TITLE = "preview"
    HELP = "What the model will see. Up and down scroll."

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: TextPreview | None = None
        self._description = ""

    def compose(self) -> ComposeResult:
        yield Static(id="preview-facts", markup=False)
        yield Static(id="preview-text", markup=False)

    def on_resize(self) -> None:
        if self._shown is not None:
            self._draw(self._shown)

    def nothing(self) -> None:
        """Nothing is chosen."""
        self._fill("preview", Content.styled("Pick a text on the left, or type the path of one.", _DIM), "")

    def reading(self, name: str) -> None:
        """The preview of `name` is on its way."""
        self._fill(name, Content.styled("reading…", _DIM), "")

    def problem(self, name: str, message: str, hint: str, bad_bytes: int = 0, *, typing: bool = False) -> None:
        """The text cannot be read; `bad_bytes` of it could be replaced. `typing`: letters go into a field just now."""
        lines = [Content.styled(shown(message), "$error")]
        if hint:
            lines.append(Content.styled(shown(hint), _DIM))
        if bad_bytes:
            first = "esc " if typing else ""
            told = plural(bad_bytes, "byte")
            lines += [Content(""), self._key(f"{first}r", f"replaces {told} by U+FFFD", "replace")]
            lines.append(self._key(f"{first}e", "reads it in another encoding", "encoding"))
        self._fill(name, Content("\n").join(lines), "")

    def preview(self, preview: TextPreview, description: str = "") -> None:
        """Show it, with the library's one line about it."""
        self._description = description
        self._draw(preview)
        self.scroll_home(animate=False)

    def _draw(self, preview: TextPreview) -> None:
        facts = Content("\n").join(self._facts(preview))
        cut = (line if len(line) <= LINE_LIMIT else line[: LINE_LIMIT - 1] + "…" for line in preview.lines)
        self._fill(preview.name, facts, "\n".join(shown(line, newlines=False) for line in cut))
        self._shown = preview

    def _facts(self, preview: TextPreview) -> Iterator[Content]:
        about, least = ("", "") if preview.whole else ("about ", "at least ")
        noun = "character" if preview.characters == 1 else "characters"
        told = f"{about}{quantity(preview.characters)} {noun} · {least}{whole(preview.vocabulary)} distinct"
        size = f"{bytes_told(preview.size)} · " if preview.size else ""
        yield Content.styled(f"{size}{told}", "bold")
        known = f" ({preview.how})" if preview.how not in ("", "known") else ""
        kind = [one_line(preview.encoding, 24) + known, *(one_line(script, 16) for script in preview.scripts)]
        yield Content.styled(" · ".join([*kind, *([preview.line_ends] if preview.line_ends else [])]), _DIM)
        if self._description:
            yield Content.styled(shown(self._description, newlines=False), _DIM)
        elif preview.source and preview.source != preview.name:
            place = shown(abbreviated(preview.source), newlines=False)
            yield Content.styled(tail(place, max(self._room, 20)), _DIM)
        for warning in preview.warnings:
            yield Content.styled(f"! {shown(warning, newlines=False)}", "$warning")
        for note in preview.notes:
            yield Content.styled(f"· {shown(note, newlines=False)}", _DIM)
        marks = glyphs(getattr(self.app, "plain", False))
        if preview.commonest:
            yield Content("")
            if self._room >= _ROOMY[0] and self.size.height >= _ROOMY[1]:
                counts = (preview.commonest, preview.rarest, preview.single, preview.read)
                yield from vocabulary.table(*counts, self._room, marks)
            else:
                yield from vocabulary.short(preview.commonest, preview.rarest, self._room, marks)

    @property
    def _room(self) -> int:
        """Cells of a line."""
        return self.scrollable_content_region.width

    def _key(self, key: str, told: str, action: str) -> Content:
        """A key and what it does, which a click does too; no data in it."""
        return Content.from_markup(f"[@click=screen.{action}][bold $accent] {key} [/]{told}[/]")

    def _fill(self, title: str, facts: Content, body: str) -> None:
        self._shown = None
        room = max(self.size.width - 4, 12)
        cut = tail(one_line(title, 4 * room), room) if "/" in title else one_line(title, room)
        self.border_title = Content(cut or "preview")
        for name, content in (("#preview-facts", facts), ("#preview-text", Content(body))):
            for part in self.query(name).results(Static):  # none any more when the app is left at once
                part.update(content)
