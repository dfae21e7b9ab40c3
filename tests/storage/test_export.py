"""The CSV table, read back by a reader of CSV and held against the metrics."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from chargru.errors import RunError
from chargru.events import Evaluated, Finished, Landmarks, Notice, Progress, Recovered, Sampled, Started, to_record
from chargru.storage.export import COLUMNS, export, to_csv
from chargru.storage.run import Run

from .faults import FAULTS, failing_call

BEGUN = Started("r", "p", "tales", 9, 8, 1, 5, 8, 1, 99, 4, 16, "steps", 6.0, "CPU", "numpy", 1, 1, 0, 0.0)
EVENTS = (
    BEGUN,
    Landmarks(4.2, 3.1, 2.1, 1.9, 8),
    Progress(1, 0.1, 0.5, 1 / 3, 0.25, 5e-3, 1000.5, 0.75, 9.0, 1 << 40),
    Evaluated(1, 0.1, 0.1 + 0.2, None, 0.3, 1, 4096, False, 0.8),
    Sampled(1, "", "a sample, with\na comma and a line", 0.8),
    Notice('=1+1, "quoted",\nand a line\x1b[31m'),
    Recovered(2, 1, 1, 1e-3, "the loss was not finite"),
    Finished("done", "path", 0.25, 6, 1.5, 100.0),
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create(tmp_path / "runs", "tales", {})
    for event in EVENTS:
        run.append(to_record(event))
    return run


def test_every_event_with_numbers_is_a_row_and_numbers_come_back_exactly(run: Run) -> None:
    rows = list(csv.DictReader(to_csv([run]).splitlines()))
    assert [row["event"] for row in rows] == [
        "started",
        "landmarks",
        "progress",
        "evaluated",
        "notice",
        "recovered",
        "finished",
    ]
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert all(row["run"] == "tales" for row in rows)
    progress, evaluated = rows[2], rows[3]
    assert (int(progress["step"]), float(progress["seconds"]), float(progress["train_loss"])) == (1, 0.75, 1 / 3)
    assert float(progress["learning_rate"]) == 5e-3
    assert int(progress["memory"]) == 1 << 40
    assert progress["val_loss"] == ""
    assert float(evaluated["val_loss"]) == 0.1 + 0.2
    assert (evaluated["train_loss"], evaluated["scored_chars"]) == ("", "4096")
    assert float(rows[1]["trigram"]) == 2.1
    assert (rows[6]["step"], rows[6]["seconds"], rows[6]["note"]) == ("6", "1.5", "done")
    assert rows[5]["note"] == "the loss was not finite"


def test_texts_are_one_safe_line_that_no_spreadsheet_computes(run: Run) -> None:
    note = next(row["note"] for row in csv.DictReader(to_csv([run]).splitlines()) if row["event"] == "notice")
    assert note == '\'=1+1, "quoted",⏎and a line␛[31m'


def test_several_runs_are_one_table(run: Run, tmp_path: Path) -> None:
    other = Run.create(tmp_path / "runs", "other", {})
    other.append(to_record(EVENTS[2]))
    rows = list(csv.DictReader(to_csv([run, other]).splitlines()))
    assert [row["run"] for row in rows] == ["tales"] * 7 + ["other"]
    assert export([run, other], tmp_path).name == "tales-and-1-more.csv"


def test_an_export_is_a_new_file_and_overwrites_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tales.csv").write_text("mine")
    path = export([run], tmp_path)
    assert path == tmp_path / "tales-2.csv"
    assert path.read_bytes().decode() == to_csv([run])
    assert b"\r" not in path.read_bytes()
    assert (tmp_path / "tales.csv").read_text() == "mine"


def test_a_run_without_metrics_and_a_full_disk_are_told(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="run fresh has no metrics"):
        export([run, Run.create(tmp_path / "runs", "fresh", {})], tmp_path)
    with failing_call(0, FAULTS["full disk"], "write"), pytest.raises(RunError, match="No space left"):
        export([run], tmp_path)
    with pytest.raises(RunError, match="takes no CSV file"):
        export([run], tmp_path / "missing")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
