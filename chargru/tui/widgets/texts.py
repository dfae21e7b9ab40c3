"""Texts of one's own: the file tree, and a path typed, pasted or dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from rich.text import Text, TextType
from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import DirectoryTree, Input, Tree

from chargru.tui import paths
from chargru.tui.formatting import shown, tail
from chargru.tui.glyphs import glyphs
from chargru.tui.messages import StartWanted, TextChosen

SETTLE = 0.1  # seconds without a key before a directory is looked at for a completion


class TextTree(DirectoryTree):
    """Files and directories. Moving onto one chooses it; Enter opens a directory and starts on a file."""

    BORDER_TITLE = "files"
    HELP = (
        "Moving onto a file or a directory chooses it; of a directory all text files are read, one after another. "
        "Enter trains on a file and opens a directory; s trains on either. Backspace shows the directory above."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "Open/Start", tooltip="Train on a file, open or close a directory"),
        Binding("backspace", "above", "Above", show=False, tooltip="Show the directory above this one"),
    ]

    def on_mount(self) -> None:
        marks = glyphs(getattr(self.app, "plain", False))
        self.ICON_NODE, self.ICON_NODE_EXPANDED, self.ICON_FILE = f"{marks.closed} ", f"{marks.opened} ", "  "
        self._tell_place()

    def process_label(self, label: TextType) -> Text:
        # File names are data: no markup is read in them, and no control character passes.
        return Text(shown(label if isinstance(label, str) else label.plain, newlines=False))

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [path for path in paths if not path.name.startswith(".")]

    @on(Tree.NodeHighlighted)
    @on(Tree.NodeSelected)
    def _moved(self, event: Tree.NodeHighlighted[object] | Tree.NodeSelected[object]) -> None:
        event.stop()
        self._choose()

    def _choose(self) -> None:
        path = self._path()
        if self.has_focus and path is not None:
            self.post_message(TextChosen(str(path)))

    def _path(self) -> Path | None:
        node = self.cursor_node
        return None if node is None or node.data is None else node.data.path

    def action_start(self) -> None:
        node = self.cursor_node
        if node is None or node.allow_expand:
            self.action_select_cursor()
        else:
            self._choose()
            self.post_message(StartWanted())

    def action_above(self) -> None:
        root = Path(self.path).absolute()
        if root.parent != root:
            self.path = root.parent
            self._tell_place()

    def _tell_place(self) -> None:
        place = shown(paths.abbreviated(str(Path(self.path).absolute())), newlines=False)
        self.border_subtitle = Content(tail(place, 24))


class PathSuggester(Suggester):
    """How a path being typed may go on; the directory is read in a thread, once the typing rests."""

    def __init__(self, current: Callable[[], str]) -> None:
        # Names differ by case, and a directory changes: neither may be folded, nothing may be kept.
        super().__init__(use_cache=False, case_sensitive=True)
        self._current = current

    async def get_suggestion(self, value: str) -> str | None:
        await asyncio.sleep(SETTLE)
        if self._current() != value:
            return None  # a key came since
        return await asyncio.to_thread(paths.complete, value)


class PathInput(Input):
    """A path typed or pasted. What is shown is safe; what it stands for may be a stranger name (`spec`)."""

    BORDER_TITLE = "your own"
    HELP = (
        "The path of a text file, or of a directory whose text files are read one after another. Names complete "
        "themselves: right takes the grey rest. A file dropped on the terminal or a pasted path lands here. "
        "Enter trains on it."
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            placeholder="path of a file or directory",
            id=id,
            compact=True,
            select_on_focus=False,
            suggester=PathSuggester(lambda: self.value),
        )
        self._meant: tuple[str, str] = ("", "")  # (as shown, as meant)

    def validate_value(self, value: str) -> str:
        """What is pasted may hold anything; a path that needs control characters is picked in the tree."""
        return shown(value, newlines=False)

    def mean(self, spec: str) -> None:
        """Show a path chosen elsewhere, without announcing it as typed."""
        with self.prevent(Input.Changed):
            self.value = spec
        self._meant = (self.value, spec)
        self.cursor_position = len(self.value)

    def take(self, text: str) -> tuple[str, ...]:
        """A path pasted or dropped takes the place of what stood here; what was understood, a few words each."""
        found = paths.meant(text)
        self.mean(found.path)
        self.post_message(TextChosen(found.path))
        return found.notes

    @property
    def spec(self) -> str:
        """The path meant."""
        on_screen, meant = self._meant
        return meant if self.value == on_screen else paths.meant(self.value).path

    def _on_paste(self, event: events.Paste) -> None:
        if not self.value or paths.looks_like_path(event.text):
            event.prevent_default()  # the screen takes it, as from everywhere else
        else:
            super()._on_paste(event)
            event.prevent_default()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(TextChosen(self.spec))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self.spec:
            self.post_message(TextChosen(self.spec))
        self.post_message(StartWanted())
