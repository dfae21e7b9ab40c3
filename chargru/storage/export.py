"""The metrics of runs as one table in CSV, for spreadsheets and other programs: one row for each event with numbers.

Losses are nats per character, times are seconds of training. A field that an event does not have is empty. Samples are
left out; what a notice or a recovery said stands in the last column, on one line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from chargru.errors import RunError
from chargru.storage.atomic import write_atomic
from chargru.storage.history import number
from chargru.storage.names import safe_name
from chargru.storage.run import Run
from chargru.text.display import safe_display

# column -> the fields of events that go there, the first one that is present
COLUMNS: dict[str, tuple[str, ...]] = {
    "run": (),
    "event": ("event",),
    "step": ("step", "steps"),
    "seconds": ("elapsed", "seconds"),
    "epoch": ("epoch",),
    "fraction": ("fraction",),
    "train_loss": ("loss", "train_loss"),
    "val_loss": ("val_loss",),
    "best_loss": ("best_loss",),
    "best_step": ("best_step",),
    "learning_rate": ("learning_rate",),
    "gradient_norm": ("gradient_norm",),
    "chars_per_second": ("chars_per_second",),
    "memory": ("memory",),
    "scored_chars": ("chars",),
    "uniform": ("uniform",),
    "unigram": ("unigram",),
    "trigram": ("trigram",),
    "fivegram": ("fivegram",),
    "note": ("message", "reason"),
}
_TEXTS = ("event", "note")
_LEFT_OUT = ("sampled",)
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would compute a text that begins so
_MOST_NAMESAKES = 1000


def to_csv(runs: Iterable[Run]) -> str:
    """The table, with a heading and newlines of one character.

    Raises:
        RunError: the metrics of a run cannot be read, or hold nothing.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for run in runs:
        records = run.metrics()
        if not records:
            raise RunError(
                safe_display(f"run {run.name} has no metrics to export", newlines=False), "train it for a moment first"
            )
        writer.writerows(
            _row(run.name, record)
            for record in records
            if isinstance(record.get("event"), str) and record["event"] not in _LEFT_OUT
        )
    return text.getvalue()


def export(runs: Sequence[Run], directory: Path) -> Path:
    """Write the table into `directory`, atomically and over nothing that is there: the path of the new file.

    Raises:
        RunError: as `to_csv`, or it cannot be written.
    """
    data = to_csv(runs).encode("utf-8")
    others = f"-and-{len(runs) - 1}-more" if len(runs) > 1 else ""
    name = f"{safe_name(runs[0].name)}{others}"
    try:
        for count in range(1, _MOST_NAMESAKES):
            path = directory / (f"{name}.csv" if count == 1 else f"{name}-{count}.csv")
            if not (path.exists() or path.is_symlink()):
                write_atomic(path, data)
                return path
    except OSError as error:
        line = safe_display(f"{directory} takes no CSV file: {error.strerror}", newlines=False)
        raise RunError(line, "check its rights and the space on its disk") from error
    raise RunError(safe_display(f"{directory} has too many files named {name}.csv", newlines=False), "move some away")


def _row(run: str, record: dict[str, Any]) -> list[str]:
    return [_text(run), *(_cell(column, names, record) for column, names in list(COLUMNS.items())[1:])]


def _cell(column: str, names: tuple[str, ...], record: dict[str, Any]) -> str:
    value = next((record[name] for name in names if record.get(name) is not None), None)
    if column in _TEXTS:
        return _text(value) if isinstance(value, str) else ""
    if type(value) is int and number(value) is not None:
        return str(value)
    exact = number(value)
    return "" if exact is None else repr(exact)


def _text(value: str) -> str:
    line = " ".join(safe_display(value, newlines=False).split())
    return f"'{line}" if line.startswith(_FORMULA) else line
