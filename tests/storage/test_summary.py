"""The facts on every run: what is told of sound, live, killed and broken ones, and that only what changed is read."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chargru.errors import RunError
from chargru.events import Evaluated, Progress, to_record
from chargru.storage import checkpoint as checkpoint_file
from chargru.storage import regular
from chargru.storage.checkpoint import CorpusIdentity
from chargru.storage.run import Run
from chargru.storage.summary import Catalogue, differences, summarise

from .samples import make_checkpoint
from .test_lock import holder
from .test_runs import make_run


def evaluated(step: int, loss: float) -> dict[str, Any]:
    return to_record(Evaluated(step, 0.1, loss, None, loss, step, 4096, False, step / 2))


def states(root: Path) -> dict[str, str]:
    return {run.name: run.state for run in Catalogue(root).runs()}


def test_a_run_is_told_by_its_newest_checkpoint_and_its_evaluations(tmp_path: Path) -> None:
    run = make_run(tmp_path, "tales")
    for step, loss in ((1, 3.0), (2, 2.5)):
        run.append(evaluated(step, loss))
    run.update(status="finished")
    (found,) = Catalogue(tmp_path).runs()
    newest = make_checkpoint(2)
    assert (found.name, found.path, found.state, found.problem) == ("tales", run.path, "finished", "")
    assert (found.corpus, found.model, found.training) == (newest.corpus, newest.model, newest.training)
    assert (found.step, found.seconds, found.best_loss) == (2, newest.seconds, 1.5)
    assert found.losses == (3.0, 2.5)
    assert [(each.name, each.best) for each in found.models] == [
        ("step-000001.safetensors", True),
        ("step-000002.safetensors", False),
    ]
    assert found.size == sum(path.stat().st_size for path in run.path.iterdir())
    assert summarise(run) == found


def test_states(tmp_path: Path) -> None:
    make_run(tmp_path, "killed").update(status="running")
    make_run(tmp_path, "done").update(status="finished")
    make_run(tmp_path, "fresh", saved=False)
    (make_run(tmp_path, "no-record").path / "run.json").write_text("{")
    for path in make_run(tmp_path, "no-model").checkpoints():
        path.write_bytes(b"nonsense")
    older = make_run(tmp_path, "older")
    older.checkpoints()[-1].write_bytes(b"nonsense")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    expected = {"killed": "stopped", "done": "finished", "fresh": "broken", "no-record": "stopped"}
    assert states(tmp_path) == expected | {"no-model": "broken", "older": "stopped"}
    told = {run.name: run.problem for run in Catalogue(tmp_path).runs()}
    assert "no checkpoint" in told["fresh"]
    assert "run.json" in told["no-record"]
    assert "step-000002" in told["no-model"]
    assert "step-000002" in told["older"]
    assert told["killed"] == told["done"] == ""


def test_a_run_that_another_process_holds_is_live_and_moves(tmp_path: Path) -> None:
    run = make_run(tmp_path, "tales", "2020-01-01T00:00:00.000+00:00")
    make_run(tmp_path, "newer", "2021-01-01T00:00:00.000+00:00")
    catalogue = Catalogue(tmp_path)
    with holder(run.path) as process:
        run.append(evaluated(10, 1.25))
        live = catalogue.runs()[0]
        assert (live.name, live.state, live.holder) == ("tales", "live", process.pid)
        assert (live.step, live.seconds, live.best_loss, live.best_step) == (10, 5.0, 1.25, 10)
        run.append(to_record(Progress(12, 0.1, 0.1, 1.2, 0.1, 1e-3, 1.0, 6.0, 1.0, 0)))
        run.append(evaluated(13, 1.0))
        live = catalogue.runs()[0]
        assert (live.step, live.best_loss, live.losses) == (13, 1.0, (1.25, 1.0))
        process.kill()
        process.wait()
    after = {each.name: each for each in catalogue.runs()}["tales"]
    assert (after.state, after.holder, after.step) == ("stopped", 0, 2), "it goes on from what was saved"


def test_a_live_run_without_a_checkpoint_is_not_broken(tmp_path: Path) -> None:
    run = make_run(tmp_path, "tales", saved=False)
    with run.lock():
        (found,) = Catalogue(tmp_path).runs()
        assert (found.state, found.problem, found.holder) == ("live", "", os.getpid())
    assert states(tmp_path) == {"tales": "broken"}


def test_only_what_has_changed_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [make_run(tmp_path, name) for name in ("a", "b", "c")]
    for run in runs:
        run.append(evaluated(1, 2.0))
    catalogue = Catalogue(tmp_path)
    first = catalogue.runs()
    peeked: list[str] = []
    real = checkpoint_file.peek

    def watched(path: str | Path) -> Any:
        peeked.append(Path(path).parent.name)
        return real(path)

    monkeypatch.setattr(checkpoint_file, "peek", watched)
    assert catalogue.runs() == first
    assert peeked == []
    runs[1].append(evaluated(2, 1.9))
    assert {run.name: run.losses for run in catalogue.runs()}["b"] == (2.0, 1.9)
    assert peeked == ["b"]
    for path in runs[2].path.iterdir():
        path.unlink()
    runs[2].path.rmdir()
    assert {run.name for run in catalogue.runs()} == {"a", "b"}


def test_a_list_reads_metrics_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chargru.storage import follow

    run = make_run(tmp_path, "tales")
    run.append(evaluated(1, 2.0))
    opened: list[str] = []
    real = regular.open_regular

    def watched(path: Path) -> Any:
        opened.append(path.name)
        return real(path)

    monkeypatch.setattr(follow, "open_regular", watched)
    catalogue = Catalogue(tmp_path)
    for _ in range(3):
        catalogue.runs()
    assert opened == ["metrics.jsonl"]


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"corpus": "tales", "model": 5, "training": []},
        {"corpus": {"name": 1}, "model": {"vocab_size": -1}, "training": {"steps": 1, "unknown": 2}},
        {"status": ["finished"], "created": 3, "updated": [], "best_checkpoint": {}},
        {"corpus": dict.fromkeys(("name", "source", "sha256", "characters", "encoding"), "x")},
    ],
)
def test_an_odd_run_json_breaks_nothing(record: dict[str, Any], tmp_path: Path) -> None:
    run = make_run(tmp_path, "tales", saved=False)
    (run.path / "run.json").write_text(json.dumps(record))
    (found,) = Catalogue(tmp_path).runs()
    assert (found.state, found.corpus, found.model, found.training) == ("broken", None, None, None)


def test_a_run_is_told_by_its_run_json_before_its_first_checkpoint(tmp_path: Path) -> None:
    from dataclasses import asdict

    plan = make_checkpoint()
    record = {
        "corpus": asdict(plan.corpus),
        "model": plan.model.to_dict(),
        "training": plan.training.to_dict(),
    }
    Run.create(tmp_path, "tales", record)
    (found,) = Catalogue(tmp_path).runs()
    assert (found.corpus, found.model, found.training) == (plan.corpus, plan.model, plan.training)


def test_a_missing_root_has_no_runs_and_a_file_is_told(tmp_path: Path) -> None:
    assert Catalogue(tmp_path / "missing").runs() == []
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be listed"):
        Catalogue(tmp_path / "file").runs()


def test_losses_compare_on_the_same_text_and_the_same_part_of_it_only(tmp_path: Path) -> None:
    run = summarise(make_run(tmp_path, "tales"))
    assert run.training is not None
    assert run.model is not None
    other_text = replace(run, corpus=CorpusIdentity("b", "b", "cd" * 32, 5, "utf-8"))
    wider = replace(other_text, model=run.model.with_(vocab_size=99))
    other_part = replace(run, training=run.training.with_(val_fraction=0.2))
    assert differences([run, run]) == differences([run]) == differences([]) == []
    assert differences([run, other_text]) == ["2 different texts"]
    assert differences([run, wider, other_text]) == ["2 different texts", "vocabularies of different sizes"]
    assert differences([run, other_part]) == ["different parts held out for validation"]
    assert differences([run, run], [4096, 16272]) == ["validated on 4,096 to 16,272 characters"]
    assert differences([run, run], [4096, 4096]) == []
