"""chargru: teach a machine your own text, with a character-level GRU that trains on your processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargru.completion.completer import Completer

__all__ = ["__version__", "load"]
__version__ = "0.1.0"


def load(model: str, out: str | None = None) -> Completer:
    """A trained model, ready to complete prompts.

    Args:
        model: a run's name, a run's directory, or a `.safetensors` file.
        out: the directory in which runs are kept, if not the usual one.

    Raises:
        RunError: there is no such run.
        CheckpointError: its file is damaged or not one of ours.
    """
    from chargru.completion.completer import Completer
    from chargru.storage.runs import find_model, runs_root

    return Completer.from_checkpoint(find_model(model, runs_root(out)))
