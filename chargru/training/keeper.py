"""Saving on the way: what the disk does not take is told, and training goes on."""

from __future__ import annotations

import contextlib

from chargru.errors import CheckpointError, RunError
from chargru.events import Notice, Saved
from chargru.storage.checkpoint import Checkpoint
from chargru.storage.runs import Run


class Keeper:
    """Keeps one training in one run; `saved`: something, by this process; `problem`: why not, the last time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.saved = False
        self.problem = ""

    def save(self, checkpoint: Checkpoint, *, best: bool) -> Saved | Notice:
        """Save, and say so; or say why it could not be."""
        try:
            path = str(self._run.save(checkpoint, best))
        except (CheckpointError, RunError) as error:
            self.problem = error.message
            cause = error.__cause__  # the reason alone: with a whole path before it, it would be cut off
            reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else error.message
            stands = "the last checkpoint stands" if self.saved else "nothing is saved yet"
            return Notice(f"not saved: {reason}; {stands}, training goes on", unsaved=True)
        self.saved = True
        self.note("running", checkpoint.step, checkpoint.seconds, checkpoint.best_loss)
        return Saved(checkpoint.step, path, best)

    def note(self, status: str, step: int, seconds: float, best_loss: float | None) -> None:
        """Bring run.json up to date."""
        with contextlib.suppress(RunError):  # a full disk; run.json only repeats what checkpoints and metrics hold
            self._run.update(status=status, step=step, seconds=seconds, best_loss=best_loss)
