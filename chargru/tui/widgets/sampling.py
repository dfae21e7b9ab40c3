"""The settings of sampling as a row of small fields, checked by the very dataclass that sampling uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, HorizontalScroll
from textual.message import Message
from textual.widgets import Input, Label

from chargru.config import SamplingConfig
from chargru.errors import ConfigError
from chargru.tui.formatting import shown
from chargru.tui.messages import CompletionWanted

LENGTH_LIMIT = 20_000  # characters of one completion in the app; the command line has no such limit


@dataclass(frozen=True)
class Field:
    """One setting: its name in SamplingConfig, its label, the width of its field in cells, the step of up and down."""

    name: str
    label: str
    width: int
    step: float
    default: str
    help: str


FIELDS = (
    Field("temperature", "temp", 5, 0.1, "0.8", "0 takes the likeliest character, 1 samples as learned"),
    Field("top_k", "top-k", 4, 5, "0", "draw among the k likeliest only, 0 for all"),
    Field("top_p", "top-p", 5, 0.05, "1.0", "draw among the likeliest that sum to p"),
    Field("length", "length", 6, 50, "200", "characters to write"),
    Field("seed", "seed", 6, 1, "", "seed of the draws; empty: every time another"),
)


def sampling_from(values: dict[str, str], count: int) -> SamplingConfig:
    """The settings typed in these fields.

    Raises:
        ConfigError: a value is no number or out of its range; the message names the field.
    """
    numbers: dict[str, float | int | None] = {}
    for field in FIELDS:
        text = values[field.name].strip().replace(",", ".")
        whole = field.name in ("top_k", "length", "seed")
        if not text and field.name == "seed":
            continue
        try:
            numbers[field.name] = int(text) if whole else float(text)
        except ValueError:
            kind = "a whole number" if whole else "a number"
            raise ConfigError(f"{field.label} must be {kind}, not {text or 'empty'}") from None
    if (length := numbers["length"]) is not None and length > LENGTH_LIMIT:
        raise ConfigError(f"length must be at most {LENGTH_LIMIT:,} here; `chargru sample` has no limit")
    return SamplingConfig(count=count, **numbers)  # type: ignore[arg-type]


class SettingInput(Input):
    """A small number field; up and down change it by a step."""

    HELP = "Up and down change a value.\n" + "\n".join(f"{field.label}: {field.help}." for field in FIELDS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(1)", "More", show=False),
        Binding("down", "step(-1)", "Less", show=False),
    ]

    def __init__(self, field: Field) -> None:
        super().__init__(field.default, id=f"setting-{field.name}", compact=True, max_length=20, tooltip=field.help)
        self.field = field
        self.styles.width = field.width + 1

    def validate_value(self, value: str) -> str:
        return shown(value, newlines=False)

    def action_step(self, direction: int) -> None:
        try:
            number = float(self.value or "0")
        except ValueError:
            number = float(self.field.default or "0")
        stepped = max(number + direction * self.field.step, 0)
        if self.field.name == "top_p":
            stepped = min(stepped, 1.0)
        self.value = f"{stepped:.2f}".rstrip("0").removesuffix(".") if self.field.step < 1 else str(int(stepped))
        self.cursor_position = len(self.value)


class SamplingBar(HorizontalScroll, can_focus=False):
    """The fields side by side. `problem` says which value is impossible, empty when none is."""

    @dataclass
    class Judged(Message):
        """A value changed; `problem` is empty when all are possible."""

        problem: str

    def compose(self) -> ComposeResult:
        for field in FIELDS:
            with Horizontal(classes="setting"):
                yield Label(field.label)
                yield SettingInput(field)

    def sampling(self, count: int) -> SamplingConfig:
        """The settings as they stand. Raises ConfigError."""
        return sampling_from({each.field.name: each.value for each in self.query(SettingInput)}, count)

    def next_seed(self) -> None:
        """Another seed, where one is given: the next re-roll has to differ."""
        seed = self.query_one("#setting-seed", SettingInput)
        if seed.value.strip():
            seed.action_step(1)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        problem = ""
        try:
            self.sampling(1)
        except ConfigError as error:
            problem = error.message
        for each in self.query(SettingInput):
            try:
                sampling_from({**{f.name: f.default for f in FIELDS}, each.field.name: each.value}, 1)
            except ConfigError:
                each.add_class("-invalid")
            else:
                each.remove_class("-invalid")
        self.post_message(self.Judged(problem))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(CompletionWanted())
