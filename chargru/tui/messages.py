"""The app's own messages. They go up only: a widget says what happened, a screen or the app decides what it means."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from chargru.config import TrainRequest
from chargru.events import Event
from chargru.tui.archive import RunRow
from chargru.tui.library import Choice, TextPreview


@dataclass
class TrainingEvents(Message):
    """What the worker told since the last time, oldest first; at most ten of these a second."""

    events: tuple[Event, ...]


@dataclass
class TextChosen(Message):
    """The user's choice of a text changed; an empty spec means back to the library's."""

    spec: str


@dataclass
class StartWanted(Message):
    """Enter or the button: train on what is chosen."""


@dataclass
class TrainingWanted(Message):
    """A screen asks the app to train."""

    request: TrainRequest


@dataclass
class ChoicesRead(Message):
    """The library's entries, read in a thread; or the line that says why not."""

    choices: tuple[Choice, ...]
    problem: str = ""


@dataclass
class PreviewRead(Message):
    """The preview of a text, computed in a thread; or the line that says why not, with its hint."""

    spec: str
    preview: TextPreview | None
    problem: str = ""
    hint: str = ""


@dataclass
class RunsRead(Message):
    """The runs on disk, newest first, read in a thread."""

    runs: tuple[RunRow, ...]
    problem: str = ""


@dataclass
class CompletionBegun(Message):
    """The model is loaded and has read the prompt. `turn` tells answers of an earlier prompt from this one's."""

    turn: int
    model: str
    prompt: str
    notes: tuple[str, ...]


@dataclass
class CompletionGrew(Message):
    """What each completion gained since the last message, about thirty times a second."""

    turn: int
    gained: tuple[str, ...]


@dataclass
class CompletionEnded(Message):
    """All completions are written, or `problem` says why they are not."""

    turn: int
    problem: str = ""
    hint: str = ""


@dataclass
class CompletionAccepted(Message):
    """The user takes one completion into the prompt."""

    index: int


@dataclass
class PlayWanted(Message):
    """A screen asks for the Play screen with a run's model; `run` is its directory."""

    run: str


@dataclass
class CompletionWanted(Message):
    """Enter in the prompt or in a setting."""


@dataclass
class HistoryRead(Message):
    """What the run that goes on told before, read from its directory `run` in a thread."""

    run: str
    events: tuple[Event, ...]


@dataclass
class Problem(Message):
    """Something asked for cannot be done; raw text."""

    problem: str
    hint: str = ""
