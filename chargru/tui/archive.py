"""The runs on disk, as the Runs screen wants them: the door to `chargru.storage`, opened on first use.

Everything here may touch disks and is called from threads, never from the event loop.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from chargru.config import TrainRequest
from chargru.errors import ChargruError, RunError
from chargru.events import Event, from_record
from chargru.tui.formatting import duration, memory, quantity, shape, small

if TYPE_CHECKING:
    from chargru.storage.history import History
    from chargru.storage.summary import Catalogue, RunSummary

HISTORIES = 24  # runs whose curves are kept in memory


@dataclass(frozen=True)
class RunRow:
    """A run on disk, as the table of runs shows it. Losses are nats per character, raw texts."""

    name: str
    path: str
    corpus: str
    shape: str
    step: int | None
    best_loss: float | None
    when: str  # ISO time, or whatever the run says
    problem: str = ""
    state: str = "stopped"  # "live", "finished", "stopped" or "broken"
    seconds: float | None = None  # of training
    losses: tuple[float, ...] = ()  # of the evaluations, oldest first
    size: int = 0  # bytes on disk
    facts: tuple[tuple[str, str], ...] = ()  # (what, told) for the details
    models: tuple[str, ...] = ()  # the checkpoints' names and sizes, newest last
    window: int = 0  # characters that one step reads, 0 if not known
    holder: int = 0  # the process that trains it now, 0 if not known


CurvePoint = tuple[int, float, float]  # step, seconds, nats


@dataclass(frozen=True)
class RunCurves:
    """What a run's metrics tell; segments are lists of points between which training went back."""

    path: str
    validation: tuple[tuple[CurvePoint, ...], ...] = ()
    training: tuple[tuple[CurvePoint, ...], ...] = ()
    landmarks: tuple[tuple[str, float], ...] = ()
    sample: tuple[int, str, str] | None = None  # step, prompt, text
    notes: tuple[str, ...] = ()
    scored: int = 0  # characters that the newest evaluation was made on
    fraction: float | None = None  # of the budget
    problem: str = ""


class Archive(Protocol):
    """The runs there are."""

    def runs(self) -> list[RunRow]: ...

    def going_on(self, run: str, out: str | None) -> TrainRequest:
        """The request that goes on training the run; one that has spent its budget gets as much again."""

    def history(self, run: str) -> list[Event]:
        """What the run's training told before, oldest first; what is unreadable is left out."""

    def curves(self, runs: Sequence[str]) -> list[RunCurves]:
        """What the metrics of these runs tell by now; only what is new is read."""

    def differences(self, runs: Sequence[str]) -> list[str]:
        """Why the losses of these runs do not compare, one clause each."""

    def name_for(self, typed: str) -> str:
        """The name that a run gets when the user types this."""

    def rename(self, run: str, new: str) -> str:
        """Give the run another name; its directory then. Raises RunError."""

    def delete(self, run: str) -> list[str]:
        """Remove the run; the names of files that are not of a run and stay. Raises RunError."""

    def export(self, runs: Sequence[str]) -> str:
        """Write the metrics of these runs as one CSV table; the path of the new file. Raises RunError."""


class HouseArchive:
    """`chargru.storage`, as the Runs screen wants it."""

    def __init__(self, out: str | None = None) -> None:
        self._out = out
        self._made: Catalogue | None = None
        self._summaries: dict[str, RunSummary] = {}
        self._histories: OrderedDict[str, History] = OrderedDict()
        self._turn = threading.Lock()

    def runs(self) -> list[RunRow]:
        from chargru.storage.runs import runs_root
        from chargru.storage.summary import Catalogue

        root = runs_root(self._out)
        with self._turn:
            if self._made is None or self._made.root != root:
                self._made = Catalogue(root)
            catalogue = self._made
        found = catalogue.runs()
        self._summaries = {str(each.path): each for each in found}
        return [row(each) for each in found]

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

    def curves(self, runs: Sequence[str]) -> list[RunCurves]:
        return [self._curves(run) for run in runs]

    def differences(self, runs: Sequence[str]) -> list[str]:
        from chargru.storage.summary import differences

        found = [self._summaries[run] for run in runs if run in self._summaries]
        scored = [self._histories[run].scored for run in runs if run in self._histories]
        return differences(found, [each[0] for each in scored if each])

    def name_for(self, typed: str) -> str:
        from chargru.storage.names import safe_name

        return safe_name(typed)

    def rename(self, run: str, new: str) -> str:
        from chargru.storage.runs import Run, rename

        return str(rename(Run.open(run), new).path)

    def delete(self, run: str) -> list[str]:
        from chargru.storage.runs import Run, delete

        try:
            found = Run.open(run)
        except RunError:
            if not Path(run).is_dir():
                raise
            found = Run(Path(run), {})  # what is left of one that cannot be read
        return [path.name for path in delete(found)]

    def export(self, runs: Sequence[str]) -> str:
        from chargru.storage.export import export
        from chargru.storage.run import Run

        return str(export([Run.open(run) for run in runs], Path.cwd()))

    def _curves(self, run: str) -> RunCurves:
        from chargru.storage.history import History
        from chargru.storage.run import METRICS

        with self._turn:
            history = self._histories.pop(run, None) or History(Path(run) / METRICS)
            self._histories[run] = history
            while len(self._histories) > HISTORIES:
                self._histories.popitem(last=False)
            problem = ""
            try:
                history.refresh()
            except OSError as error:
                problem = f"its metrics cannot be read: {error.strerror or type(error).__name__}"
            return RunCurves(
                run,
                tuple(tuple(segment) for segment in history.validation if segment),
                tuple(tuple(segment) for segment in history.training if segment),
                tuple((name, history.landmarks[name]) for name in LANDMARKS if name in history.landmarks),
                history.sample,
                tuple(history.notes),
                history.scored[0] if history.scored else 0,
                history.fraction,
                problem,
            )


LANDMARKS = ("uniform", "unigram", "trigram", "fivegram")


def row(told: RunSummary) -> RunRow:
    """A run as the table shows it."""
    window = told.training.batch_size * told.training.seq_len if told.training else 0
    return RunRow(
        name=told.name,
        path=str(told.path),
        corpus=told.corpus.name if told.corpus else "",
        shape=shape(told.model.hidden_size, told.model.num_layers) if told.model else "",
        step=told.step,
        best_loss=told.best_loss,
        when=datetime.fromtimestamp(told.changed, UTC).isoformat(timespec="seconds"),
        problem=told.problem,
        state=told.state,
        seconds=told.seconds,
        losses=told.losses,
        size=told.size,
        facts=tuple(_facts(told)),
        models=tuple(f"{each.name}  {memory(each.size)}{'  best' if each.best else ''}" for each in told.models),
        window=window,
        holder=told.holder,
    )


def _facts(told: RunSummary) -> list[tuple[str, str]]:
    """(what, told) of everything that does not change while it trains, for the details."""
    facts: list[tuple[str, str]] = []
    if (corpus := told.corpus) is not None:
        facts.append(("text", corpus.name))
        facts.append(("", f"{quantity(corpus.characters)} characters, {corpus.encoding}"))
        if corpus.source not in (corpus.name, ""):
            facts.append(("from", corpus.source))
        facts.append(("SHA-256", corpus.sha256[:16]))
    if (model := told.model) is not None:
        facts.append(("network", f"{shape(model.hidden_size, model.num_layers)}, {model.vocab_size} characters"))
    if (plan := told.training) is not None:
        budget = {"time": plan.time, "steps": plan.steps, "epochs": plan.epochs}
        name, amount = next((name, value) for name, value in budget.items() if value is not None)
        facts.append(("budget", duration(amount) if name == "time" else f"{amount:,} {name}"))
        facts.append(("windows", f"{plan.batch_size} streams of {plan.seq_len} characters"))
        facts.append(("rate", f"{small(plan.learning_rate)}, dropout {plan.dropout:g}"))
        facts.append(("held out", f"{plan.val_fraction:.0%} of the text"))
        facts.append(("seed", str(plan.seed)))
    return facts
