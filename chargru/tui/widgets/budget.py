"""How long to train: three usual times or one of the user's own; what is set by hand; and the button that starts."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Label, RadioButton, RadioSet

from chargru.tui.formatting import parse_budget, shown
from chargru.tui.glyphs import glyphs
from chargru.tui.messages import BudgetChanged, PathPasted, SettingsWanted, StartWanted
from chargru.tui.paths import looks_like_path

TIMES: tuple[tuple[str, float | None], ...] = (("30 s", 30.0), ("3 min", 180.0), ("10 min", 600.0), ("custom", None))
USUAL = 1


class TimeInput(Input):
    """A time typed by hand: 90s, 5m, 1:30, 2h."""

    HELP = "How long to train: 90s, 5m, 1:30 or 2h."

    def __init__(self, value: str) -> None:
        super().__init__(value, id="budget-custom", compact=True, max_length=12)

    def validate_value(self, value: str) -> str:
        return shown(value, newlines=False)

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        if looks_like_path(event.text):
            event.stop()
            self.post_message(PathPasted(event.text))
        else:
            super()._on_paste(event)


def remembered_time(budget: str) -> tuple[int, str]:
    """(which of TIMES, what stands in the field for a custom one) for a time as it was remembered."""
    names = [name for name, _ in TIMES[:-1]]
    if budget in names:
        return names.index(budget), "5m"
    try:
        parse_budget(budget)
    except ValueError:
        return USUAL, "5m"
    return len(names), budget


class TimeButton(RadioButton):
    """A radio button that tells by its glyph, not only by its colour, whether it is the one."""

    BUTTON_LEFT = ""
    BUTTON_RIGHT = ""

    def __init__(self, name: str, value: bool) -> None:
        super().__init__(name, value, compact=True)
        self._mark()

    def on_mount(self) -> None:
        self._mark()

    def watch_value(self) -> None:
        self._mark()
        super().watch_value()

    def _mark(self) -> None:
        marks = glyphs(getattr(self.app, "plain", False)) if self.is_attached else glyphs(False)
        self.BUTTON_INNER = marks.on if self.value else marks.off


class BudgetPicker(Horizontal):
    """The row of times, the settings by hand, and the button that starts."""

    HELP = (
        "The time that training may take. Sizes are chosen for it, for the text and for this machine; settings by hand "
        "(a) go before."
    )
    PROBLEM: ClassVar[str] = "a time looks like 90s, 3m or 1:30"

    def __init__(self, budget: str = "", *, id: str | None = None) -> None:
        """`budget` is a time as it was remembered; one that is no time is the usual one."""
        super().__init__(id=id)
        self._first, self._typed_first = remembered_time(budget)

    def compose(self) -> ComposeResult:
        yield Label("train for", id="budget-label")
        with RadioSet(id="budget-times", compact=True):
            for index, (name, _) in enumerate(TIMES):
                yield TimeButton(name, index == self._first)
        yield TimeInput(self._typed_first)
        yield Label("", id="budget-room", markup=False)
        yield Button("settings", id="by-hand", compact=True, tooltip="Every setting of the training, by hand (a)")
        yield Button("Start ⏎", id="start", variant="primary", compact=True, tooltip="Train on the chosen text (Enter)")

    def on_mount(self) -> None:
        if getattr(self.app, "plain", False):
            self.query_one("#start", Button).label = "Start"
        self._show_custom()

    # -- the time -------------------------------------------------------------------------------------------------

    def pick(self, index: int) -> None:
        """Press one of the buttons."""
        list(self.query(TimeButton))[index].value = True

    @property
    def index(self) -> int:
        """Which of TIMES is chosen."""
        pressed = self.query_one(RadioSet).pressed_index
        return pressed if pressed >= 0 else self._first

    @property
    def problem(self) -> str:
        """Why the time typed by hand is none, or empty."""
        try:
            self.seconds()
        except ValueError as error:
            return str(error)
        return ""

    def seconds(self) -> float:
        """The time chosen.

        Raises:
            ValueError: the custom time is none.
        """
        chosen = TIMES[self.index][1]
        return parse_budget(self.query_one(TimeInput).value) if chosen is None else chosen

    def by_hand(self, summary: str, impossible: bool, instead: bool) -> None:
        """Say what is set by hand; `instead`: among it a budget that takes the place of the time."""
        button = self.query_one("#by-hand", Button)
        button.label = Content(summary or "settings")
        button.refresh(layout=True)
        button.set_class(bool(summary), "-set")
        button.set_class(impossible, "-impossible")
        self.query_one(RadioSet).set_class(instead, "-unused")

    @on(RadioSet.Changed)
    def _picked(self, event: RadioSet.Changed) -> None:
        event.stop()
        self._show_custom()
        if TIMES[event.index][1] is None:
            self.query_one(TimeInput).focus()
        self._changed()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._judge()
        self._changed()

    def _changed(self) -> None:
        name, seconds = TIMES[self.index]
        self.post_message(BudgetChanged(self.query_one(TimeInput).value.strip() if seconds is None else name))

    def _show_custom(self) -> None:
        custom = TIMES[self.index][1] is None
        self.query_one(TimeInput).display = custom
        self.set_class(custom, "-custom")
        self._judge()

    def _judge(self) -> None:
        self.query_one(TimeInput).set_class(bool(self.problem), "-invalid")

    # -- starting -------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(StartWanted())

    @on(Button.Pressed, "#start")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(StartWanted())

    @on(Button.Pressed, "#by-hand")
    def _open_settings(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(SettingsWanted())
