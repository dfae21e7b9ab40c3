"""Nothing lost: processes killed, disks that fail, power cuts, in the midst of a save."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chargru.errors import ChargruError, CheckpointError, RunError
from chargru.storage.atomic import is_temporary
from chargru.storage.checkpoint import load, save
from chargru.storage.runs import Run

from . import killer
from .faults import FAULTS, PowerCut, failing_call
from .samples import make_checkpoint, same

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are forked and killed")


def run_killer(*arguments: object) -> dict[str, int]:
    finished = subprocess.run(
        [sys.executable, "-m", killer.__name__, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [*sys.path, os.environ.get("PYTHONPATH")])),
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    counts: dict[str, int] = json.loads(finished.stdout)
    return counts


@needs_fork
@pytest.mark.parametrize("kills", [30, pytest.param(1000, marks=pytest.mark.long)])
def test_killed_at_random_moments_nothing_acknowledged_is_lost(kills: int, tmp_path: Path) -> None:
    counts = run_killer("random", tmp_path, kills, 20240506)
    assert counts["kills"] == kills
    assert counts["saves"] > 0, "the writers got to save"
    # about one in four hits a write; of a few kills that says little
    assert counts["mid_write"] >= (kills / 10 if kills >= 1000 else 1)
    assert counts["unreadable"] == 0
    assert counts["older"] == 0
    assert counts["not_swept"] == 0
    assert counts["bad_record"] == 0
    assert counts["best_lost"] == 0
    assert counts["metrics_lost"] == 0


@needs_fork
def test_killed_at_every_system_call_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    counts = run_killer("calls", tmp_path)
    assert counts.pop("kills") >= 20
    assert counts.pop("mid_write") >= 4
    assert set(counts.values()) == {0}, counts


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_disk_at_every_call_leaves_the_old_or_the_new_checkpoint(fault: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    old, new = make_checkpoint(1), make_checkpoint(2)
    outcomes: list[str] = []
    told: list[str] = []
    for number in itertools.count():
        save(old, path)
        with failing_call(number, FAULTS[fault]) as calls:
            try:
                save(new, path)
                outcomes.append("saved")
            except CheckpointError as error:
                told.append(error.message)
                outcomes.append("old" if same(load(path), old) else "new")
        if len(calls) <= number:
            break
        assert same(load(path), new if outcomes[-1] != "old" else old)
        assert [each.name for each in tmp_path.iterdir()] == [path.name], "no temporary file is left"
    assert outcomes.count("old") >= 4, "open, write, fsync, close and replace leave the old one"
    assert "new" in outcomes, "when only the directory's sync fails, the new one is in place but not promised"
    assert outcomes[-1] == "saved"
    assert all(path.name in message and os.strerror(FAULTS[fault]) in message for message in told)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_disk_at_every_call_leaves_a_run_that_goes_on(fault: str, tmp_path: Path) -> None:
    run = Run.create(tmp_path, "run", {})
    run.append({"step": 1})
    run.save(make_checkpoint(1), best=True)
    failures = 0
    for step in itertools.count(2):
        with failing_call(step - 2, FAULTS[fault]) as calls:
            try:
                run.save(make_checkpoint(step), best=False)
                acknowledged = step
            except ChargruError:
                failures += 1
        if len(calls) <= step - 2:
            break
        reopened = Run.open(run.path)
        assert reopened.problem == ""
        _, checkpoint, notes = reopened.latest()
        assert notes == []
        assert checkpoint.step >= (acknowledged if step > 2 and failures < step - 1 else 1)
        assert reopened.best().name == "step-000001.safetensors"
        assert not any(is_temporary(each) for each in run.path.iterdir())
    assert failures >= 10
    assert run.latest()[1].step == step


def test_a_disk_that_fills_up_while_metrics_are_written_costs_that_line_only(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "run", {})
    run.append({"step": 1})
    with failing_call(0, FAULTS["full disk"], "write"), pytest.raises(RunError, match="No space left"):
        run.append({"step": 2})
    run.append({"step": 3})
    assert [record["step"] for record in run.metrics()] == [1, 3]


def laid_out(directory: Path, state: dict[str, bytes]) -> Path:
    """The directory that a power cut left, on the disk."""
    directory.mkdir()
    for name, content in state.items():
        (directory / name).write_bytes(content)
    return directory


def test_after_a_power_cut_at_any_moment_a_checkpoint_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "model.safetensors"
    old, new = make_checkpoint(1), make_checkpoint(2)
    save(old, path)
    layer = PowerCut(home)
    with layer.recording():
        save(new, path)
    seen = {"old": 0, "new": 0}
    number = itertools.count()
    for moment in layer.states:
        for state in moment:
            loaded = load(laid_out(tmp_path / f"cut{next(number)}", state) / path.name)
            assert same(loaded, old) or same(loaded, new)
            seen["old" if same(loaded, old) else "new"] += 1
    assert min(seen.values()) > 0
    for state in layer.states[-1]:
        assert same(load(laid_out(tmp_path / f"cut{next(number)}", state) / path.name), new), "it was acknowledged"


def test_the_power_cut_layer_would_notice_a_forgotten_sync(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "model.safetensors"
    save(make_checkpoint(1), path)
    layer = PowerCut(home)
    with layer.recording(forget_fsync=True):
        save(make_checkpoint(2), path)
    broken = 0
    number = itertools.count()
    for state in itertools.chain.from_iterable(layer.states):
        try:
            load(laid_out(tmp_path / f"cut{next(number)}", state) / path.name)
        except CheckpointError:
            broken += 1
    assert broken > 0


def test_after_a_power_cut_at_any_moment_a_run_has_what_was_acknowledged(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "run", {})
    for step in (1, 2, 3):
        run.save(make_checkpoint(step), best=step == 1)
    layer = PowerCut(run.path)
    acknowledged = {0: 3}
    with layer.recording(chunk=3000):
        for step in (4, 5):
            run.append({"step": step})
            run.save(make_checkpoint(step), best=step == 5)
            acknowledged[len(layer.states)] = step
    number = itertools.count()
    checked: set[tuple[int, frozenset[tuple[str, bytes]]]] = set()
    for moment, states in enumerate(layer.states):
        promised = max(step for since, step in acknowledged.items() if moment >= since - 1)
        for state in states:
            key = (promised, frozenset(state.items()))
            if key in checked:
                continue
            checked.add(key)
            left = Run.open(laid_out(tmp_path / f"cut{next(number)}", state))
            assert left.problem == ""
            _, checkpoint, notes = left.latest()
            assert notes == []
            assert checkpoint.step >= promised
            assert left.best().is_file()
            left.metrics()
    assert len(checked) > 20
