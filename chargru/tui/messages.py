"""The app's own messages. They go up only: a widget says what happened, a screen or the app decides what it means."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from chargru.config import TrainRequest
from chargru.events import Event
from chargru.tui.archive import RunCurves, RunRow
from chargru.tui.library import Choice, Outlook, TextPreview
from chargru.tui.models import CopiedText, Ranked


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
    """The texts of the library and the recent ones, read in a thread; or the line that says why not."""

    choices: tuple[Choice, ...]
    problem: str = ""


@dataclass
class ChoiceLearned(Message):
    """What a look into a text of the table found out about it."""

    choice: Choice


@dataclass
class ForecastRead(Message):
    """What a training will be like; None where nothing can be said. `turn` tells it from answers to older questions."""

    turn: int
    outlook: Outlook | None


@dataclass
class PathPasted(Message):
    """A path was pasted or dropped where no path is typed."""

    text: str


@dataclass
class BudgetChanged(Message):
    """Another time, as it is remembered: "30 s" or what was typed."""

    budget: str


@dataclass
class SettingsWanted(Message):
    """The user wants to see or change the settings given by hand."""


@dataclass
class PreviewRead(Message):
    """The preview of a text, computed in a thread; or the line that says why not, with its hint."""

    spec: str
    preview: TextPreview | None
    problem: str = ""
    hint: str = ""
    turn: int = 0  # tells it from answers to older questions
    bad_bytes: int = 0  # bytes that could be replaced, if that is the problem


@dataclass
class RunsRead(Message):
    """The runs on disk, newest first, read in a thread."""

    runs: tuple[RunRow, ...]
    problem: str = ""


@dataclass(frozen=True)
class NextCharacter:
    """A character that may come next, raw, and how likely the model finds it."""

    character: str
    probability: float


@dataclass
class PromptRead(Message):
    """The model has read the prompt `text`: how it read it, nats of each character of it (None where unknown), what it
    expects at the cursor; or `problem` says why not. `turn` tells answers of an earlier prompt from this one's.
    """

    turn: int
    text: str
    notes: tuple[str, ...] = ()
    nats: tuple[float | None, ...] = ()
    likeliest: tuple[NextCharacter, ...] = ()
    model: str = ""
    problem: str = ""
    hint: str = ""


@dataclass
class GhostSeen(Message):
    """How the model would go on after the prompt; a longer one may follow."""

    turn: int
    ghost: str


@dataclass
class RunsLooked(Message):
    """The runs as they are now, with the curves of those that are shown and why these do not compare.

    `turn` tells answers to an older question from this one's.
    """

    turn: int
    runs: tuple[RunRow, ...]
    curves: tuple[RunCurves, ...] = ()
    differences: tuple[str, ...] = ()
    problem: str = ""


@dataclass
class RunsChanged(Message):
    """Something was done to runs: it is told, and the list is read again. `run` is a path to put the cursor on; `was`
    is the path that it had before it was renamed.
    """

    told: str
    run: str = ""
    severity: str = "information"
    was: str = ""


@dataclass
class WatchWanted(Message):
    """A screen asks to watch a run that another process trains; `run` is its directory, `who` trains it."""

    run: str
    who: str


@dataclass
class CompletionBegun(Message):
    """The model is loaded and has read the prompt. `turn` tells answers of an earlier prompt from this one's."""

    turn: int
    model: str
    prompt: str
    notes: tuple[str, ...]


@dataclass
class CompletionGrew(Message):
    """What each completion gained since the last message, about thirty times a second, and its characters' nats."""

    turn: int
    gained: tuple[str, ...]
    nats: tuple[tuple[float, ...], ...] = ()


@dataclass
class CompletionEnded(Message):
    """All completions are written and ranked, or `problem` says why they are not."""

    turn: int
    problem: str = ""
    hint: str = ""
    ranking: tuple[Ranked, ...] = ()


@dataclass
class CopiesFound(Message):
    """What stands verbatim in the training text, for every completion of the turn; or `problem` says why not."""

    turn: int
    found: tuple[CopiedText, ...] = ()
    problem: str = ""
    hint: str = ""


@dataclass
class CompletionAccepted(Message):
    """The user takes one completion into the prompt; `go_on` completes the new prompt at once."""

    index: int
    go_on: bool = False


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
