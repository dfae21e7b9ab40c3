"""The runs on disk, as the Runs screen wants them: the door to `chargru.storage`, opened on first use.

Everything here may touch disks and is called from threads, never from the event loop.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from chargru.config import TrainRequest
from chargru.errors import ChargruError, RunError
from chargru.events import Event, from_record
from chargru.tui.formatting import shape

if TYPE_CHECKING:
    from chargru.storage.run import Run


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


class Archive(Protocol):
    """The runs there are."""

    def runs(self) -> list[RunRow]: ...

    def going_on(self, run: str, out: str | None) -> TrainRequest:
        """The request that goes on training the run; one that has spent its budget gets as much again."""

    def history(self, run: str) -> list[Event]:
        """What the run's training told before, oldest first; what is unreadable is left out."""


class HouseArchive:
    """`chargru.storage.runs`, as the Runs screen wants it."""

    def __init__(self, out: str | None = None) -> None:
        self._out = out

    def runs(self) -> list[RunRow]:
        from chargru.storage.runs import list_runs, runs_root

        return [self._row(run) for run in list_runs(runs_root(self._out))]

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
