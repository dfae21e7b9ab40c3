"""What a run's metrics tell, folded as they grow: its curves, its newest sample, how it stands.

Other processes train; metrics.jsonl is what they tell the world. A `History` reads only what was appended since its
last look, and stays small however long the training takes.
"""

from __future__ import annotations

import json
import math
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

from chargru.storage.follow import Follower
from chargru.storage.metrics import READ_LIMIT

MOST_POINTS = 8192  # of one segment; then it is thinned to half by its envelope
_LIGHT_LIMIT = 16 << 20  # bytes of the end that a light history reads at most
_NOTES = 5
_LAST_STEP = 2**53


class Point(NamedTuple):
    """A loss in nats per character, and when it was: updates done and seconds of training."""

    step: int
    seconds: float
    loss: float


class History:
    """The metrics of one run. `refresh` brings it up to date; the attributes are only read.

    validation, training: segments of points, oldest first; between two segments training went back (a gap).
    latest: the newest point of either kind. started: the fields of the last "started", landmarks: those of
    "landmarks". sample: step, prompt and text of the newest one. scored: characters that the newest evaluation was
    made on, and whether they are the whole held-out tail. notes: the newest notices.
    """

    def __init__(self, path: Path, *, light: bool = False) -> None:
        """`path` is metrics.jsonl. A light history, for lists, keeps the evaluations and `latest` only."""
        self.light = light
        self._follower = Follower(path, _LIGHT_LIMIT if light else READ_LIMIT)
        self._begin()

    def _begin(self) -> None:
        self.validation: list[list[Point]] = []
        self.training: list[list[Point]] = []
        self.latest: Point | None = None
        self.best: Point | None = None
        self.fraction: float | None = None
        self.started: dict[str, Any] = {}
        self.landmarks: dict[str, float] = {}
        self.sample: tuple[int, str, str] | None = None
        self.scored: tuple[int, bool] | None = None
        self.recoveries: list[int] = []
        self.notes: deque[str] = deque(maxlen=_NOTES)

    def refresh(self) -> bool:
        """Read what was added; whether anything was. Lines that cannot be read are passed over.

        Raises:
            OSError: the file is not a plain one, or cannot be read.
        """
        lines, void = self._follower.lines()
        if void:
            self._begin()
        last = len(lines) - 1
        for index, line in enumerate(lines):
            if self.light and index != last and not _matters(line):
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                self._fold(record)
        return bool(lines) or void

    def _fold(self, record: dict[str, Any]) -> None:
        match record.get("event"):
            case "progress":
                self._add(self.training, record, "loss")
            case "evaluated":
                self._add(self.validation, record, "val_loss")
                self.scored = (_count(record.get("chars")) or 0, record.get("complete") is True)
            case "recovered":
                for segments in (self.validation, self.training):
                    if segments and segments[-1]:
                        segments.append([])
                if (step := _count(record.get("step"))) is not None:
                    self.recoveries.append(step)
            case "started":
                self.started = record
            case "landmarks":
                told = {name: number(value) for name, value in record.items()}
                self.landmarks = {name: value for name, value in told.items() if value is not None}
            case "sampled":
                step, text, prompt = _count(record.get("step")), record.get("text"), record.get("prompt")
                if step is not None and isinstance(text, str):
                    self.sample = (step, prompt if isinstance(prompt, str) else "", text)
            case "notice":
                if isinstance(message := record.get("message"), str):
                    self.notes.append(message)

    def _add(self, segments: list[list[Point]], record: dict[str, Any], name: str) -> None:
        step, seconds, loss = _count(record.get("step")), number(record.get("elapsed")), number(record.get(name))
        if step is None or loss is None:
            return
        point = Point(step, max(seconds or 0.0, 0.0), loss)
        self.latest = point
        self.fraction = number(record.get("fraction"))
        if name == "val_loss" and (self.best is None or loss < self.best.loss):
            self.best = point
        if self.light and name == "loss":
            return
        if not segments or (segments[-1] and segments[-1][-1].step > step):
            segments.append([])
        segments[-1].append(point)
        if len(segments[-1]) > MOST_POINTS:
            segments[-1] = halved(segments[-1])


def halved(points: list[Point]) -> list[Point]:
    """The lowest and the highest of every four points, in their order: spikes stay."""
    kept: list[Point] = []
    for start in range(0, len(points), 4):
        four = points[start : start + 4]
        ends = {min(range(len(four)), key=lambda i: four[i].loss), max(range(len(four)), key=lambda i: four[i].loss)}
        kept += [four[index] for index in sorted(ends)]
    return kept


def number(value: Any) -> float | None:
    """A finite number of JSON as a float; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _LAST_STEP else None


def _matters(line: bytes) -> bool:
    """Whether a light history wants it: a look at the bytes spares it most of the parsing."""
    return b'"evaluated"' in line or b'"recovered"' in line
