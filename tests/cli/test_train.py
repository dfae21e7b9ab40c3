"""`chargru train` with scripted trainers; the real one is in test_end_to_end.py."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargru.cli import train as module
from chargru.cli.reading import ReadingBar
from chargru.cli.train import run_training
from chargru.config import TrainRequest
from chargru.errors import TextError, TrainingError
from chargru.events import Event, Failed, Notice, Saved, from_record
from chargru.text import blocks, large
from chargru.training import pilot

from .conftest import Command
from .fakes import CHECKPOINT, HOSTILE, Script, evaluated, finished, progress, sampled, started

Requests = list[TrainRequest]


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Requests]:
    """Put a script in the place of the real trainer; the requests it was opened with."""

    def install(*events: Event | BaseException) -> Requests:
        requests: Requests = []

        def opener(request: TrainRequest) -> Script:
            requests.append(request)
            return Script(*events)

        monkeypatch.setattr(module, "open_trainer", opener)
        return requests

    return install


def test_stdout_is_the_path_of_the_model_and_nothing_else(chargru: Command, trainer: Callable[..., Requests]) -> None:
    trainer(started(), progress(), evaluated(), sampled(), Saved(120, CHECKPOINT, True), finished())
    assert chargru("train", "tales", "--time", "90") == 0
    assert chargru.out == CHECKPOINT + "\n"
    assert "validation loss 1.700 nats/char, 2.453 bits/char" in chargru.err
    assert "chargru sample /runs/tales " in chargru.err


def test_the_next_command_names_the_run_where_others_look_for_it(
    chargru: Command, trainer: Callable[..., Requests]
) -> None:
    from chargru.storage.runs import runs_root

    trainer(started(run="my tales", path=str(runs_root() / "my tales")), finished("interrupted"))
    assert chargru("train", "tales") == 130
    assert "train --resume 'my tales'\n" in chargru.err
    assert "sample 'my tales' " in chargru.err


def test_flags_become_the_request(chargru: Command, trainer: Callable[..., Requests]) -> None:
    requests = trainer(started(), finished())
    flags = (
        "--time 3m --hidden-size 96 --layers 2 --batch-size 8 --seq-len 16 --learning-rate 1e-3 --dropout 0.2 "
        "--weight-drop 0.1 --state-reset 0.05 --averaging 0.99 --weight-decay 0.01 --clip-norm 2 --evaluations 7 "
        "--val-fraction 0.2 --seed 5 --threads 1 --backend numpy --name n --out o --encoding utf-8 "
        "--replace-bad-bytes --sample-prompt p"
    )
    assert chargru("train", "some.txt", *flags.split()) == 0
    assert requests == [
        TrainRequest(
            corpus="some.txt", time=180.0, hidden_size=96, num_layers=2, batch_size=8, seq_len=16, learning_rate=1e-3,
            dropout=0.2, weight_drop=0.1, state_reset=0.05, averaging=0.99, weight_decay=0.01, clip_norm=2.0,
            evaluations=7, val_fraction=0.2, seed=5, threads=1, backend="numpy", name="n", out="o", encoding="utf-8",
            replace_bad_bytes=True, sample_prompt="p",
        )
    ]  # fmt: skip
    assert chargru("train", "--resume", "r", "--steps", "9", "--num-layers", "3") == 0
    assert requests[1] == TrainRequest(resume="r", steps=9, num_layers=3)
    assert chargru("train", "moved.txt", "--resume", "r") == 0
    assert requests[2] == TrainRequest(corpus="moved.txt", resume="r")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["tales", "--time", "3x"],
        ["tales", "--time", "1m", "--steps", "5"],
        ["tales", "--hidden-size", "0"],
        ["tales", "--dropout", "nan"],
        ["tales", "--backend", "tpu"],
        ["tales", "more"],
        ["tales", "--surprise"],
    ],
)
def test_wrong_usage_is_two(argv: list[str], chargru: Command, trainer: Callable[..., Requests]) -> None:
    requests = trainer(started(), finished())
    assert chargru("train", *argv) == 2
    assert requests == []
    assert chargru.out == ""
    assert chargru.err.startswith("chargru: ")
    assert "Traceback" not in chargru.err


def test_json_is_every_event_and_nothing_else(chargru: Command, trainer: Callable[..., Requests]) -> None:
    events = [started(), Notice(HOSTILE), progress(), evaluated(), Saved(120, CHECKPOINT, True), finished()]
    trainer(*events)
    assert chargru("train", "tales", "--json") == 0
    lines = chargru.out.splitlines()
    assert [from_record(json.loads(line)) for line in lines] == events
    assert chargru.out.isascii()
    last = json.loads(lines[-1])
    assert last["event"] == "finished"
    assert {"checkpoint", "val_loss", "steps", "seconds", "chars_per_second"} <= set(last)


def test_json_has_no_number_that_json_does_not_know(chargru: Command, trainer: Callable[..., Requests]) -> None:
    trainer(started(), progress(loss=math.nan), finished())
    assert chargru("train", "tales", "--json") == 0
    assert json.loads(chargru.out.splitlines()[1])["loss"] is None


@pytest.mark.parametrize(
    "events",
    [
        (TextError("no such text", "look again"),),
        (started(), TrainingError("no such text", "look again")),
        (started(), Failed("no such text", "look again")),
    ],
)
def test_a_failure_is_one_line_a_hint_and_one(
    events: tuple[Any, ...], chargru: Command, trainer: Callable[..., Requests]
) -> None:
    trainer(*events)
    assert chargru("train", "tales", "--json") == 1
    assert chargru.err.endswith("chargru: no such text\n  look again\n")
    failures = [json.loads(line) for line in chargru.out.splitlines() if json.loads(line)["event"] == "failed"]
    assert failures == [{"event": "failed", "message": "no such text", "hint": "look again"}]


def test_a_training_without_a_last_event_is_a_failure(chargru: Command, trainer: Callable[..., Requests]) -> None:
    trainer(started())
    assert chargru("train", "tales") == 1
    assert "without a result" in chargru.err


def test_an_interrupted_training_is_130_and_says_how_to_go_on(
    chargru: Command, trainer: Callable[..., Requests]
) -> None:
    trainer(started(), finished("interrupted"))
    assert chargru("train", "tales") == 130
    assert chargru.out == CHECKPOINT + "\n"
    assert "interrupted and saved" in chargru.err
    assert "train --resume /runs/tales" in chargru.err


@pytest.mark.long
def test_a_new_training_with_a_budget_of_time_is_forecast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilot, "EARLY", 2)
    monkeypatch.setattr(pilot, "LATE", 4)
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on a mat, and the rat sat on the cat.\n" * 40, encoding="utf-8")
    sizes = {"corpus": str(text), "hidden_size": 24, "num_layers": 2}
    module.open_trainer(TrainRequest(time=20.0, **sizes))
    first, line = capsys.readouterr().err.splitlines()
    assert first == "forecast: a small network learns the text first, about 1 s"
    assert line.startswith("forecast: about ")
    assert "2 × 24 units, likely " in line
    assert line.endswith(")")
    monkeypatch.setattr(pilot, "LATE", 10**9)  # beside which the budget is nothing
    module.open_trainer(TrainRequest(time=20.0, **sizes))
    (line,) = capsys.readouterr().err.splitlines()
    assert "likely" in line
    module.open_trainer(TrainRequest(steps=20, **sizes))
    assert capsys.readouterr().err == ""


def test_a_reader_that_leaves_interrupts_the_training_so_that_it_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    script = Script(started(), progress(), finished("interrupted"))
    run_training(TrainRequest(corpus="tales"), as_json=True, opener=lambda _: script)
    assert script.control.ending == "interrupted"


def test_a_part_that_was_scored_is_told(trainer: Callable[..., Requests], chargru: Command) -> None:
    part = dataclasses.replace(evaluated(120), chars=1_234, complete=False)
    trainer(started(val_chars=99_999), evaluated(60), part, finished())
    assert chargru("train", "tales") == 0
    assert "on 1,234 of 99,999 held-out characters" in chargru.err
    trainer(started(val_chars=99_999), part, evaluated(120), finished())
    assert chargru("train", "tales") == 0
    assert "held-out" not in chargru.err.splitlines()[-2]


class TestLarge:
    @pytest.fixture
    def text(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(large, "LARGE", 100)
        monkeypatch.setattr(blocks, "BLOCK", 100)
        path = tmp_path / "text.txt"
        path.write_text("the cat sat. on a mat the rat sat.\n" * 60)
        return path

    def test_its_reading_is_narrated_on_stderr_only(self, text: Path, chargru: Command, tmp_path: Path) -> None:
        assert chargru("train", text, "--steps", 3, "--hidden-size", 8, "--json") == 0
        assert {json.loads(line)["event"] for line in chargru.out.splitlines()} >= {"started", "finished"}
        assert "its ids are kept in" in chargru.err
        assert "\r" not in chargru.err
        assert len(list(tmp_path.rglob("*.ids"))) == 1

    def test_ctrl_c_while_it_is_read_leaves_nothing(
        self, text: Path, chargru: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def ctrl_c(reading: object, done: int, total: int) -> None:
            if done > 3_000:
                raise KeyboardInterrupt

        monkeypatch.setattr(ReadingBar, "__call__", ctrl_c)
        assert chargru("train", text, "--steps", 3) == 130
        assert "Traceback" not in chargru.err
        left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
        assert left == ["text.txt"]
