"""The settings of a training that a user may give by hand, made from the fields of TrainRequest and checked by it.

A field of TrainRequest that nobody thought of here still appears, under "more".
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chargru.config import TrainRequest
from chargru.errors import ChargruError, ConfigError

# Fields that are chosen in another place of the app, and where.
ELSEWHERE = {
    "corpus": "the text is chosen on the Corpus screen",
    "resume": "a run goes on from the Runs screen",
    "out": "the directory of the runs is given when the app starts",
    "pilot": "the Corpus screen made it for its forecast",
    "time": "the time is chosen under the texts",
}
# Fields that are about one text and are forgotten with it.
OF_TEXT = ("encoding", "replace_bad_bytes")
# A budget of these takes the place of the time.
BUDGETS = ("steps", "epochs")
_GROUPS = (
    ("instead of the time", BUDGETS),
    ("network", ("hidden_size", "num_layers")),
    ("this text", OF_TEXT),
    ("run", ("name", "sample_prompt", "seed", "evaluations", "val_fraction")),
    ("learning", ("learning_rate", "batch_size", "seq_len", "clip_norm", "averaging")),
    ("against overfitting", ("dropout", "weight_drop", "weight_decay", "state_reset")),
    ("machine", ("threads", "backend", "precision")),
)
_MORE = "more"
_DIGITS = 40  # of a whole number; no setting needs half as many


@dataclass(frozen=True)
class Option:
    """One setting: its name in TrainRequest, the group it is shown in, what it is, and what it may be."""

    name: str
    group: str
    help: str
    kind: type  # bool, int, float or str
    default: Any
    low: float | None
    high: float | None
    choices: tuple[str, ...]

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")

    @property
    def told(self) -> str:
        """What it is and what it may be, in one line."""
        bounds = ""
        if self.low is not None and self.high is not None:
            bounds = f", {_number(self.low)} to {_number(self.high)}"
        if self.choices:
            bounds = f", {' or '.join(self.choices)}"
        return f"{self.help}{bounds}"


@functools.cache
def options() -> tuple[Option, ...]:
    """All settings that can be given by hand, group by group."""
    hints = typing.get_type_hints(TrainRequest)
    fields = {each.name: each for each in dataclasses.fields(TrainRequest) if each.name not in ELSEWHERE}
    groups = {name: group for group, names in _GROUPS for name in names}
    order = [*(name for name in groups if name in fields), *(name for name in fields if name not in groups)]
    return tuple(_option(fields[name], hints[name], groups.get(name, _MORE)) for name in order)


def parse(option: Option, text: str) -> Any:
    """The value that was typed; the default for an empty field.

    Raises:
        ChargruError: it is impossible; the message is the one of the setting itself.
    """
    cleaned = text if option.name == "sample_prompt" else text.strip()
    if not cleaned:
        return option.default
    value: Any = cleaned
    try:
        if option.kind is bool:
            value = {"yes": True, "no": False}[cleaned]
        elif option.kind is int:
            value = int(cleaned.replace(",", "")) if len(cleaned) <= _DIGITS else int("too long")
        elif option.kind is float:
            value = float(cleaned.replace(",", "."))
    except (ValueError, KeyError):
        words = {int: "a whole number", float: "a number", bool: "yes or no"}
        raise ConfigError(f"{option.name} must be {words[option.kind]}, not {cleaned[:40]!r}") from None
    TrainRequest(corpus="x", **{option.name: value})
    if option.name == "encoding":
        from chargru.text.decoding import check_encoding

        check_encoding(value)
    return value


def judge(typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """(settings that differ from their defaults, problems by field) of what was typed into the fields."""
    settings: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for option in options():
        try:
            value = parse(option, typed.get(option.name, ""))
        except ChargruError as error:
            problems[option.name] = error.message + (f" ({error.hint})" if error.hint else "")
        else:
            if value != option.default:
                settings[option.name] = value
    try:
        TrainRequest(corpus="x", **settings)
    except ConfigError as error:  # settings at odds with each other: each of them alone is possible
        for name in [each for each in settings if each in error.message.replace(",", " ").split()] or list(settings):
            problems[name] = error.message
    return settings, problems


def summary(typed: Mapping[str, str], short: bool = False) -> str:
    """How many settings are given by hand, or that one of them is impossible; empty for none."""
    settings, problems = judge(typed)
    count, kind = (len(problems), "impossible") if problems else (len(settings), "by hand")
    if not count:
        return ""
    if short:
        return f"{count} {kind}"
    return f"{count} setting{'' if count == 1 else 's'} {'that cannot be' if problems else kind}"


def instead_of_time(settings: Mapping[str, Any]) -> str:
    """The budget by hand that takes the place of the time, as "20 steps"; empty where there is none."""
    for name in BUDGETS:
        if name in settings:
            return f"{settings[name]:,} {name}" if isinstance(settings[name], int) else f"{settings[name]:g} {name}"
    return ""


def request(spec: str, typed: Mapping[str, str], seconds: Callable[[], float], out: str | None) -> TrainRequest:
    """What to ask of training; `seconds` is asked for where no other budget is given.

    Raises:
        ValueError: a setting is impossible, or the time is.
    """
    settings, problems = judge(typed)
    if problems:
        raise ValueError(next(iter(problems.values())))
    if not instead_of_time(settings):
        settings["time"] = seconds()
    return TrainRequest(corpus=spec, out=out, **settings)


class Typed:
    """The settings by hand, as they were typed: most are for every text, those of `OF_TEXT` for one."""

    def __init__(self) -> None:
        self._general: dict[str, str] = {}
        self._of_text: dict[str, dict[str, str]] = {}

    def of(self, spec: str) -> dict[str, str]:
        """All that hold for this text, by field."""
        return {**self._general, **self.reading(spec)}

    def reading(self, spec: str) -> dict[str, str]:
        """Those that say how this text is read."""
        return self._of_text.get(spec, {})

    def put(self, spec: str, typed: Mapping[str, str]) -> bool:
        """Take these in place of all that held for this text; whether it is read differently now."""
        before = self.reading(spec)
        self._of_text[spec] = {name: text for name, text in typed.items() if name in OF_TEXT}
        self._general = {name: text for name, text in typed.items() if name not in OF_TEXT}
        return self._of_text[spec] != before

    def toggle(self, spec: str, name: str) -> None:
        """Turn a setting of this text on that is a yes or no, or off again."""
        reading = self._of_text.setdefault(spec, {})
        if reading.pop(name, None) is None:
            reading[name] = "yes"


def _option(field: dataclasses.Field[Any], hint: Any, group: str) -> Option:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    metadata = field.metadata
    return Option(
        name=field.name,
        group=group,
        help=metadata.get("help", ""),
        kind=next(kind for kind in (bool, int, float, str) if kind in kinds),
        default=field.default,
        low=metadata.get("low"),
        high=metadata.get("high"),
        choices=tuple(metadata.get("choices") or ()),
    )


def _number(value: float) -> str:
    """A bound in few characters: 0.95, 8192, 10^9."""
    if abs(value) >= 1e6:
        return f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:g}"
