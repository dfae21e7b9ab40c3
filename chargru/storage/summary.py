"""Every run in a few facts, for lists: quick for hundreds of runs, and right while other processes train.

A run is looked into again only when a file of it has changed, and then only what was appended to its metrics is read.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from chargru.config import ModelConfig, TrainingConfig
from chargru.errors import ChargruError, CheckpointError, RunError
from chargru.storage import checkpoint as checkpoint_file
from chargru.storage.checkpoint import CorpusIdentity, Summary
from chargru.storage.history import History
from chargru.storage.lock import LOCK_NAME, holder
from chargru.storage.run import METRICS, NotARunError, Run
from chargru.text.display import safe_display

LIVE, FINISHED, STOPPED, BROKEN = "live", "finished", "stopped", "broken"


@dataclass(frozen=True)
class SavedModel:
    """A checkpoint's file: its name, its bytes, and whether it is the best of its run."""

    name: str
    size: int
    best: bool


@dataclass(frozen=True)
class RunSummary:
    """What is known of a run without loading it; None where its files do not tell. Losses are nats per character.

    state: "live" while a process holds the run, "finished" when its budget is spent, "stopped" when it can go on, and
    "broken" when there is nothing to go on from. A run with a `problem` is not always broken: an older checkpoint, or
    the checkpoints without their run.json, are enough.
    """

    name: str
    path: Path
    state: str
    corpus: CorpusIdentity | None
    model: ModelConfig | None
    training: TrainingConfig | None
    step: int | None
    seconds: float | None
    best_loss: float | None
    best_step: int | None
    created: str  # ISO time, or empty
    changed: float  # time stamp in seconds
    models: tuple[SavedModel, ...]
    size: int  # bytes of everything in the directory
    losses: tuple[float, ...]  # of the evaluations, oldest first
    status: str = ""  # as run.json has it: "running" of a run that is not live means that it was killed
    holder: int = 0  # process id while it is live, 0 if not known
    problem: str = ""


@dataclass
class _Entry:
    files: tuple[tuple[str, int, int], ...]  # name, size, time of change (ns)
    history: History
    summary: RunSummary | None  # None: it is not a run


class Catalogue:
    """The runs under a directory. Threads may share it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._entries: dict[Path, _Entry] = {}
        self._turn = threading.Lock()

    def runs(self) -> list[RunSummary]:
        """Every run, the last changed first; a missing root has none, a damaged run is listed with its problem.

        Raises:
            RunError: the root is not a directory, or cannot be read.
        """
        with self._turn:
            try:
                paths = [path for path in self.root.iterdir() if not path.name.startswith(".")]
            except FileNotFoundError:
                paths = []
            except OSError as error:
                line = safe_display(f"{self.root} cannot be listed: {error.strerror}", newlines=False)
                raise RunError(line, "choose another directory with --out") from error
            found = [summary for path in paths if (summary := self._look(path)) is not None]
            for gone in set(self._entries) - set(paths):
                del self._entries[gone]
        return sorted(found, key=lambda each: each.changed, reverse=True)

    def _look(self, path: Path) -> RunSummary | None:
        try:
            files = _files(path)
        except NotADirectoryError:
            return None
        except OSError as error:
            return summarise(Run(path, {}, f"the run cannot be read: {error.strerror}"))
        entry = self._entries.get(path)
        if entry is None or entry.files != files:
            history = entry.history if entry else History(path / METRICS, light=True)
            entry = self._entries[path] = _Entry(files, history, _open(path, history, files))
        if entry.summary is None:
            return None
        return _alive(entry.summary, entry.history) if LOCK_NAME in {name for name, _, _ in files} else entry.summary


def summarise(run: Run) -> RunSummary:
    """The facts on one run."""
    files: tuple[tuple[str, int, int], ...] = ()
    with contextlib.suppress(OSError):
        files = _files(run.path)
    history = History(run.path / METRICS, light=True)
    return _alive(_summarise(run, history, files), history)


def _open(path: Path, history: History, files: tuple[tuple[str, int, int], ...]) -> RunSummary | None:
    try:
        run = Run.open(path)
    except NotARunError:
        return None
    except RunError as error:
        run = Run(path, {}, error.message)
    return _summarise(run, history, files)


def _summarise(run: Run, history: History, files: tuple[tuple[str, int, int], ...]) -> RunSummary:
    problem = run.problem
    with contextlib.suppress(OSError):
        history.refresh()
    told, trouble = _newest(run)
    problem = problem or trouble
    record, sizes = run.record, {name: size for name, size, _ in files}
    best = record.get("best_checkpoint")
    names: list[str] = []
    with contextlib.suppress(RunError):
        names = [path.name for path in run.checkpoints()]
    losses = tuple(point.loss for segment in history.validation for point in segment)
    step = best_step = seconds = best_loss = None
    if told is not None:
        step, seconds, best_loss, best_step = told.step, told.seconds, told.best_loss, told.best_step
        best_loss = told.val_loss if best_loss is None else best_loss
    corpus, model, training = _settings(record)
    return RunSummary(
        name=run.name,
        path=run.path,
        state=BROKEN if told is None else FINISHED if record.get("status") == "finished" else STOPPED,
        corpus=told.corpus if told else corpus,
        model=told.model if told else model,
        training=told.training if told else training,
        step=step,
        seconds=seconds,
        best_loss=best_loss,
        best_step=best_step if best_loss is not None and best_step is not None and best_step >= 0 else None,
        created=_text(record.get("created")),
        changed=run.changed(),
        models=tuple(SavedModel(name, sizes[name], name == best) for name in names if name in sizes),
        size=sum(sizes.values()),
        losses=losses,
        status=_text(record.get("status")),
        problem=problem,
    )


def _newest(run: Run) -> tuple[Summary | None, str]:
    """What the newest checkpoint that can be read says, and what is wrong with later ones."""
    problem = ""
    try:
        paths = run.checkpoints()
    except RunError as error:
        return None, error.message
    for path in reversed(paths):
        try:
            return checkpoint_file.peek(path), problem
        except CheckpointError as error:
            problem = problem or error.message
    return None, problem or "it has no checkpoint: training ended before the first was saved"


def _settings(record: dict[str, Any]) -> tuple[CorpusIdentity | None, ModelConfig | None, TrainingConfig | None]:
    """What run.json says of a run that has no checkpoint yet, as far as it is well formed."""
    corpus: CorpusIdentity | None = None
    model: ModelConfig | None = None
    training: TrainingConfig | None = None
    told = record.get("corpus")
    if isinstance(told, dict) and set(told) == {each.name for each in fields(CorpusIdentity)}:
        texts = all(isinstance(told[name], str) for name in told if name != "characters")
        if texts and type(told["characters"]) is int:
            corpus = CorpusIdentity(**told)
    with contextlib.suppress(ChargruError, TypeError):
        model = ModelConfig.from_dict(record.get("model") or {}) if "model" in record else None
    with contextlib.suppress(ChargruError, TypeError):
        training = TrainingConfig.from_dict(record.get("training") or {}) if "training" in record else None
    return corpus, model, training


def _alive(summary: RunSummary, history: History) -> RunSummary:
    """The summary with what the metrics of a run in progress say, if a process is at it now."""
    process = holder(summary.path)
    if process is None:
        return summary
    problem = summary.problem if summary.models else ""  # the first checkpoint is still to come
    changed = summary.changed
    with contextlib.suppress(OSError):
        changed = max(changed, (summary.path / METRICS).stat().st_mtime)
    live = replace(summary, state=LIVE, holder=process, problem=problem, changed=changed)
    if (latest := history.latest) is not None:
        live = replace(live, step=latest.step, seconds=latest.seconds)
    if (best := history.best) is not None:
        live = replace(live, best_loss=best.loss, best_step=best.step)
    return live


def _files(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of change of what lies in the directory; links are not followed."""
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                found.append((entry.name, status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def differences(runs: Sequence[RunSummary], scored: Sequence[int] = ()) -> list[str]:
    """Why the losses of these runs do not compare, one clause each; nothing when they do.

    A loss in nats per character means something only against another on the same held-out characters. `scored` says of
    each run how many of them its newest evaluation was made on.
    """
    known = [run for run in runs if run.corpus is not None and run.training is not None]
    told: list[str] = []
    texts = {run.corpus.sha256 for run in known if run.corpus}
    if len(texts) > 1:
        told.append(f"{len(texts)} different texts")
        if len({run.model.vocab_size for run in known if run.model}) > 1:
            told.append("vocabularies of different sizes")
    elif len({run.training.val_fraction for run in known if run.training}) > 1:
        told.append("different parts held out for validation")
    elif len(set(scored)) > 1:
        told.append(f"validated on {min(scored):,} to {max(scored):,} characters")
    return told
