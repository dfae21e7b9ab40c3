"""How long to train: three usual times or one of the user's own."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, RadioButton, RadioSet

from chargru.tui.formatting import parse_budget, shown
from chargru.tui.messages import StartWanted

TIMES: tuple[tuple[str, float | None], ...] = (("30 s", 30.0), ("3 min", 180.0), ("10 min", 600.0), ("custom", None))
USUAL = 1


class TimeInput(Input):
    """A time typed by hand: 90s, 5m, 1:30, 2h."""

    HELP = "How long to train: 90s, 5m, 1:30 or 2h."

    def __init__(self) -> None:
        super().__init__("5m", id="budget-custom", compact=True, max_length=12)

    def validate_value(self, value: str) -> str:
        return shown(value, newlines=False)


class TimeButton(RadioButton):
    """A radio button that tells by its glyph, not only by its colour, whether it is the one."""

    BUTTON_LEFT = ""
    BUTTON_RIGHT = ""

    def __init__(self, name: str, value: bool) -> None:
        super().__init__(name, value, compact=True)
        self.BUTTON_INNER = "●" if value else "○"

    def watch_value(self) -> None:
        self.BUTTON_INNER = "●" if self.value else "○"
        super().watch_value()


class BudgetPicker(Horizontal):
    """The row of times and the button that starts."""

    HELP = "The time that training may take. Sizes are chosen for it, for the text and for this machine."
    PROBLEM: ClassVar[str] = "a time looks like 90s, 3m or 1:30"

    def compose(self) -> ComposeResult:
        yield Label("train for", id="budget-label")
        with RadioSet(id="budget-times", compact=True):
            for index, (name, _) in enumerate(TIMES):
                yield TimeButton(name, index == USUAL)
        yield TimeInput()
        yield Label("", id="budget-problem", markup=False)
        yield Label("sizes are chosen for the text, the time and this machine", id="budget-hint")
        yield Button("Start ⏎", id="start", variant="primary", compact=True)

    def on_mount(self) -> None:
        self._show_custom()

    def seconds(self) -> float:
        """The time chosen.

        Raises:
            ValueError: the custom time is none.
        """
        index = self.query_one(RadioSet).pressed_index
        chosen = TIMES[index][1] if index >= 0 else TIMES[USUAL][1]
        return parse_budget(self.query_one(TimeInput).value) if chosen is None else chosen

    @on(RadioSet.Changed)
    def _picked(self, event: RadioSet.Changed) -> None:
        event.stop()
        self._show_custom()
        if TIMES[event.index][1] is None:
            self.query_one(TimeInput).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._judge()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(StartWanted())

    @on(Button.Pressed, "#start")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(StartWanted())

    def _show_custom(self) -> None:
        index = self.query_one(RadioSet).pressed_index
        self.query_one(TimeInput).display = index >= 0 and TIMES[index][1] is None
        self._judge()

    def _judge(self) -> None:
        field = self.query_one(TimeInput)
        problem = ""
        if field.display:
            try:
                parse_budget(field.value)
            except ValueError as error:
                problem = str(error)
        field.set_class(bool(problem), "-invalid")
        self.query_one("#budget-problem", Label).update(problem)
