"""The settings of sampling as a row of small fields, checked by the very dataclass that sampling uses."""

from __future__ import annotations

import math
from collections.abc import Mapping
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

MOST = 8  # completions side by side
LENGTH_LIMIT = 20_000  # characters of one completion in the app; the command line has no such limit


@dataclass(frozen=True)
class Field:
    """One setting: its name in SamplingConfig, its label and a short one, the width of its field in cells, the step of
    up and down, the least and the most that it takes here.
    """

    name: str
    label: str
    short: str
    width: int
    step: float
    default: str
    help: str
    low: float = 0
    high: float = math.inf

    @property
    def whole(self) -> bool:
        """A whole number, not a fraction."""
        return self.name in ("top_k", "length", "count", "seed")


FIELDS = (
    Field("temperature", "temp", "temp", 4, 0.1, "0.8", "0 takes the likeliest character, 1 samples as learned"),
    Field("top_k", "top-k", "k", 3, 5, "0", "draw among the k likeliest only, 0 for all"),
    Field("top_p", "top-p", "p", 4, 0.05, "1.0", "draw among the likeliest that sum to p", high=1),
    Field("min_p", "min-p", "min", 4, 0.01, "0.0", "drop what is less likely than this part of the likeliest", high=1),
    Field("length", "length", "len", 5, 50, "200", "characters to write", high=LENGTH_LIMIT),
    Field("count", "count", "×", 2, 1, "3", "completions side by side, 1 to 8", low=1, high=MOST),
    Field("seed", "seed", "seed", 6, 1, "", "seed of the draws; empty: every time another, shown dimly"),
    Field("stop", "stop", "stop", 5, 0, "", "end a completion after this text; \\n is a line break"),
)
REMEMBERED = tuple(field.name for field in FIELDS if field.name != "seed")


def sampling_from(values: dict[str, str]) -> SamplingConfig:
    """The settings typed in these fields.

    Raises:
        ConfigError: a value is no number or out of its range; the message names the field.
    """
    settings: dict[str, float | int | str | None] = {}
    for field in FIELDS:
        if field.name == "stop":
            settings["stop"] = values["stop"].replace("\\n", "\n").replace("\\t", "\t") or None
            continue
        text = values[field.name].strip().replace(",", ".")
        if not text and field.name == "seed":
            continue
        try:
            number = int(text) if field.whole else float(text)
        except ValueError:
            kind = "a whole number" if field.whole else "a number"
            raise ConfigError(f"{field.label} must be {kind}, not {text or 'empty'}") from None
        if field.name == "length" and number > LENGTH_LIMIT:
            raise ConfigError(f"length must be at most {LENGTH_LIMIT:,} here; `chargru sample` has no limit")
        if field.name == "count" and number > MOST:
            raise ConfigError(f"count must be at most {MOST} here; `chargru sample` has no limit")
        settings[field.name] = number
    try:
        return SamplingConfig(**settings)  # type: ignore[arg-type]
    except ConfigError as error:
        name, _, rest = error.message.partition(" ")  # as its label is written
        raise ConfigError(f"{name.replace('_', '-')} {rest}", error.hint) from None


def typed(name: str, value: float | int | str) -> str:
    """A remembered value as it would be typed."""
    if isinstance(value, str):
        return value.replace("\n", "\\n").replace("\t", "\\t")
    text = f"{value:g}"
    return text if "." in text or name not in ("temperature", "top_p", "min_p") else f"{text}.0"


class SettingInput(Input):
    """A small field; up and down change a number by a step."""

    HELP = "Up and down change a value.\n" + "\n".join(f"{field.label}: {field.help}." for field in FIELDS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(1)", "More", show=False),
        Binding("down", "step(-1)", "Less", show=False),
    ]

    def __init__(self, field: Field, value: str) -> None:
        super().__init__(value, id=f"setting-{field.name}", compact=True, max_length=20, tooltip=field.help)
        self.field = field
        self.styles.width = field.width + 1

    def validate_value(self, value: str) -> str:
        return shown(value, newlines=False)

    def action_step(self, direction: int) -> None:
        field = self.field
        if not field.step:
            return
        try:
            number = float(self.value or "0")
        except ValueError:
            number = float(field.default or "0")
        stepped = min(max(number + direction * field.step, field.low), field.high)
        if field.whole:
            self.value = str(int(stepped))
        else:
            self.value = f"{stepped:.2f}".rstrip("0").removesuffix(".")
        self.cursor_position = len(self.value)


class SamplingBar(HorizontalScroll, can_focus=False):
    """The fields side by side, with short labels where room is short."""

    ROOMY = 118  # cells from which the whole labels fit

    @dataclass
    class Judged(Message):
        """A value changed; `problem` says which is impossible, empty when none is, and then `sampling` has them all."""

        problem: str
        sampling: SamplingConfig | None

    def __init__(self, values: Mapping[str, float | int | str], *, id: str | None = None) -> None:
        """`values` are what the fields begin with, by name; what is not in it begins with its default."""
        super().__init__(id=id)
        self._values = {field.name: field.default for field in FIELDS}
        self._values |= {name: typed(name, value) for name, value in values.items()}

    def compose(self) -> ComposeResult:
        for field in FIELDS:
            with Horizontal(classes="setting"):
                yield Label(field.label, markup=False)
                yield SettingInput(field, self._values[field.name])

    def on_resize(self) -> None:
        roomy = self.size.width >= self.ROOMY
        for field, label in zip(FIELDS, self.query(Label), strict=True):
            label.update(field.label if roomy else field.short)

    def sampling(self) -> SamplingConfig:
        """The settings as they stand. Raises ConfigError."""
        return sampling_from({each.field.name: each.value for each in self.query(SettingInput)})

    def next_seed(self) -> None:
        """Another seed, where one is given: the next re-roll has to differ."""
        seed = self.query_one("#setting-seed", SettingInput)
        if seed.value.strip():
            seed.action_step(1)

    def show_seed(self, seed: int) -> None:
        """Show the seed that was drawn where none is given."""
        self.query_one("#setting-seed", SettingInput).placeholder = f"{seed:d}"

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        problem, sampling = "", None
        try:
            sampling = self.sampling()
        except ConfigError as error:
            problem = error.message
        for each in self.query(SettingInput):
            try:
                sampling_from({**{f.name: f.default for f in FIELDS}, each.field.name: each.value})
            except ConfigError:
                each.add_class("-invalid")
            else:
                each.remove_class("-invalid")
        self.post_message(self.Judged(problem, sampling))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(CompletionWanted())
