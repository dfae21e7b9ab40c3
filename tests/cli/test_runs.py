from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from chargru.storage.lock import locked

from .conftest import Command


@pytest.fixture
def root(model: Path, tmp_path: Path) -> Path:
    """Three runs: a good one, one whose record is damaged, one whose checkpoint is."""
    root = tmp_path / "runs"
    for name in ("good", "no-record", "no-model"):
        shutil.copytree(model.parent, root / name)
    (root / "no-record" / "run.json").write_text("{")
    for path in (root / "no-model").glob("*.safetensors"):
        path.write_bytes(b"not a checkpoint")
    return root


def test_no_runs_is_not_a_failure(chargru: Command, tmp_path: Path) -> None:
    assert chargru("runs", "--out", tmp_path / "nothing") == 0
    assert chargru.out == ""
    assert "no runs yet" in chargru.err
    assert chargru("runs", "--json", "--out", tmp_path / "nothing") == 0
    assert (chargru.out, chargru.err) == ("", "")


def test_every_run_is_a_line_and_what_is_wrong_is_told(chargru: Command, root: Path) -> None:
    assert chargru("runs", "--out", root) == 0
    lines = chargru.out.splitlines()
    assert lines[0].split()[0] == "RUN"
    rows = {line.split()[0]: line for line in lines[1:]}
    assert set(rows) == {"good", "no-record", "no-model"}
    assert "1 x 8" in rows["good"]
    assert "1 x 8" in rows["no-record"]  # its checkpoint tells
    assert "no-record: " in chargru.err
    assert "no-model: " in chargru.err


def test_json_has_the_loss_and_the_path_of_the_best_checkpoint(chargru: Command, root: Path) -> None:
    assert chargru("runs", "--json", "--out", root) == 0
    found = {each["name"]: each for each in map(json.loads, chargru.out.splitlines())}
    good = found["good"]
    assert Path(good["checkpoint"]).parent == root / "good"
    assert good["val_loss"] > 0
    assert (good["hidden_size"], good["num_layers"], good["step"]) == (8, 1, 8)
    assert good["problem"] is None
    assert found["no-model"]["checkpoint"] is None
    assert found["no-model"]["problem"]


def test_runs_are_kept_where_the_environment_says(chargru: Command, model: Path, tmp_path: Path) -> None:
    shutil.copytree(model.parent, tmp_path / "home" / "runs" / "mine")
    assert chargru("runs") == 0
    assert chargru.out.splitlines()[1].startswith("mine ")


def test_json_tells_which_runs_are_in_training(chargru: Command, root: Path) -> None:
    with locked(root / "good"):
        assert chargru("runs", "--json", "--out", root) == 0
    live = {each["name"]: each["live"] for each in map(json.loads, chargru.out.splitlines())}
    assert live == {"good": True, "no-record": False, "no-model": False}


def test_metrics_come_as_one_csv_table(chargru: Command, root: Path) -> None:
    assert chargru("runs", "--csv", "good", "--csv", root / "no-model", "--out", root) == 0
    rows = list(csv.DictReader(chargru.out.splitlines()))
    assert {row["run"] for row in rows} == {"good", "no-model"}
    losses = [float(row["val_loss"]) for row in rows if row["event"] == "evaluated" and row["run"] == "good"]
    assert losses
    assert min(losses) > 0
    assert chargru.err == ""


def test_csv_of_what_is_no_run_is_one_line_and_not_json(chargru: Command, root: Path) -> None:
    assert chargru("runs", "--csv", "goood", "--out", root) == 1
    assert "there is no run 'goood'" in chargru.err
    assert "did you mean good?" in chargru.err
    assert chargru("runs", "--csv", "good", "--json", "--out", root) == 2
    assert chargru.out == ""
