"""Every setting of a training, by hand: one row a field of TrainRequest, judged while it is typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Button, Input, Static

from chargru.tui import byhand
from chargru.tui.byhand import Option
from chargru.tui.formatting import shown

_AUTOMATIC = "automatic"
# Offered while an encoding is typed: what files are in that are not UTF-8.
ENCODINGS = (
    *("utf-8", "utf-16", "cp1252", "latin-1", "iso-8859-2", "cp1250", "cp1251", "koi8-r", "cp1253", "cp1255"),
    *("cp949", "euc-kr", "shift_jis", "cp932", "euc-jp", "iso-2022-jp", "gb18030", "big5", "cp874", "mac-roman"),
)


class EncodingSuggester(Suggester):
    """How the name of an encoding may go on."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return next((name for name in ENCODINGS if name.startswith(value)), None)


class OptionInput(Input):
    """The value of one setting; empty for the automatic one."""

    def __init__(self, option: Option, value: str) -> None:
        placeholder = _AUTOMATIC if option.default is None else "empty"
        known = EncodingSuggester() if option.name == "encoding" else None
        name = f"option-{option.name}"
        super().__init__(value, placeholder=placeholder, id=name, compact=True, max_length=200, suggester=known)
        self.option = option

    def validate_value(self, value: str) -> str:
        return shown(value, newlines=False)


class OptionCycle(Static, can_focus=True):
    """The value of a setting that has few: the arrows, a blank and a click take the next one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "step(1)", "Next", show=False, tooltip="The next value"),
        Binding("left", "step(-1)", "Before", show=False, tooltip="The value before"),
    ]

    @dataclass
    class Changed(Message):
        """Another value; empty for the one that it has by itself."""

        name: str
        value: str

    def __init__(self, option: Option, value: str) -> None:
        super().__init__(id=f"option-{option.name}", markup=False)
        self.option = option
        self.choices = option.choices or ("no", "yes")
        self.default = ("yes" if option.default else "no") if option.kind is bool else str(option.default)
        self._value = value if value in self.choices else self.default

    @property
    def value(self) -> str:
        """The value, as it is typed."""
        return self._value

    @value.setter
    def value(self, value: str) -> None:
        self._value = value
        self.refresh()
        self.post_message(self.Changed(self.option.name, "" if value == self.default else value))

    def render(self) -> Content:
        return Content(f"< {self._value} >")

    def action_step(self, direction: int) -> None:
        self.value = self.choices[(self.choices.index(self._value) + direction) % len(self.choices)]

    def on_click(self) -> None:
        self.action_step(1)


class SettingsScreen(ModalScreen[dict[str, str]]):
    """A panel over the Corpus screen; gives back what was typed, by field, whether it is possible or not.

    Names and explanations are two texts beside the column of fields: a widget for each would take a second to mount.
    """

    HEADING = "Settings"
    HELP_TEXT = "Empty fields are chosen for the text, the time and this machine."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", priority=True),
        Binding("ctrl+r", "reset", "All automatic", tooltip="Empty every field"),
        Binding("enter", "close", "Done", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, typed: Mapping[str, str], focus: str = "") -> None:
        super().__init__()
        self._typed = {name: text for name, text in typed.items() if text}
        self._options = byhand.options()
        self._fields = {option.name: self._field(option) for option in self._options}
        self._first = self._fields.get(focus, next(iter(self._fields.values())))

    def _field(self, option: Option) -> OptionInput | OptionCycle:
        text = self._typed.get(option.name, "")
        few = bool(option.choices) or option.kind is bool
        return OptionCycle(option, text) if few else OptionInput(option, text)

    def compose(self) -> ComposeResult:
        names, told, group = list[Content](), list[Content](), ""
        for option in self._options:
            if option.group != group:
                group = option.group
                names.append(Content.styled(group, "bold $primary"))
                told.append(Content(""))
                self._fields[option.name].add_class("-first")
            names.append(Content(f"  {option.label}"))
            told.append(Content.styled(option.help, "$foreground 62%"))
        with Vertical(id="settings-panel") as panel:
            panel.border_title = Content("settings by hand")
            panel.border_subtitle = Content("esc closes")
            with VerticalScroll(id="settings-rows", can_focus=False), Horizontal(id="settings-table"):
                yield Static(Content("\n").join(names), id="settings-names", markup=False)
                yield Vertical(*self._fields.values(), id="settings-fields")
                yield Static(Content("\n").join(told), id="settings-help", markup=False)
            yield Static(id="settings-told", markup=False)
            with Horizontal(id="settings-buttons"):
                yield Button("All automatic", id="settings-reset", compact=True, tooltip="Empty every field (ctrl+r)")
                yield Button("Done", id="settings-done", variant="primary", compact=True)

    def on_mount(self) -> None:
        self._judge()
        self._first.focus()

    # -- what is typed --------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if isinstance(event.input, OptionInput):
            self._typed[event.input.option.name] = event.value
            self._judge()

    @on(OptionCycle.Changed)
    def _picked(self, event: OptionCycle.Changed) -> None:
        event.stop()
        self._typed[event.name] = event.value
        self._judge()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._judge()

    def _judge(self) -> None:
        """Mark what is impossible, and say why, or what the focused field is."""
        settings, problems = byhand.judge(self._typed)
        for name, field in self._fields.items():
            field.set_class(name in problems, "-invalid")
            field.set_class(name in settings and name not in problems, "-set")
        focused = getattr(self.focused, "option", None)
        if isinstance(focused, Option) and focused.name in problems:
            told = Content.styled(shown(problems[focused.name]), "$error")
        elif problems:
            told = Content.styled(shown(next(iter(problems.values()))), "$error")
        elif isinstance(focused, Option):
            more = "; right completes utf-8, cp949, shift_jis, cp1252, …" if focused.name == "encoding" else ""
            told = Content.styled(focused.told + more, "$foreground 75%")
        else:
            told = Content.styled(self.HELP_TEXT, "$foreground 75%")
        for part in self.query("#settings-told").results(Static):  # none any more when the app is left at once
            part.update(told)

    # -- ending ---------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_close()

    @on(Button.Pressed, "#settings-done")
    def action_close(self) -> None:
        self.dismiss({name: text for name, text in self._typed.items() if text.strip()})

    @on(Button.Pressed, "#settings-reset")
    def action_reset(self) -> None:
        for field in self._fields.values():
            field.value = field.default if isinstance(field, OptionCycle) else ""
        self._typed.clear()
        self._judge()
