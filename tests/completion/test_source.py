"""The text of a model is found again, however it was read, or one line says why not."""

from __future__ import annotations

import dataclasses

import pytest

from chargru.completion import copied
from chargru.completion.completer import Completer
from chargru.completion.source import training_text
from chargru.config import TrainingConfig
from chargru.errors import ChargruError, CheckpointError, RunError, TextError
from chargru.storage.checkpoint import CorpusIdentity, save
from chargru.text import large, library
from chargru.text.stream import identity
from tests.storage.samples import make_checkpoint

TEXT = "Le café du port était fermé.\n" * 20


def saved(place, document, val_fraction=0.1):
    """A checkpoint in `place` that says it has learned `document`."""
    found = identity(document.text)
    corpus = CorpusIdentity(document.name, document.source, found.sha256, found.characters, document.encoding)
    training = TrainingConfig(steps=100, batch_size=2, seq_len=8, val_fraction=val_fraction)
    path = place / "step-000003.safetensors"
    save(make_checkpoint(corpus=corpus, training=training), path)
    return path


@pytest.mark.parametrize("val_fraction", [0.0, 0.1, 0.25])
def test_a_file_without_its_tail(tmp_path, val_fraction):
    file = tmp_path / "café.txt"
    file.write_text(TEXT, "utf-8")
    path = saved(tmp_path, library.load(str(file)), val_fraction)
    assert training_text(path) == TEXT[: int(len(TEXT) * (1 - val_fraction))]


def test_an_encoding_that_was_given_by_hand(tmp_path):
    file = tmp_path / "old.txt"
    file.write_text(TEXT, "cp437")
    path = saved(tmp_path, library.load(str(file), encoding="cp437"), 0.0)
    assert training_text(path) == TEXT


def test_bytes_that_were_replaced(tmp_path):
    file = tmp_path / "bad.txt"
    file.write_bytes(TEXT.encode() + b"\xff\xfe oh\n")
    path = saved(tmp_path, library.load(str(file), encoding="utf-8", replace=True), 0.0)
    assert training_text(path) == TEXT + "\ufffd\ufffd oh\n"


def test_a_directory(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXT, "utf-8")
    (folder / "b.txt").write_text(TEXT, "latin-1")
    document = library.load(str(folder))
    assert training_text(saved(tmp_path, document, 0.0)) == document.text


def test_a_text_of_the_library(tmp_path):
    document = library.load("tales")
    assert training_text(saved(tmp_path, document, 0.0)) == document.text


def test_a_text_that_came_through_a_pipe_and_was_kept(tmp_path):
    file = tmp_path / "elsewhere.txt"
    file.write_text(TEXT, "utf-8")
    piped = dataclasses.replace(library.load(str(file)), source="standard input", name="stdin")
    run = tmp_path / "run"
    run.mkdir()
    path = saved(run, piped, 0.0)
    with pytest.raises(RunError, match="came through standard input"):
        training_text(path)
    (run / "text.txt").write_text(TEXT, "utf-8")
    assert training_text(path) == TEXT


def told(path):
    with pytest.raises(ChargruError) as caught:
        training_text(path)
    error = caught.value
    assert "\n" not in error.message + error.hint
    return error


def test_a_changed_text_is_not_the_text(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(TEXT, "utf-8")
    path = saved(tmp_path, library.load(str(file)))
    file.write_text(TEXT + "more", "utf-8")
    error = told(path)
    assert isinstance(error, RunError)
    assert f"{len(TEXT) + 4:,} characters" in error.message
    file.write_text(TEXT[:-2] + "?\n", "utf-8")
    assert "other ones" in told(path).message


def test_a_text_that_is_gone(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(TEXT, "utf-8")
    path = saved(tmp_path, library.load(str(file)))
    file.unlink()
    error = told(path)
    assert isinstance(error, RunError)
    assert "cannot be read again: a.txt: no such file" in error.message
    assert str(file) in error.hint


def test_a_checkpoint_that_is_gone(tmp_path):
    assert isinstance(told(tmp_path / "none.safetensors"), CheckpointError)


def test_copies_of_a_loaded_model(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(TEXT, "utf-8")
    completer = Completer.from_checkpoint(saved(tmp_path, library.load(str(file)), 0.5))
    index = completer.copies()
    assert len(index) == len(TEXT) // 2
    (span,) = index.spans("x café du port était fermé. y")
    assert index.place(span).line == 1
    with pytest.raises(RunError, match="not loaded from a file"):
        Completer(completer.parameters, completer.vocabulary).copies()


def test_a_text_too_long_for_an_index_is_not_read(tmp_path, monkeypatch):
    file = tmp_path / "long.txt"
    file.write_text(TEXT, "utf-8")
    path = saved(tmp_path, library.load(str(file)), 0.0)
    monkeypatch.setattr(copied, "LIMIT", len(TEXT) - 1)
    file.unlink()
    with pytest.raises(TextError, match="too long for an index of copied passages"):
        training_text(path)


def test_a_file_that_has_become_much_larger_is_not_read(tmp_path, monkeypatch):
    file = tmp_path / "log.txt"
    file.write_text(TEXT, "utf-8")
    path = saved(tmp_path, library.load(str(file)), 0.0)
    monkeypatch.setattr(large, "LARGE", 1_000)
    assert training_text(path) == TEXT
    file.write_text(TEXT * 9, "utf-8")
    monkeypatch.setattr(library, "load", None)
    with pytest.raises(RunError, match="bytes, the model learned"):
        training_text(path)
