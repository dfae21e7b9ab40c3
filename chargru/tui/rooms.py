"""The doors to the other rooms of the house. All of them open on first use, so the first frame waits for none.

Screens see the small records below and the two protocols; tests bring rooms of their own. Everything here may touch
disks and is called from threads, never from the event loop.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from chargru.config import SamplingConfig, TrainRequest
from chargru.errors import ChargruError, RunError
from chargru.events import Event, from_record
from chargru.tui.formatting import nats, shape, whole

if TYPE_CHECKING:
    from chargru.storage.run import Run


@dataclass(frozen=True)
class Choice:
    """A text that can be picked by name."""

    spec: str
    title: str
    description: str
    characters: int | None


@dataclass(frozen=True)
class TextPreview:
    """What is shown of a text before it is trained on. All strings are raw."""

    name: str
    lines: tuple[str, ...]
    characters: int
    vocabulary: int
    encoding: str
    scripts: tuple[str, ...]
    notes: tuple[str, ...]
    whole: bool  # False: only the first part was read, so `characters` is estimated and `vocabulary` a lower bound


@dataclass(frozen=True)
class RunRow:
    """A run on disk, as the table of runs shows it."""

    name: str
    path: str
    corpus: str
    shape: str
    step: int | None
    best_loss: float | None
    when: str  # ISO time
    problem: str = ""


class Reading(Protocol):
    """How the model reads a prompt."""

    @property
    def text(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


class Stream(Protocol):
    """Completions on their way: each item is what every one of them gained."""

    @property
    def reading(self) -> Reading: ...

    def __iter__(self) -> Iterator[list[str]]: ...


class Model(Protocol):
    """A model that completes prompts."""

    def stream(self, prompt: str, sampling: SamplingConfig) -> Stream: ...


class Library(Protocol):
    """The texts there are."""

    def choices(self) -> list[Choice]: ...

    def preview(self, spec: str) -> TextPreview: ...


class Models(Protocol):
    """The runs there are and the models in them."""

    def runs(self) -> list[RunRow]: ...

    def newest(self, run: str) -> Path:
        """The checkpoint to play with: of a run's directory the best, of a file the file."""

    def open(self, checkpoint: Path) -> Model: ...

    def describe(self, checkpoint: Path) -> str:
        """The model in one line: 'model at step 1,840 · validation loss 1.71'."""

    def going_on(self, run: str, out: str | None) -> TrainRequest:
        """The request that goes on training the run; one that has spent its budget gets as much again."""

    def history(self, run: str) -> list[Event]:
        """What the run's training told before, oldest first; what is unreadable is left out."""


class HouseLibrary:
    """`chargru.text.library`, as the Corpus screen wants it."""

    def choices(self) -> list[Choice]:
        from chargru.text import library

        return [Choice(entry.name, entry.title, entry.description, entry.characters) for entry in library.entries()]

    def preview(self, spec: str) -> TextPreview:
        from chargru.text import library

        found = library.preview(spec)
        return TextPreview(
            found.name,
            found.lines,
            found.characters,
            found.vocab_size,
            found.encoding,
            found.scripts,
            found.notes,
            found.complete,
        )


class HouseModels:
    """`chargru.storage.runs` and `chargru.completion`, as the Play and Runs screens want them."""

    def __init__(self, out: str | None = None) -> None:
        self._out = out

    def runs(self) -> list[RunRow]:
        from chargru.storage.runs import list_runs, runs_root

        return [self._row(run) for run in list_runs(runs_root(self._out))]

    def newest(self, run: str) -> Path:
        from chargru.storage.runs import find_model, runs_root

        return find_model(str(Path(run).absolute()), runs_root(self._out))

    def open(self, checkpoint: Path) -> Model:
        from chargru.completion.completer import Completer

        return Completer.from_checkpoint(checkpoint)

    def describe(self, checkpoint: Path) -> str:
        from chargru.storage.checkpoint import peek

        told = peek(checkpoint)
        loss = f" · validation loss {nats(told.val_loss)}" if told.val_loss is not None else ""
        return f"model at step {whole(told.step)}{loss}"

    def going_on(self, run: str, out: str | None) -> TrainRequest:
        from chargru.storage.checkpoint import peek
        from chargru.storage.run import Run

        files = Run.open(run).checkpoints()
        if not files:
            raise RunError("this run has no checkpoint to go on from", "train its text anew")
        told = peek(files[-1])
        plan = told.training
        more: dict[str, Any] = {}
        if plan.time is not None and told.seconds > 0.97 * plan.time:
            more["time"] = told.seconds + plan.time
        elif plan.steps is not None and told.step >= plan.steps:
            more["steps"] = told.step + plan.steps
        elif plan.epochs is not None:
            streams = max(told.corpus.characters * (1 - plan.val_fraction), 1)
            done = told.step * plan.batch_size * plan.seq_len / streams
            if done > 0.97 * plan.epochs:
                more["epochs"] = done + plan.epochs
        return TrainRequest(resume=run, out=out, **more)

    def history(self, run: str) -> list[Event]:
        from chargru.storage.run import Run

        events: list[Event] = []
        with contextlib.suppress(ChargruError):
            for record in Run.open(run).metrics():
                with contextlib.suppress(ValueError):
                    events.append(from_record(record))
        return events

    def _row(self, run: Run) -> RunRow:
        """What the newest checkpoint and the record say; what cannot be read is said in `problem`."""
        from chargru.storage.checkpoint import peek

        when = str(run.record.get("updated") or run.record.get("created") or "")
        files = run.checkpoints()
        if not files:
            return RunRow(run.name, str(run.path), "", "", None, None, when, run.problem)
        try:
            told = peek(files[-1])
        except ChargruError as error:
            return RunRow(run.name, str(run.path), "", "", None, None, when, error.message)
        form = shape(told.model.hidden_size, told.model.num_layers)
        best = told.best_loss if told.best_loss is not None else told.val_loss
        return RunRow(run.name, str(run.path), told.corpus.name, form, told.step, best, when)
