"""From a request to a run and back to it: files, standard input, changed settings, and what is refused."""

from __future__ import annotations

import io
import sys

import pytest

from chargru.config import TrainRequest
from chargru.errors import BackendError, ChargruError, ConfigError, RunError, TextError
from chargru.events import Finished, Notice, Started
from chargru.training.control import Control
from chargru.training.session import open_session

TEXT = "It was the night of the great tide, and nobody slept. " * 30


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "my note.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def request_of(tmp_path, text):
    def make(**settings):
        return TrainRequest(**({"corpus": str(text), "out": str(tmp_path / "runs"), "hidden_size": 8} | settings))

    return make


def finish(trainer):
    return list(trainer.run())[-1]


def test_a_file_becomes_a_run(request_of):
    trainer = open_session(request_of(steps=8, name="my run"))
    events = list(trainer.run())
    started = next(event for event in events if isinstance(event, Started))
    assert started.run == "my-run"
    assert started.corpus == "my note.txt" or "note" in started.corpus
    assert started.hidden_size == 8
    assert started.train_chars == int(len(TEXT) * 0.9)
    assert isinstance(events[-1], Finished)
    assert trainer.directory.record["training"]["steps"] == 8


def test_what_is_given_by_hand_is_kept_and_the_rest_is_chosen(request_of):
    trainer = open_session(request_of(time=5.0, num_layers=2, dropout=0.33, seed=9))
    assert trainer.model.num_layers == 2
    assert trainer.training.dropout == 0.33
    assert trainer.training.seed == 9
    assert trainer.training.time == 5.0
    assert trainer.training.weight_drop > 0  # a small text read over and over


def test_a_short_text_gets_smaller_windows_and_is_told(request_of, text):
    text.write_text("short, very short", encoding="utf-8")
    trainer = open_session(request_of(steps=3))
    assert trainer.training.batch_size * trainer.training.seq_len <= 15
    notices = [event.message for event in trainer.run() if isinstance(event, Notice)]
    assert any("short" in message for message in notices)


@pytest.mark.long
def test_resume_goes_on_in_the_same_run(request_of, tmp_path):
    first = open_session(request_of(steps=40, name="r"))
    control = Control()
    control.interrupt()
    list(first.run(control))
    second = open_session(TrainRequest(resume="r", out=str(tmp_path / "runs")))
    assert second.directory.path == first.directory.path
    assert second.step == first.step
    assert finish(second).steps == 40


def test_a_spent_budget_wants_a_larger_one_and_takes_it(request_of, tmp_path):
    finish(open_session(request_of(steps=5, name="r")))
    runs = str(tmp_path / "runs")
    with pytest.raises(RunError, match="spent its budget") as raised:
        open_session(TrainRequest(resume="r", out=runs))
    assert "--steps" in raised.value.hint
    assert finish(open_session(TrainRequest(resume="r", out=runs, steps=9))).steps == 9


def test_resume_refuses_another_text_and_says_how_to_name_a_moved_one(request_of, tmp_path, text):
    finish(open_session(request_of(steps=5, name="r")))
    runs = str(tmp_path / "runs")
    moved = text.rename(tmp_path / "moved.txt")
    with pytest.raises(RunError, match="cannot be read again") as raised:
        open_session(TrainRequest(resume="r", out=runs, steps=9))
    assert "--resume" in raised.value.hint
    assert finish(open_session(TrainRequest(resume="r", corpus=str(moved), out=runs, steps=9))).steps == 9
    moved.write_text(TEXT + "!", encoding="utf-8")
    with pytest.raises(RunError, match="not the text this run learned"):
        open_session(TrainRequest(resume="r", corpus=str(moved), out=runs, steps=12))


def test_a_text_read_with_bad_bytes_replaced_goes_on_without_being_told_again(request_of, tmp_path, text):
    text.write_bytes(TEXT.encode() + b"\xff" + TEXT.encode())
    with pytest.raises(TextError, match="does not decode"):
        open_session(request_of(steps=5))
    finish(open_session(request_of(steps=5, name="r", replace_bad_bytes=True)))
    runs = str(tmp_path / "runs")
    assert finish(open_session(TrainRequest(resume="r", out=runs, steps=9))).steps == 9
    text.write_bytes(TEXT.encode() + b"\xff\xfe" + TEXT.encode())
    with pytest.raises(RunError, match="not the text this run learned"):
        open_session(TrainRequest(resume="r", out=runs, steps=12))


def test_sizes_cannot_change_on_the_way(request_of, tmp_path):
    finish(open_session(request_of(steps=5, name="r")))
    with pytest.raises(ConfigError, match="hidden_size cannot change"):
        open_session(TrainRequest(resume="r", out=str(tmp_path / "runs"), steps=9, hidden_size=16))


def test_an_older_checkpoint_branches_into_a_run_of_its_own(request_of, tmp_path):
    trainer = open_session(request_of(steps=30, name="r", evaluations=3))
    finish(trainer)
    oldest = trainer.directory.checkpoints()[0]
    newest = trainer.directory.latest()[0]
    assert oldest.name != newest.name
    branch = open_session(TrainRequest(resume=str(oldest), out=str(tmp_path / "runs")))
    assert branch.directory.path != trainer.directory.path
    assert finish(branch).steps == 30
    assert trainer.directory.latest()[0] == newest


def test_standard_input_is_kept_for_resuming(request_of, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode()), encoding="utf-8"))
    trainer = open_session(request_of(corpus="-", steps=5, name="piped"))
    finish(trainer)
    assert (trainer.directory.path / "text.txt").read_text(encoding="utf-8") == TEXT
    resumed = open_session(TrainRequest(resume="piped", out=str(tmp_path / "runs"), steps=8))
    assert finish(resumed).steps == 8


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"corpus": "/no/such/file"}, TextError),
        ({"corpus": "no-such-name"}, TextError),
        ({"corpus": None, "resume": "no-such-run"}, RunError),
        ({"backend": "cupy"}, BackendError),
        ({"hidden_size": 8000, "num_layers": 6, "batch_size": 4096, "seq_len": 4096}, ChargruError),
    ],
    ids=str,
)
def test_what_cannot_be_is_one_clear_line(request_of, settings, kind):
    with pytest.raises(kind) as raised:
        open_session(request_of(steps=5, **settings))
    assert raised.value.message
    assert "\n" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize("wrong", [{}, {"corpus": "tales", "steps": 3, "time": 3.0}], ids=str)
def test_impossible_requests_are_refused(wrong):
    with pytest.raises(ConfigError):
        TrainRequest(**wrong)
