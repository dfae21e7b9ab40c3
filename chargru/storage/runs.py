"""All runs together: where they are kept, listing them, finding one by what a user types, renaming, deleting."""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
import unicodedata
from pathlib import Path

from chargru.errors import RunError
from chargru.storage.atomic import is_temporary, sync_directory
from chargru.storage.lock import LOCK_NAME
from chargru.storage.names import safe_name
from chargru.storage.places import data_path
from chargru.storage.run import METRICS, RECORD, TEXT_COPY, NotARunError, Run
from chargru.text.display import safe_display

__all__ = ["Run", "delete", "find_model", "find_run", "list_runs", "rename", "runs_root", "safe_name"]

_SUFFIX = ".safetensors"


def runs_root(out: str | None = None) -> Path:
    """The directory in which runs are kept; it need not exist yet.

    `out` if given; else "runs" in the directory that CHARGRU_HOME names; else "checkpoints" in the source checkout, if
    this is one; else the user's data directory of this system.
    """
    if out:
        return _expanded(out)
    if home := os.environ.get("CHARGRU_HOME"):
        return _expanded(home) / "runs"
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "corpora").is_dir():
        return checkout / "checkpoints"
    return data_path() / "runs"


def list_runs(root: Path) -> list[Run]:
    """Every run under `root`, the last changed first; cheap, only run.json is read.

    A damaged run is listed with its `problem`; what is not a run is left out; a missing root has no runs.

    Raises:
        RunError: `root` is not a directory, or cannot be read.
    """
    try:
        paths = sorted(root.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        line = safe_display(f"{root} cannot be listed: {error.strerror}", newlines=False)
        raise RunError(line, "choose another directory with --out") from error
    runs: list[Run] = []
    for path in paths:
        try:
            if path.is_dir() and not path.name.startswith("."):
                runs.append(Run.open(path))
        except NotARunError:
            continue
        except (RunError, OSError) as error:
            runs.append(Run(path, {}, problem=error.message if isinstance(error, RunError) else str(error)))
    return sorted(runs, key=Run.changed, reverse=True)


def find_model(spec: str, root: Path) -> Path:
    """The checkpoint that `spec` means: a run's name under `root`, a run's directory, or a .safetensors file.

    Of a run it is the best one. A name goes before a file of the same name in the current directory, unless `spec`
    looks like a path.

    Raises:
        RunError: there is nothing of that name (with near ones as hint), or no usable checkpoint in it.
    """
    path = _expanded(spec)
    named = root / unicodedata.normalize("NFC", spec)
    is_path = len(path.parts) != 1 or spec.startswith((".", "~")) or spec.endswith(_SUFFIX)
    places = [path] if is_path else [named, path]
    not_a_run: NotARunError | None = None
    for place in places:
        with contextlib.suppress(OSError, ValueError):  # no right to look, too long a name, a NUL in it
            if place.is_dir():
                try:
                    return Run.open(place).best()
                except NotARunError as error:
                    not_a_run = not_a_run or error
            elif place.exists():
                return place
    if not_a_run is not None:
        raise not_a_run
    raise _unknown(spec, root, "run and no checkpoint")


def find_run(spec: str, root: Path) -> Run:
    """The run that `spec` means: its name under `root`, or its directory. It needs no checkpoint.

    Raises:
        RunError: there is none (with near names as hint).
    """
    path = _expanded(spec)
    named = root / unicodedata.normalize("NFC", spec)
    is_path = len(path.parts) != 1 or spec.startswith((".", "~"))
    for place in [path] if is_path else [named, path]:
        with contextlib.suppress(OSError, ValueError):
            if place.is_dir():
                return Run.open(place)
    raise _unknown(spec, root, "run")


def _unknown(spec: str, root: Path, what: str) -> RunError:
    names = [run.name for run in list_runs(root)]
    near = difflib.get_close_matches(safe_name(spec), names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "see `chargru runs` for what was trained"
    return RunError(safe_display(f"there is no {what} {spec[:200]!r}", newlines=False), hint)


def rename(run: Run, new: str) -> Run:
    """Give the run another name, made safe; the run as it is then.

    Raises:
        RunError: the name is taken, the run is in use, or the directory cannot be changed.
    """
    name = safe_name(new)
    if name == run.name:
        return run
    target = run.path.with_name(name)
    with run.lock():
        if sys.platform != "win32":
            _move(run.path, target)
    if sys.platform == "win32":  # there, a directory with an open file in it cannot be renamed
        _move(run.path, target)
    return Run.open(target)


def delete(run: Run) -> list[Path]:
    """Remove the run from the disk, and return what was left: files in its directory that are not of a run.

    Raises:
        RunError: the run is in use, or something cannot be removed.
    """
    try:
        with run.lock():
            # run.json last: a deletion that is interrupted leaves something that is listed and can be deleted again
            ours = [*run.checkpoints(), run.path / METRICS, run.path / TEXT_COPY, run.path / RECORD]
            for path in ours:
                path.unlink(missing_ok=True)
        (run.path / LOCK_NAME).unlink(missing_ok=True)
        left = sorted(path for path in run.path.iterdir() if not is_temporary(path))
        if not left:
            run.path.rmdir()
            sync_directory(run.path.parent)
    except OSError as error:
        line = safe_display(f"run {run.name} was not deleted completely: {error.strerror}", newlines=False)
        raise RunError(line, "check the rights of its directory") from error
    return left


def _move(source: Path, target: Path) -> None:
    taken = RunError(f"there is a run named {target.name} already", "choose another name")
    try:
        if sys.platform != "win32":
            # POSIX renames over an empty directory without a word: so the name is taken first, which cannot be shared
            target.mkdir()
        try:
            source.rename(target)
        except OSError:
            with contextlib.suppress(OSError):
                target.rmdir()
            raise
        sync_directory(target.parent)
    except FileExistsError as error:
        raise taken from error
    except OSError as error:
        line = safe_display(f"{source} was not renamed: {error.strerror}", newlines=False)
        raise RunError(line, "check the rights of the directory around it") from error


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no home directory to put in for the ~
        return Path(text)
