"""A run is a directory that holds one training from its first step to its last.

    run.json                 what does not change, and which checkpoint is the best; replaced atomically
    metrics.jsonl            what training told, one line each
    step-000123.safetensors  checkpoints: the last two and the best
    text.txt                 the text, if it came through a pipe and could not be read again
    .lock                    held by the one process that writes here

Whatever of this is missing or damaged, the rest stays usable: a checkpoint alone is enough to go on.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from chargru.errors import CheckpointError, RunError
from chargru.storage import checkpoint as checkpoint_file
from chargru.storage import metrics as metrics_file
from chargru.storage.atomic import sweep, sync_directory, write_atomic
from chargru.storage.checkpoint import Checkpoint
from chargru.storage.lock import BusyError, locked
from chargru.storage.names import safe_name
from chargru.storage.regular import read_limited
from chargru.text.display import safe_display

RECORD = "run.json"
METRICS = "metrics.jsonl"
TEXT_COPY = "text.txt"
KEEP = 2  # checkpoints besides the best
_RECORD_LIMIT = 1 << 20  # bytes
_MOST_NAMESAKES = 10_000
_STEP = re.compile(r"step-(\d{6,12})\.safetensors", re.ASCII)


class NotARunError(RunError):
    """The directory holds nothing of a run."""


class Run:
    """One run on disk. Made by `Run.create` or `Run.open`, not directly.

    `record` is what run.json held when it was last read or written; `problem` is empty, or says in one line why
    run.json could not be read (the record is empty then).
    """

    def __init__(self, path: Path, record: dict[str, Any], problem: str = "") -> None:
        self.path = path
        self.record = record
        self.problem = problem

    @property
    def name(self) -> str:
        return self.path.name

    @classmethod
    def create(cls, root: str | Path, name: str, record: Mapping[str, Any]) -> Self:
        """Make a new directory under `root`, called `name` made safe, or name-2, name-3, ... if it is taken.

        Raises:
            RunError: the directory or its run.json cannot be written.
        """
        root, base = Path(root), safe_name(name)
        with _as_run_error(root, "takes no new run"):
            root.mkdir(parents=True, exist_ok=True)
            path = _make_directory(root, base)
            run = cls(path, {})
            try:
                run.update(**{"created": now(), **record})
                sync_directory(root)  # or a power cut could take the whole run
            except BaseException:
                with contextlib.suppress(OSError):
                    (path / RECORD).unlink(missing_ok=True)
                    path.rmdir()
                raise
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The run in the directory `path`. A damaged run.json is told in `problem`; checkpoints need none.

        Raises:
            RunError: there is no such directory, or nothing of a run in it.
        """
        path = Path(path)
        with _as_run_error(path, "cannot be opened"):
            if not path.is_dir():
                raise NotARunError(
                    safe_display(f"{path} is not a directory of a run", newlines=False),
                    "see `chargru runs` for what was trained",
                )
            record, problem = _read_record(path / RECORD)
            run = cls(path, record, problem)
            if problem and not (path / RECORD).exists() and not run.checkpoints():
                raise NotARunError(
                    safe_display(f"{path} holds neither a {RECORD} nor a checkpoint", newlines=False),
                    "see `chargru runs` for what was trained",
                )
        return run

    @contextlib.contextmanager
    def lock(self) -> Iterator[list[Path]]:
        """Hold the run for writing, and sweep away what a killed writer left: the paths that are given.

        The lock ends with the body or with the process, however that dies.

        Raises:
            RunError: another process has it, or the directory cannot be written to.
        """
        with contextlib.ExitStack() as stack:
            try:
                with _as_run_error(self.path, "cannot be locked"):
                    stack.enter_context(locked(self.path))
            except RunError as error:
                if isinstance(error.__cause__, BusyError):
                    holder = error.__cause__.holder
                    who = f"process {holder}" if holder else "another process"
                    raise RunError(f"run {self.name} is in use by {who}", "wait for it, or stop it first") from error
                raise
            yield sweep(self.path)

    def update(self, **fields: Any) -> None:
        """Set these fields of run.json, keeping the others, in one atomic replacement; "updated" becomes now.

        Raises:
            RunError: it cannot be written (the old one stands), or a value is not plain JSON.
        """
        current, problem = _read_record(self.path / RECORD)
        record = {**(self.record if problem else current), **fields, "updated": now()}
        with _as_run_error(self.path / RECORD, "was not written"):
            data = json.dumps(record, indent=1, allow_nan=False).encode("ascii") + b"\n"
            if len(data) > _RECORD_LIMIT:
                raise ValueError(f"it would be larger than {_RECORD_LIMIT:,} bytes")
            write_atomic(self.path / RECORD, data)
        self.record, self.problem = record, ""

    def append(self, record: Mapping[str, Any]) -> None:
        """Add one line to the metrics; durable only after the next `save`.

        Raises:
            RunError: it cannot be written, or a value is not plain JSON.
        """
        with _as_run_error(self.path / METRICS, "was not written"):
            metrics_file.append(self.path / METRICS, record)

    def metrics(self) -> list[dict[str, Any]]:
        """Every record of the metrics, oldest first; half lines are passed over (`read_metrics` counts them).

        Raises:
            RunError: the file cannot be read.
        """
        return self.read_metrics()[0]

    def read_metrics(self) -> tuple[list[dict[str, Any]], int]:
        """As `metrics`, with the number of lines that could not be read. At most the last 64 MB are looked at."""
        with _as_run_error(self.path / METRICS, "cannot be read"):
            return metrics_file.read(self.path / METRICS)

    def tail(self) -> list[dict[str, Any]]:
        """The last few hundred records of the metrics: cheap, for lists.

        Raises:
            RunError: the file cannot be read.
        """
        with _as_run_error(self.path / METRICS, "cannot be read"):
            return metrics_file.read(self.path / METRICS, metrics_file.TAIL)[0]

    def truncate_metrics(self, step: int) -> None:
        """Drop the metrics from the first record after `step` on: training goes on from there.

        Raises:
            RunError: the file cannot be changed.
        """
        with _as_run_error(self.path / METRICS, "cannot be cut"):
            metrics_file.truncate(self.path / METRICS, step)

    def save(self, checkpoint: Checkpoint, best: bool) -> Path:
        """Save a checkpoint of this run, durably, and only then remove the ones that are no longer needed.

        The last two and the best stay. Checkpoints of later steps, which there are after going back to an earlier one,
        are superseded: they go too, but for the best.

        Raises:
            CheckpointError: it was not saved; what was there before still stands.
            RunError: it was saved, but run.json or the metrics could not be brought up to date; nothing was removed.
        """
        path = self.path_of(checkpoint.step)
        checkpoint_file.save(checkpoint, path)
        with _as_run_error(self.path / METRICS, f"could not be synced (though {path.name} is saved)"):
            metrics_file.sync(self.path / METRICS)
        found = self.checkpoints()
        best_path = path if best else self._best_of(found)
        # a writer killed between saving its best checkpoint and naming it in run.json: the next one knows the step
        told = self.path_of(checkpoint.best_step)
        if not best and told in found and (best_path is None or _step(best_path) < checkpoint.best_step):
            best_path = told
        best_name = best_path.name if best_path else None
        later = {each.name for each in found if _step(each) > checkpoint.step}
        abandoned = (later | self._abandoned()) & {best_name} - {path.name}
        self.update(latest_checkpoint=path.name, best_checkpoint=best_name, abandoned=sorted(abandoned))
        current = [each for each in found if each.name not in later | abandoned]
        keep = {path.name, best_name, *(each.name for each in current[-KEEP:])}
        for each in found:
            if each.name not in keep:
                with contextlib.suppress(OSError):  # tried again at the next save; until then it does no harm
                    each.unlink()
        return path

    def path_of(self, step: int) -> Path:
        """Where the checkpoint of this step is, if there is one."""
        return self.path / f"step-{step:06d}.safetensors"

    def checkpoints(self) -> list[Path]:
        """The checkpoint files by step, lowest first; not looked into.

        Raises:
            RunError: the directory cannot be read.
        """
        with _as_run_error(self.path, "cannot be read"):
            found = [path for path in self.path.iterdir() if _STEP.fullmatch(path.name) and path.is_file()]
        return sorted(found, key=_step)

    def latest(self) -> tuple[Path, Checkpoint, list[str]]:
        """The checkpoint of the highest step that validates, its path, and a line on each later one that does not.

        Raises:
            RunError: none does.
        """
        abandoned = self._abandoned()
        notes: list[str] = []
        for path in sorted(
            self.checkpoints(), key=lambda each: (each.name not in abandoned, _step(each)), reverse=True
        ):
            try:
                return path, checkpoint_file.load(path), notes
            except CheckpointError as error:
                notes.append(f"{error.message}; the one before it is used")
        if notes:
            reasons = "; ".join(note.removesuffix("; the one before it is used") for note in notes)
            raise RunError(f"run {self.name} has no usable checkpoint: {reasons}", "train it again")
        raise RunError(f"run {self.name} has no checkpoint yet", "train it first")

    def best(self) -> Path:
        """The best checkpoint: the one that run.json names, else the one with the lowest validation loss.

        Raises:
            RunError: there is no usable checkpoint.
        """
        found = self.checkpoints()
        best = self._best_of(found)
        if best is None:
            with contextlib.suppress(RunError):
                best = self.latest()[0]
        if best is None:
            raise RunError(
                f"run {self.name} has no {'usable ' if found else ''}checkpoint",
                "train it again" if found else "train it first",
            )
        return best

    def changed(self) -> float:
        """When the run was last changed, as a time stamp (seconds): what run.json says, else its own age."""
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            return datetime.fromisoformat(self.record.get("updated", "")).timestamp()
        for path in (self.path / RECORD, self.path):
            with contextlib.suppress(OSError):
                return path.stat().st_mtime
        return 0.0

    def _best_of(self, found: list[Path]) -> Path | None:
        """The one of these checkpoints that run.json names, else the one with the lowest known validation loss."""
        scored: list[tuple[float, int, Path]] = []
        for path in found:
            if path.name == self.record.get("best_checkpoint"):
                return path
        for path in found:
            with contextlib.suppress(CheckpointError):
                loss = checkpoint_file.peek(path).val_loss
                if loss is not None:
                    scored.append((loss, -_step(path), path))
        return min(scored)[2] if scored else None

    def _abandoned(self) -> set[str]:
        """Names of checkpoints that training went back from, and that stay because one of them is the best."""
        names = self.record.get("abandoned")
        return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def now() -> str:
    """The time in UTC as ISO text, comparable as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _make_directory(root: Path, base: str) -> Path:
    for number in range(1, _MOST_NAMESAKES):
        path = root / (base if number == 1 else f"{base}-{number}")
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path
    raise RunError(f"there are too many runs named {base}", "choose another name with --name")


def _read_record(path: Path) -> tuple[dict[str, Any], str]:
    """run.json as a dictionary, or an empty one and in one line why."""
    try:
        record = json.loads(read_limited(path, _RECORD_LIMIT))
        if isinstance(record, dict):
            return record, ""
        reason = "it is not a JSON object"
    except OSError as error:
        reason = "there is none" if isinstance(error, FileNotFoundError) else error.strerror or type(error).__name__
    except (ValueError, RecursionError):
        reason = "it is not JSON"
    return {}, f"{path.name} cannot be read: {reason}"


def _step(path: Path) -> int:
    match = _STEP.fullmatch(path.name)
    return int(match[1]) if match else -1


@contextlib.contextmanager
def _as_run_error(path: Path, what: str) -> Iterator[None]:
    """Turn what the system or JSON objects to into one RunError of one line that names the path."""
    try:
        yield
    except (OSError, ValueError, TypeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = "check the directory, its rights and the space on its disk"
        raise RunError(safe_display(f"{path} {what}: {reason}", newlines=False), hint) from error
