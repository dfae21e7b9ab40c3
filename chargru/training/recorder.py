"""What is kept of the events: metrics.jsonl, which other processes read as the truth, and the tail in checkpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chargru.errors import RunError
from chargru.events import Evaluated, Event, Paused, Progress, Resumed, Saved, to_record
from chargru.storage.runs import Run

_CURVES = {"loss", "val_loss"}
_SECONDS = 1.0  # between two Progress lines
_TAIL = 255  # records in a checkpoint, which adds one of its own


class Recorder:
    """Appends events to a run's metrics; `history` is the short tail that goes into checkpoints."""

    def __init__(self, run: Run, history: Sequence[dict[str, Any]] = ()) -> None:
        self._run = run
        self._last = -math.inf
        self._trouble, self._failed = "", False
        self.history = [record for record in history if not _CURVES.isdisjoint(record)]

    def keep(self, event: Event) -> None:
        """Write the event down, unless it is a Progress too soon after another, or of no interest afterwards."""
        if isinstance(event, Saved | Paused | Resumed):
            return
        if isinstance(event, Progress):
            if event.elapsed - self._last < _SECONDS and event.fraction < 1.0:
                return
            self._last = event.elapsed
            self._remember(event.step, event.elapsed, "loss", event.loss)
        if isinstance(event, Evaluated):
            self._remember(event.step, event.elapsed, "val_loss", event.val_loss)
        self._write(event)

    def has_told(self, kind: type[Event]) -> bool:
        """Whether the run's metrics hold such an event, from this process or an earlier one."""
        try:
            return any(record.get("event") == kind.__name__.lower() for record in self._run.metrics())
        except RunError:
            return False

    def take_trouble(self) -> str:
        """Why the metrics cannot be written, once; empty when there is nothing to tell."""
        trouble, self._trouble = self._trouble, ""
        return trouble

    def _write(self, event: Event) -> None:
        try:
            self._run.append(to_record(event))
        except RunError as error:
            if not self._failed:
                self._trouble = f"{error.message}; training goes on, its metrics have a gap"
            self._failed = True
        else:
            self._failed = False

    def _remember(self, step: int, elapsed: float, name: str, value: float) -> None:
        self.history.append({"step": step, "elapsed": round(elapsed, 3), name: value})
        del self.history[:-_TAIL]
