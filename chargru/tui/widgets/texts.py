"""Where a text comes from: the library's list, the file tree and a path typed by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text, TextType
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DirectoryTree, Input, OptionList, Tree
from textual.widgets.option_list import Option

from chargru.tui.formatting import one_line, quantity, shown
from chargru.tui.library import Choice
from chargru.tui.messages import StartWanted, TextChosen


class LibraryList(OptionList):
    """The texts that can be picked by name. Moving chooses, Enter starts, a click only chooses."""

    BORDER_TITLE = "library"
    HELP = "Texts that are ready. Up and down choose one, Enter trains on it."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "start", "Start")]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._choices: tuple[Choice, ...] = ()

    def fill(self, choices: tuple[Choice, ...]) -> None:
        """Show these texts."""
        self._choices = choices
        self.clear_options()
        width = max(self.scrollable_content_region.width, 20)
        self.add_options([Option(self._label(choice, width)) for choice in choices])

    def on_resize(self) -> None:
        highlighted = self.highlighted
        with self.prevent(OptionList.OptionHighlighted):
            self.fill(self._choices)
            self.highlighted = highlighted

    def choose(self, spec: str) -> bool:
        """Highlight the text of this name; False when there is none."""
        for index, choice in enumerate(self._choices):
            if choice.spec == spec:
                self.highlighted = index
                return True
        return False

    @property
    def spec(self) -> str:
        """The highlighted text, empty when there is none."""
        return "" if self.highlighted is None else self._choices[self.highlighted].spec

    @on(OptionList.OptionHighlighted)
    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionMessage) -> None:
        event.stop()
        if event.option_index < len(self._choices):
            self.post_message(TextChosen(self._choices[event.option_index].spec))

    def on_focus(self) -> None:
        if self.spec:
            self.post_message(TextChosen(self.spec))

    def action_start(self) -> None:
        self.post_message(StartWanted())

    def _label(self, choice: Choice, width: int) -> Content:
        size = quantity(choice.characters) if choice.characters is not None else ""
        title = one_line(choice.title, width - cell_len(size) - 4)
        gap = max(width - cell_len(title) - cell_len(size) - 2, 1)
        description = one_line(choice.description, width - 2)
        return Content.assemble(
            (title, "bold"), " " * gap, (size, "$foreground 62%"), "\n", (description, "$foreground 62%")
        )


class TextTree(DirectoryTree):
    """Files of one's own. Moving onto a file chooses it, Enter on it starts; directories open and close."""

    BORDER_TITLE = "files"
    HELP = "Files and directories from here on. Enter opens a directory, and trains on a file."
    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "start", "Start")]

    def process_label(self, label: TextType) -> Text:
        # File names are data: no markup is read in them, and no control character passes.
        return Text(shown(label if isinstance(label, str) else label.plain, newlines=False))

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [path for path in paths if not path.name.startswith(".")]

    @on(Tree.NodeHighlighted)
    def _moved(self, event: Tree.NodeHighlighted[object]) -> None:
        event.stop()
        self._choose()

    def on_focus(self) -> None:
        self._choose()

    def _choose(self) -> None:
        path = self._file()
        if self.has_focus and path is not None:
            self.post_message(TextChosen(str(path)))

    def _file(self) -> Path | None:
        node = self.cursor_node
        if node is None or node.data is None or node.allow_expand:
            return None
        return node.data.path

    def action_start(self) -> None:
        if self._file() is None:
            self.action_select_cursor()
        else:
            self._choose()
            self.post_message(StartWanted())


class PathInput(Input):
    """A path typed or pasted. What is shown is safe; what it stands for may be a stranger name (`spec`)."""

    BORDER_TITLE = "your own"
    HELP = "The path of a text file, or of a directory whose text files are read one after another. Enter trains on it."

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(placeholder="path of a file or directory", id=id, compact=True)
        self._meant: tuple[str, str] = ("", "")  # (as shown, as meant)

    def validate_value(self, value: str) -> str:
        """What is pasted may hold anything; a path that needs control characters is picked in the tree."""
        return shown(value, newlines=False)

    def mean(self, spec: str) -> None:
        """Show a path chosen elsewhere, without announcing it as typed."""
        with self.prevent(Input.Changed):
            self.value = spec
        self._meant = (self.value, spec)

    @property
    def spec(self) -> str:
        """The path meant."""
        on_screen, meant = self._meant
        return meant if self.value == on_screen else self.value.strip()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(TextChosen(self.spec))

    def on_focus(self) -> None:
        if self.spec:
            self.post_message(TextChosen(self.spec))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(StartWanted())
