"""The curves of a run, folded from what it told, while it tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chargru.storage import history as history_module
from chargru.storage import metrics
from chargru.storage.history import History, Point, halved, number


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def progress(step: int, loss: Any, **more: Any) -> dict[str, Any]:
    return {"event": "progress", "step": step, "loss": loss, "elapsed": step / 10, "fraction": step / 100, **more}


def evaluated(step: int, loss: Any, **more: Any) -> dict[str, Any]:
    told = {"event": "evaluated", "step": step, "val_loss": loss, "elapsed": step / 10, "chars": 4096}
    return {**told, "complete": False, "fraction": step / 100, **more}


def tell(path: Path, *records: dict[str, Any]) -> None:
    for record in records:
        metrics.append(path, record)


def test_curves_grow_with_the_file(path: Path) -> None:
    history = History(path)
    assert not history.refresh()
    tell(path, progress(1, 3.0), evaluated(1, 2.9), progress(2, 2.5))
    assert history.refresh()
    assert history.training == [[Point(1, 0.1, 3.0), Point(2, 0.2, 2.5)]]
    assert history.validation == [[Point(1, 0.1, 2.9)]]
    assert not history.refresh()
    tell(path, evaluated(3, 2.4, chars=9000, complete=True))
    assert history.refresh()
    assert history.validation == [[Point(1, 0.1, 2.9), Point(3, 0.3, 2.4)]]
    assert history.latest == history.best == Point(3, 0.3, 2.4)
    assert (history.scored, history.fraction) == ((9000, True), 0.03)


def test_going_back_leaves_a_gap_and_a_resumed_run_begins_anew(path: Path) -> None:
    tell(
        path, progress(1, 3.0), progress(2, 9.0), {"event": "recovered", "step": 2}, progress(2, 2.8), evaluated(5, 2.0)
    )
    history = History(path)
    history.refresh()
    assert [len(segment) for segment in history.training] == [2, 1]
    assert history.recoveries == [2]
    metrics.truncate(path, 1)
    tell(path, progress(2, 2.7))
    history.refresh()
    assert history.training == [[Point(1, 0.1, 3.0), Point(2, 0.2, 2.7)]]
    assert history.validation == []
    assert history.recoveries == []


def test_the_other_events_are_kept_as_they_stand(path: Path) -> None:
    tell(
        path,
        {"event": "started", "run": "tales", "seed": 1},
        {"event": "landmarks", "uniform": 4.2, "unigram": 3.1, "odd": "text"},
        {"event": "sampled", "step": 4, "prompt": "The ", "text": "king\x1b[31m", "temperature": 0.8},
        *({"event": "notice", "message": f"notice {number}"} for number in range(9)),
    )
    history = History(path)
    history.refresh()
    assert history.started["run"] == "tales"
    assert history.landmarks == {"uniform": 4.2, "unigram": 3.1}
    assert history.sample == (4, "The ", "king\x1b[31m")
    assert list(history.notes) == [f"notice {number}" for number in range(4, 9)]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "null",
        '{"event":"progress"}',
        '{"event":"progress","step":-1,"loss":1}',
        '{"event":"progress","step":true,"loss":1}',
        '{"event":"progress","step":1e3,"loss":1}',
        '{"event":"progress","step":' + "9" * 30 + ',"loss":1}',
        '{"event":"evaluated","step":1,"val_loss":"low"}',
        '{"event":"evaluated","step":1,"val_loss":NaN}',
        '{"event":"evaluated","step":1,"val_loss":' + "9" * 400 + "}",
        '{"event":["progress"],"step":1}',
        '{"event":"sampled","step":1,"text":5}',
        '{"event":"notice","message":{}}',
        '{"event":"landmarks","uniform":Infinity}',
        "[" * 100_000,
    ],
)
def test_what_no_trainer_writes_is_passed_over(line: str, path: Path) -> None:
    path.write_text(line + "\n" + json.dumps(evaluated(7, 1.5)) + "\n")
    history = History(path)
    history.refresh()
    assert history.validation == [[Point(7, 0.7, 1.5)]]
    assert history.training == []
    assert history.sample is None


def test_a_light_history_keeps_the_evaluations_and_the_newest_only(path: Path) -> None:
    tell(path, *(progress(step, 3.0) for step in range(1, 50)), evaluated(50, 2.0), progress(51, 1.9))
    light = History(path, light=True)
    light.refresh()
    assert light.training == []
    assert light.validation == [[Point(50, 5.0, 2.0)]]
    assert light.latest == Point(51, 5.1, 1.9)
    assert light.best == Point(50, 5.0, 2.0)


def test_a_long_training_stays_small_and_keeps_its_spikes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MOST_POINTS", 64)
    lines = [json.dumps(progress(step, 9.0 if step == 333 else 2.0)) for step in range(1, 1001)]
    path.write_text("\n".join(lines) + "\n")
    history = History(path)
    history.refresh()
    (segment,) = history.training
    assert len(segment) <= 64
    assert max(segment, key=lambda point: point.loss).step == 333
    assert segment == sorted(segment)
    assert segment[-1].step == 1000


def test_halving_keeps_the_lowest_and_the_highest_in_order() -> None:
    points = [Point(step, 0.0, loss) for step, loss in enumerate((5.0, 1.0, 9.0, 4.0, 3.0))]
    assert [point.loss for point in halved(points)] == [1.0, 9.0, 3.0]


def test_numbers_are_finite_and_no_truth_values() -> None:
    assert [number(value) for value in (1, 2.5, True, None, "1", float("nan"), float("inf"), 10**400)] == [
        1.0,
        2.5,
        *[None] * 6,
    ]
