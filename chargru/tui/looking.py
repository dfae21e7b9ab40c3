"""From a text to messages: what the Corpus screen hears of it. Runs in threads and knows no widget."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chargru.errors import ChargruError
from chargru.tui import paths
from chargru.tui.formatting import one_line
from chargru.tui.library import Choice, Library, learned
from chargru.tui.messages import ChoiceLearned, ChoicesRead, ForecastRead, PreviewRead

RECENT = 12  # texts of one's own that are remembered


def table(library: Library, recent: Sequence[str]) -> ChoicesRead:
    """The texts of the library and the recent ones; nothing large is read."""
    try:
        return ChoicesRead((*library.choices(), *library.recent(recent)))
    except (ChargruError, OSError) as error:
        return ChoicesRead((), str(error))


def facts(library: Library, choices: Sequence[Choice], cancelled: Callable[[], bool]) -> Iterator[ChoiceLearned]:
    """What is not known cheaply of these texts, one after another."""
    for choice in choices:
        if cancelled():
            return
        try:
            yield ChoiceLearned(learned(choice, library.preview(choice.spec)))
        except ChargruError as error:  # its preview says why, when it is chosen
            yield ChoiceLearned(replace(choice, problem="damaged" if getattr(error, "bad_bytes", 0) else "no text"))
        except OSError:
            continue


def preview(library: Library, turn: int, spec: str, reading: Mapping[str, Any]) -> PreviewRead:
    """A text at a glance, read with these arguments of `Library.preview`; or why it cannot be read."""
    try:
        return PreviewRead(spec, library.preview(spec, **reading), turn=turn)
    except ChargruError as error:
        return PreviewRead(spec, None, error.message, error.hint, turn, getattr(error, "bad_bytes", 0))
    except OSError as error:
        return PreviewRead(spec, None, error.strerror or str(error), turn=turn)
    except MemoryError:
        return PreviewRead(spec, None, "out of memory", "train on a part of it", turn)


def forecast(
    library: Library,
    turn: int,
    spec: str,
    seconds: float,
    settings: Mapping[str, Any],
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[ForecastRead]:
    """What a training will be like, at a glance and then, some seconds later, after a closer look.

    Nothing where the text cannot be read, which its preview tells.
    """
    try:
        outlook = library.forecast(spec, seconds, settings)
    except (ChargruError, OSError, MemoryError):
        outlook = None
    yield ForecastRead(turn, outlook)
    if outlook is None or outlook.closely:
        return
    try:
        closer = library.forecast(spec, seconds, settings, closely=True, should_stop=cancelled)
    except (ChargruError, OSError, MemoryError):
        closer = None
    yield ForecastRead(turn, closer or replace(outlook, closely=True))


def first_choice(choices: Sequence[Choice], last: str) -> tuple[str, str]:
    """(what to choose when the app opens, what to tell about it): the text of the last time, if it is still there.

    Empty for the first text of the table. Looks at no disk: a path that is not listed is tried, and its preview says
    whether it can be read.
    """
    listed = next((each for each in choices if each.spec == last), None)
    if listed is not None and listed.problem:
        return "", f"{one_line(last, 60)}, the text of the last time, is {listed.problem}"
    if listed is not None or "/" in last or os.sep in last:
        return last, ""
    return "", f"{one_line(last, 60)}, the text of the last time, is not in the library any more" if last else ""


def lasting(choices: Sequence[Choice], spec: str) -> str:
    """What names the text the next time too, from wherever the app is started: a library's name, an absolute path."""
    return spec if in_library(choices, spec) else paths.absolute(spec)


def in_library(choices: Sequence[Choice], spec: str) -> bool:
    """Whether it is a text of the library, rather than one of the user's own."""
    return any(each.spec == spec and not each.recent for each in choices)


def remembered(recent: Sequence[str], path: str) -> tuple[str, ...]:
    """The recent texts when one more was trained on: the newest first, each once, not too many."""
    return (path, *(each for each in recent if each != path))[:RECENT]
