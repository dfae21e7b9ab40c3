"""chargru: teach a machine your own text, with a character-level GRU that trains on your processor."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargru.completion.completer import Completer

__all__ = ["__version__", "load"]
__version__ = "0.1.0"


def load(model: str | PathLike[str], out: str | PathLike[str] | None = None) -> Completer:
    """A trained model, ready to complete prompts; docs/api.md shows what it can do.

    Args:
        model: a run's name, a run's directory, or a `.safetensors` file.
        out: the directory in which runs are kept, if not the usual one.

    Raises:
        RunError: there is no such run.
        CheckpointError: its file is damaged or not one of ours.
    """
    from chargru.completion.completer import Completer
    from chargru.storage.runs import find_model, runs_root

    return Completer.from_checkpoint(find_model(fspath(model), runs_root(fspath(out) if out is not None else None)))
