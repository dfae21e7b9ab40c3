"""The table of texts: the library's and the user's recent ones, with a filter that finds them by a few letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from chargru.tui.formatting import one_line, pad, quantity, shown, tail
from chargru.tui.fuzzy import match
from chargru.tui.library import Choice
from chargru.tui.messages import PathPasted, StartWanted, TextChosen
from chargru.tui.paths import looks_like_path

_DIM = "dim"  # not a colour: the row under the cursor has its own
_FOUND = "bold underline $accent"
_TITLE = 15  # cells that a title needs at least


@dataclass(frozen=True)
class Column:
    """A column beside the title: its heading, its width in cells, whether it is flush right."""

    name: str
    heading: str
    width: int
    right: bool = False


# In the order in which they stand, and in the order in which they find room.
COLUMNS = (
    Column("size", "size", 7, True),
    Column("characters", "chars", 7, True),
    Column("vocabulary", "vocab", 6, True),
    Column("script", "script", 9),
    Column("source", "source", 18),
)
_IMPORTANT = ("characters", "vocabulary", "script", "size", "source")


def columns_for(cells: int) -> list[Column]:
    """The columns that have room in a table so many cells wide, in their order; the title keeps its least width."""
    room = cells - _TITLE
    kept: set[str] = set()
    for name in _IMPORTANT:
        column = next(each for each in COLUMNS if each.name == name)
        room -= column.width + 1
        if room < 0:
            break
        kept.add(name)
    return [each for each in COLUMNS if each.name in kept]


def bytes_told(size: int | None) -> str:
    """A file's size: 742 B, 163 kB, 1.1 MB; nothing where it is unknown."""
    if size is None:
        return ""
    told = quantity(size)
    return (
        f"{told} B"
        if told.isdecimal()
        else f"{told.replace(' ', '').replace('k', ' k').replace('M', ' M').replace('G', ' G')}B"
    )


def cell(choice: Choice, column: Column) -> str:
    """What stands in a column of the choice's row, as wide as it likes to be; raw text is made safe."""
    if choice.problem and column.name == "characters":
        return one_line(choice.problem, column.width)
    if column.name == "size":
        return bytes_told(choice.size)
    if column.name == "characters":
        return "" if choice.characters is None else ("" if choice.whole else "~") + quantity(choice.characters)
    if column.name == "vocabulary":
        return "" if choice.vocabulary is None else f"{quantity(choice.vocabulary)}{'' if choice.whole else '+'}"
    if column.name == "script":
        return one_line(choice.script, column.width)
    return tail(shown(choice.source, newlines=False), column.width)


class LibraryList(OptionList):
    """The rows. Moving chooses, Enter starts, a click only chooses."""

    ALLOW_MAXIMIZE = False  # the panel around it has the heading too
    HELP = "Texts that are ready, and your own of the last times. Up and down choose one, Enter trains on it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "Start", tooltip="Train on the chosen text"),
        Binding("delete", "forget", "Forget", show=False, tooltip="Take a recent text out of the list"),
    ]

    @dataclass
    class Forget(Message):
        """The user wants a recent text out of the list."""

        spec: str

    @dataclass
    class Drawn(Message):
        """The columns may have changed."""

        columns: tuple[Column, ...]
        title: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False, compact=True)
        self._choices: tuple[Choice, ...] = ()
        self._query = ""
        self._rows: list[Choice | None] = []  # None: a heading
        self._wanted = ""  # what was chosen last from here,
        self._held = False  # and whether it still is: a filter may hide it

    # -- what is shown --------------------------------------------------------------------------------------------

    def fill(self, choices: Sequence[Choice]) -> None:
        """Show these texts; the chosen one stays chosen, and a choice that is not shown any more is none."""
        self._choices = tuple(choices)
        self._draw()

    def learn(self, choice: Choice) -> None:
        """Show what was found out about one of them."""
        self.fill([choice if each.spec == choice.spec else each for each in self._choices])

    def filter(self, query: str) -> None:
        """Show the texts only in which these letters are found, the best ones first."""
        self._query = query
        self._draw()
        if query and any(self._rows):
            self.action_first()

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All texts, shown or not."""
        return self._choices

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = self._width
        columns = columns_for(width)
        title = width - sum(each.width + 1 for each in columns)
        self._rows, options = [], []
        for row in self._found():
            self._rows.append(row[0])
            label = Content.styled(row[1], _DIM) if row[0] is None else self._label(row[0], row[2], title, columns)
            options.append(Option(label, disabled=row[0] is None))
        with self.prevent(OptionList.OptionHighlighted):
            top = self.scroll_offset.y
            self.set_options(options)
            self.highlighted = self._place(self._wanted) if self._held else None
            self.scroll_to(y=top, animate=False)
        self.post_message(self.Drawn(tuple(columns), title))

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width, 20)

    def _found(self) -> list[tuple[Choice | None, str, tuple[int, ...]]]:
        """(text or None, heading, places of the letters found in its title) of every row."""
        rows: list[tuple[Choice | None, str, tuple[int, ...]]] = []
        groups = [[each for each in self._choices if each.recent is recent] for recent in (False, True)]
        if not self._query:
            rows += [(each, "", ()) for each in groups[0]]
            if groups[1]:
                rows += [(None, "recent", ()), *((each, "", ()) for each in groups[1])]
            return rows
        scored = []
        for choice in self._choices:
            score, places = match(self._query, one_line(choice.title, 60))
            elsewhere = any(self._query.casefold() in text.casefold() for text in (choice.spec, choice.description))
            if score or elsewhere:
                scored.append((score, choice, places))
        scored.sort(key=lambda each: -each[0])
        rows += [(choice, "", places) for _, choice, places in scored]
        return rows or [(None, "nothing like that; esc shows all", ())]

    def _label(self, choice: Choice, places: tuple[int, ...], width: int, columns: Sequence[Column]) -> Content:
        name = one_line(choice.title, min(width, 60))
        style = _DIM if choice.problem else "bold"
        title = Content.styled(pad(name, width), style)
        for place in places:
            if place < len(name):
                title = title.stylize(_FOUND, place, place + 1)
        parts: list[Content | str] = [title]
        for column in columns:
            text = cell(choice, column)
            gap = " " * max(column.width - cell_len(text), 0)
            parts.append(Content.styled(f" {gap}{text}" if column.right else f" {text}{gap}", _DIM))
        return Content("").join(part if isinstance(part, Content) else Content(part) for part in parts)

    # -- what is chosen -------------------------------------------------------------------------------------------

    def choose(self, spec: str) -> bool:
        """Highlight the text of this name; False when there is none."""
        if not any(each.spec == spec for each in self._choices):
            return False
        self._wanted, self._held = spec, True
        self.highlighted = self._place(spec)
        return True

    def let_go(self) -> None:
        """Something else is chosen: highlight nothing."""
        self._held = False
        with self.prevent(OptionList.OptionHighlighted):
            self.highlighted = None

    def restore(self) -> bool:
        """Choose again what was chosen here last, or the first text; False when there is none."""
        if not self.choose(self._wanted):
            self.action_first()
        elif self.spec:
            self.post_message(TextChosen(self.spec))
        return self.highlighted is not None

    def _place(self, spec: str) -> int | None:
        if not spec:
            return None
        return next((place for place, row in enumerate(self._rows) if row is not None and row.spec == spec), None)

    @property
    def chosen(self) -> Choice | None:
        """The highlighted text."""
        return self._rows[self.highlighted] if self.highlighted is not None else None

    @property
    def spec(self) -> str:
        """The highlighted text's name or path, empty when there is none."""
        if self.highlighted is None or self.highlighted >= len(self._rows):
            return ""
        row = self._rows[self.highlighted]
        return "" if row is None else row.spec

    @on(OptionList.OptionHighlighted)
    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionMessage) -> None:
        event.stop()
        if self.spec:
            self._wanted, self._held = self.spec, True
            self.post_message(TextChosen(self.spec))

    def action_start(self) -> None:
        self.post_message(StartWanted())

    def action_forget(self) -> None:
        if (chosen := self.chosen) is not None and chosen.recent:
            self.post_message(self.Forget(chosen.spec))


class FilterInput(Input):
    """The letters that are looked for; up and down move in the table."""

    HELP = "A few letters of a name. Up and down choose, Enter trains on it, esc shows all texts again."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "All texts", tooltip="Show all texts again"),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(placeholder="a few letters of a name", id="library-filter", compact=True, max_length=64)

    def validate_value(self, value: str) -> str:
        return shown(value, newlines=False)

    def _on_paste(self, event: events.Paste) -> None:
        if looks_like_path(event.text):
            event.stop()
            event.prevent_default()
            self.post_message(PathPasted(event.text))
        else:
            super()._on_paste(event)
            event.prevent_default()

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def action_move(self, direction: int) -> None:
        self.post_message(self.Moved(direction))

    @dataclass
    class Left(Message):
        """Esc: no filter any more."""

    @dataclass
    class Moved(Message):
        """Up or down: another row."""

        direction: int


class LibraryPanel(Vertical):
    """The heading, the rows and the filter, in one frame."""

    ALLOW_MAXIMIZE = True

    def compose(self) -> ComposeResult:
        yield Static(id="library-head", markup=False)
        yield LibraryList(id="library-list")
        yield FilterInput()

    def on_mount(self) -> None:
        self.query_one(FilterInput).display = False

    @property
    def list(self) -> LibraryList:
        """The rows."""
        return self.query_one(LibraryList)

    def search(self) -> None:
        """Open the filter."""
        field = self.query_one(FilterInput)
        field.display = True
        field.focus()

    @on(LibraryList.Drawn)
    def _drawn(self, message: LibraryList.Drawn) -> None:
        message.stop()
        head = pad("text", message.title)
        for column in message.columns:
            head += " " + (column.heading.rjust(column.width) if column.right else column.heading.ljust(column.width))
        self.query_one("#library-head", Static).update(Content(head))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.list.filter(event.value.strip())

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self.list.spec:
            self.post_message(StartWanted())

    @on(FilterInput.Left)
    def _left(self, message: FilterInput.Left) -> None:
        message.stop()
        field = self.query_one(FilterInput)
        field.value = ""
        field.display = False
        self.list.focus()

    @on(FilterInput.Moved)
    def _moved(self, message: FilterInput.Moved) -> None:
        message.stop()
        if message.direction > 0:
            self.list.action_cursor_down()
        else:
            self.list.action_cursor_up()
