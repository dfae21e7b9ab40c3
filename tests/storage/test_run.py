"""A run's directory: what is kept, what is pruned, and what happens when parts of it are missing or broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from chargru.errors import CheckpointError, RunError
from chargru.storage import checkpoint as checkpoint_file
from chargru.storage.run import NotARunError, Run

from .faults import FAULTS, failing_call, watching
from .samples import make_checkpoint, same
from .test_lock import holder


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path, "run", {"corpus": "tales"})


def steps(run: Run) -> list[int]:
    return [int(path.name[5:-12]) for path in run.checkpoints()]


def save_all(run: Run, *numbers: int, best: int | None = None) -> None:
    for step in numbers:
        run.save(make_checkpoint(step, val_loss=None), best=step == best)


def test_a_new_run_has_a_record_and_nothing_else(run: Run) -> None:
    assert run.name == "run"
    assert [path.name for path in run.path.iterdir()] == ["run.json"]
    reopened = Run.open(str(run.path))
    assert reopened.record == run.record
    assert reopened.record["corpus"] == "tales"
    assert reopened.record["created"] <= reopened.record["updated"]
    assert (reopened.problem, reopened.metrics(), reopened.tail(), reopened.checkpoints()) == ("", [], [], [])


def test_names_are_made_safe_and_unique(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "root"
    names = [Run.create(root, name, {}).name for name in ("My Tales!", "my-tales", "MY TALES", "../my-tales", "한국어")]
    assert names == ["my-tales", "my-tales-2", "my-tales-3", "my-tales-4", "한국어"]


def test_a_run_that_cannot_be_made_leaves_no_directory(tmp_path: Path) -> None:
    with failing_call(0, FAULTS["full disk"], "write"), pytest.raises(RunError, match="No space left"):
        Run.create(tmp_path, "run", {})
    with pytest.raises(RunError):
        Run.create(tmp_path, "run", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="takes no new run"):
        Run.create(tmp_path / "file", "run", {})


def test_a_new_run_and_its_metrics_are_synced(tmp_path: Path) -> None:
    with watching("open") as opened:
        run = Run.create(tmp_path, "run", {})
    assert opened[-1] == tmp_path, "the directory that holds the run's name"
    run.append({"step": 1})
    with watching("open") as opened, watching("fsync") as synced:
        run.save(make_checkpoint(1), best=True)
    assert opened.count(run.path / "metrics.jsonl") == 1
    assert len(synced) == 5, "checkpoint and run.json with their directory each, and the metrics"


def test_updates_keep_the_other_fields(run: Run) -> None:
    other = Run.open(run.path)
    run.update(step=1, note="한")
    other.update(step=2)
    assert other.record["note"] == "한"
    assert Run.open(run.path).record == other.record
    with pytest.raises(RunError, match=r"run\.json was not written"):
        other.update(loss=float("inf"))
    assert Run.open(run.path).record["step"] == 2


def test_a_record_too_large_to_be_read_again_is_not_written(run: Run) -> None:
    with pytest.raises(RunError, match="larger than"):
        run.update(note="x" * (1 << 20))
    assert "note" not in Run.open(run.path).record


def test_metrics_are_appended_read_and_cut(run: Run) -> None:
    for step in range(1, 6):
        run.append({"step": step, "loss": 1 / step})
    assert [record["step"] for record in run.metrics()] == [1, 2, 3, 4, 5]
    assert run.tail() == run.metrics()
    run.truncate_metrics(3)
    run.append({"step": 4, "loss": 0.0})
    assert [record["loss"] for record in run.metrics()] == [1, 1 / 2, 1 / 3, 0.0]
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')
    assert run.read_metrics() == (run.metrics(), 1)
    assert len(run.metrics()) == 4
    with pytest.raises(RunError, match="was not written"):
        run.append({"loss": float("nan")})


def test_the_last_two_and_the_best_stay(run: Run) -> None:
    seen = {}
    for step in range(1, 8):
        path = run.save(make_checkpoint(step), best=step in (1, 3))
        assert path == run.path / f"step-{step:06d}.safetensors"
        assert same(checkpoint_file.load(path), make_checkpoint(step))
        seen[step] = steps(run)
    assert seen == {1: [1], 2: [1, 2], 3: [1, 2, 3][1:], 4: [3, 4], 5: [3, 4, 5], 6: [3, 5, 6], 7: [3, 6, 7]}
    assert run.best().name == "step-000003.safetensors"
    assert Run.open(run.path).record["best_checkpoint"] == "step-000003.safetensors"
    assert Run.open(run.path).record["latest_checkpoint"] == "step-000007.safetensors"


def test_nothing_is_removed_before_the_new_one_is_acknowledged(run: Run) -> None:
    save_all(run, 1, 2, 3, best=1)
    with failing_call(0, FAULTS["full disk"], "write"), pytest.raises(CheckpointError, match="No space left") as raised:
        run.save(make_checkpoint(4), best=True)
    assert "free some space" in raised.value.hint
    assert steps(run) == [1, 2, 3]
    assert run.best().name == "step-000001.safetensors"
    # the checkpoint is written, but run.json is not: it is there, and the others are too
    with failing_call(1, FAULTS["full disk"], "write"), pytest.raises(RunError, match=r"run\.json was not written"):
        run.save(make_checkpoint(4), best=True)
    assert steps(run) == [1, 2, 3, 4]
    with watching("unlink") as removed:
        run.save(make_checkpoint(5), best=False)
    assert [path.name for path in removed] == ["step-000002.safetensors", "step-000003.safetensors"]
    assert steps(run) == [1, 4, 5]


def test_a_best_checkpoint_that_run_json_does_not_know_yet_is_kept(run: Run) -> None:
    """The writer was killed between the two; the next one goes on from that checkpoint and knows its step."""
    save_all(run, 1, 2, best=1)
    checkpoint_file.save(make_checkpoint(3, best_step=3), run.path / "step-000003.safetensors")
    for step in (4, 5, 6):
        run.save(make_checkpoint(step, best_step=3), best=False)
    assert steps(run) == [3, 5, 6]
    assert run.best().name == "step-000003.safetensors"


def test_latest_is_the_highest_step(run: Run) -> None:
    with pytest.raises(RunError, match="no checkpoint yet"):
        run.latest()
    save_all(run, 1, 2, 1_000_000, 12_345_678)
    path, checkpoint, notes = run.latest()
    assert path.name == "step-12345678.safetensors"
    assert checkpoint.step == 12_345_678
    assert notes == []


def test_latest_skips_and_names_what_is_damaged(run: Run) -> None:
    save_all(run, 1, 2, 3, best=1)
    newest = run.checkpoints()[-1]
    newest.write_bytes(newest.read_bytes()[:-1])
    path, checkpoint, notes = run.latest()
    assert (path.name, checkpoint.step) == ("step-000002.safetensors", 2)
    assert len(notes) == 1
    assert "step-000003.safetensors" in notes[0]
    assert "cut off" in notes[0]
    path.write_bytes(b"")
    path, checkpoint, notes = run.latest()
    assert checkpoint.step == 1
    assert [name in note for name, note in zip(("000003", "000002"), notes, strict=True)] == [True, True]
    path.write_bytes(b"")
    with pytest.raises(RunError, match=r"no usable checkpoint.*step-000003.*step-000002.*step-000001"):
        run.latest()
    with pytest.raises(RunError, match=r"."):
        Run.open(run.path / "step-000001.safetensors")


def test_going_on_after_a_damaged_one_replaces_it(run: Run) -> None:
    save_all(run, 10, 20, 30, best=10)
    run.checkpoints()[-1].write_bytes(b"damaged")
    save_all(run, 25)
    assert steps(run) == [10, 20, 25]
    path, checkpoint, notes = run.latest()
    assert (path.name, checkpoint.step, notes) == ("step-000025.safetensors", 25, [])


def test_going_back_to_an_earlier_step_supersedes_the_later_ones_but_never_loses_the_best(run: Run) -> None:
    save_all(run, 10, 20, 30, best=30)
    assert steps(run) == [20, 30]
    save_all(run, 25)
    assert steps(run) == [20, 25, 30]
    for each in (run, Run.open(run.path)):
        assert each.best().name == "step-000030.safetensors"
        assert each.latest()[1].step == 25
    save_all(run, 27, 40)
    assert steps(run) == [27, 30, 40]
    assert run.latest()[1].step == 40
    save_all(run, 50, best=50)
    assert steps(run) == [40, 50]
    assert run.record["abandoned"] == []


def test_training_may_pass_an_abandoned_step_again(run: Run) -> None:
    save_all(run, 10, 30, best=30)
    save_all(run, 20, 30)
    assert run.latest()[1].step == 30
    assert run.record["abandoned"] == []


def test_without_a_record_the_run_goes_on_and_keeps_the_lowest_loss(run: Run) -> None:
    for step, loss in ((1, 1.0), (2, 3.0), (3, 2.0)):
        run.save(make_checkpoint(step, val_loss=loss), best=step == 1)
    (run.path / "run.json").write_text('{"torn')
    reopened = Run.open(run.path)
    assert reopened.problem == "run.json cannot be read: it is not JSON"
    assert reopened.record == {}
    assert reopened.best().name == "step-000001.safetensors"
    assert reopened.latest()[1].step == 3
    reopened.save(make_checkpoint(4, val_loss=1.5), best=False)
    assert steps(reopened) == [1, 3, 4]
    assert Run.open(run.path).problem == ""
    assert Run.open(run.path).best().name == "step-000001.safetensors"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not JSON"), (b"[1]", "not a JSON object"), (b"\xff\xfe", "not JSON"), (b"[" * 200_000, "not JSON"),
     (b" " * ((1 << 20) + 1), "larger than")],
)  # fmt: skip
def test_an_unreadable_record_is_told(content: bytes, reason: str, run: Run) -> None:
    (run.path / "run.json").write_bytes(content)
    assert reason in Run.open(run.path).problem
    with pytest.raises(RunError, match="has no checkpoint"):
        Run.open(run.path).best()


@pytest.mark.usefixtures("no_hanging")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_in_the_place_of_files_do_not_hang(run: Run) -> None:
    save_all(run, 1)
    (run.path / "run.json").unlink()
    for name in ("run.json", "metrics.jsonl", "step-000009.safetensors"):
        os.mkfifo(run.path / name)
    reopened = Run.open(run.path)
    assert "a named pipe" in reopened.problem
    assert reopened.latest()[1].step == 1
    for use in (reopened.metrics, reopened.tail, lambda: reopened.append({})):
        with pytest.raises(RunError):
            use()


def test_a_record_that_points_elsewhere_is_not_followed(run: Run, tmp_path: Path) -> None:
    save_all(run, 1)
    checkpoint_file.save(make_checkpoint(9), tmp_path / "step-000009.safetensors")
    for value in ("../step-000009.safetensors", "/etc/passwd", 5, ["step-000001.safetensors"], None):
        run.update(best_checkpoint=value, abandoned=value)
        assert Run.open(run.path).best().name == "step-000001.safetensors"
        assert Run.open(run.path).latest()[1].step == 1


def test_the_best_is_found_when_its_file_was_removed(run: Run) -> None:
    for step, loss in ((1, 1.0), (2, 2.0), (3, 3.0)):
        run.save(make_checkpoint(step, val_loss=loss), best=step == 1)
    run.best().unlink()
    assert run.best().name == "step-000002.safetensors"
    for path in run.checkpoints():
        path.unlink()
    with pytest.raises(RunError, match="run run has no checkpoint"):
        run.best()
    assert Run.open(run.path).record["corpus"] == "tales"


def test_without_any_loss_the_best_is_the_latest(run: Run) -> None:
    save_all(run, 1, 2)
    assert run.best().name == "step-000002.safetensors"


def test_files_that_are_not_checkpoints_of_a_run_are_left_alone(run: Run) -> None:
    others = ["step-1.safetensors", "step-000001.safetensors.bak", "notes.txt", "step-٠٠٠٠٠١.safetensors"]
    for name in others:
        (run.path / name).write_text("mine")
    (run.path / "step-000001.safetensors").mkdir()
    save_all(run, 2, 3, 4, 5)
    assert steps(run) == [4, 5]
    assert {each.name for each in run.path.iterdir()} > {*others, "step-000001.safetensors"}


def test_what_is_not_a_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name in ("missing", "file", "empty", "a\0b"):
        with pytest.raises(RunError) as raised:
            Run.open(tmp_path / name)
        assert raised.value.hint
    with pytest.raises(NotARunError, match=r"holds neither a run\.json nor a checkpoint"):
        Run.open(tmp_path / "empty")


def test_a_checkpoint_alone_makes_a_run(tmp_path: Path) -> None:
    checkpoint_file.save(make_checkpoint(7), tmp_path / "step-000007.safetensors")
    run = Run.open(tmp_path)
    assert run.problem == "run.json cannot be read: there is none"
    assert run.latest()[1].step == 7


def test_the_lock_sweeps_and_excludes_other_processes(run: Run) -> None:
    stale = run.path / ".chargru-0123456789abcdef.tmp"
    stale.write_bytes(b"half")
    with holder(run.path) as process:
        with pytest.raises(RunError, match=f"run run is in use by process {process.pid}"), run.lock():
            pass
        assert stale.exists(), "it may be the other's"
        process.kill()
        process.wait()
    with run.lock() as swept:
        assert swept == [stale]
        assert not stale.exists()
        with pytest.raises(RunError, match="in use"), Run.open(run.path).lock():
            pass


def test_a_run_that_is_gone_is_told(run: Run) -> None:
    (run.path / "run.json").unlink()
    run.path.rmdir()
    for use in (run.checkpoints, run.best, run.latest, lambda: run.append({}), lambda: run.update(a=1)):
        with pytest.raises(RunError, match="No such file"):
            use()
    with pytest.raises(RunError, match="cannot be locked"), run.lock():
        pass
    with pytest.raises(CheckpointError):
        run.save(make_checkpoint(1), best=True)
    run.record = {}
    assert run.changed() == 0.0


def test_when_a_run_was_changed_is_what_its_record_says(run: Run) -> None:
    record = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**record, "updated": "2020-01-02T00:00:00+00:00"}))
    assert Run.open(run.path).changed() == 1577923200.0
    for strange in ("yesterday", 5, None, "9" * 100):
        (run.path / "run.json").write_text(json.dumps({**record, "updated": strange}))
        assert Run.open(run.path).changed() == (run.path / "run.json").stat().st_mtime
