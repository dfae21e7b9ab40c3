"""Flags made from the settings: help text, range, choices and default all come from the field's own definition."""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from chargru.config import Settings

if TYPE_CHECKING:
    NumberType = click.ParamType[float]
else:
    NumberType = click.ParamType  # older clicks have no parameter here

Command = TypeVar("Command", bound=Callable[..., Any])

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+|\d+(?:\.\d+)?", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)


class Number(NumberType):
    """A whole or a decimal number in its range, which the error names."""

    name = "number"

    def __init__(self, kind: type[int] | type[float], low: float | None, high: float | None) -> None:
        self.kind = kind
        self.low = low
        self.high = high

    def parse(self, value: str) -> float:
        """The number; ValueError when it is none."""
        return self.kind(value)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = self.parse(value) if isinstance(value, str) else self.kind(value)
        except (ValueError, OverflowError):
            self.fail(f"{str(value)[:60]!r} is not {self.described()}", param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number to work with", param, ctx)
        if self.low is not None and number < self.low:
            self.fail(f"{value} is too small: at least {plain(self.low)}", param, ctx)
        if self.high is not None and number > self.high:
            self.fail(f"{value} is too large: at most {plain(self.high)}", param, ctx)
        return number

    def described(self) -> str:
        return "a whole number" if self.kind is int else "a number"


class Duration(Number):
    """Seconds, or a number with s, m, h or d behind it, or several of these: 90, 30s, 3m, 1h30m."""

    name = "duration"

    def __init__(self, low: float | None, high: float | None) -> None:
        super().__init__(float, low, high)

    def parse(self, value: str) -> float:
        text = value.strip().lower()
        if not _DURATION.fullmatch(text):
            raise ValueError(value)
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))

    def described(self) -> str:
        return "a duration such as 90, 30s, 3m or 1h30m"


def plain(number: float) -> str:
    """A bound of a range: 0.95, 8192, 200000."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e12 else f"{number:g}"


def options_from(
    settings: type[Settings],
    *names: str,
    flags: Mapping[str, tuple[str, ...]] | None = None,
    shown: Mapping[str, str] | None = None,
    metavars: Mapping[str, str] | None = None,
) -> Callable[[Command], Command]:
    """A decorator that gives a command one option for each named field (all fields if none is named).

    Args:
        settings: the dataclass that defines the fields.
        names: which of them, in the order of the help page.
        flags: other spellings than `--field-name`; the first is the one that is shown first.
        shown: what stands for the default in the help when the default itself says little.
        metavars: what stands for the value in the help, where TEXT would say little.
    """
    hints = typing.get_type_hints(settings)
    fields = {each.name: each for each in dataclasses.fields(settings)}  # type: ignore[arg-type]

    def decorate(command: Command) -> Command:
        for name in reversed(names or tuple(fields)):
            spelled = (flags or {}).get(name, (f"--{name.replace('_', '-')}",))
            metavar = (metavars or {}).get(name, "TEXT")
            command = _option(name, spelled, hints[name], fields[name], (shown or {}).get(name), metavar)(command)
        return command

    return decorate


def _option(
    name: str, spelled: tuple[str, ...], hint: Any, field: dataclasses.Field[Any], shown: str | None, metavar: str
) -> Callable[[Command], Command]:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    metadata = field.metadata
    help = metadata["help"][:1].upper() + metadata["help"][1:]
    if bool in kinds:
        return click.option(*spelled, name, is_flag=True, default=field.default, help=f"{help}.")
    low, high = metadata["low"], metadata["high"]
    kind: click.ParamType[Any]
    if name == "time":
        kind, metavar = Duration(low, high), "TIME"
        help += "; 90, 30s, 3m, 1h30m"
    elif metadata["choices"]:
        kind, metavar = click.Choice(metadata["choices"]), "|".join(metadata["choices"])
    elif float in kinds or int in kinds:
        kind = Number(float if float in kinds else int, low, high)
        metavar = "F" if float in kinds else "N"
        help += _range(low, high)
    else:
        kind = click.STRING
    if shown is None and field.default not in (None, ""):
        shown = plain(field.default) if isinstance(field.default, int | float) else str(field.default)
    ending = f".  [default: {shown}]" if shown else "."
    return click.option(*spelled, name, type=kind, default=field.default, metavar=metavar, help=help + ending)


def _range(low: float | None, high: float | None) -> str:
    """The range as it is worth reading: bounds that only keep nonsense out are left unsaid."""
    if low is None or high is None:
        return ""
    if high < 1e5:
        return f", {plain(low)} to {plain(high)}"
    return f", at least {plain(low)}" if low >= 1 else ""


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().obj.debug = True


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set_debug,
    help="Show the traceback of a failure.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="JSON, one object a line, and nothing else on stdout."
)
out_option = click.option("--out", metavar="DIR", help="Directory in which runs are kept, if not the usual one.")
