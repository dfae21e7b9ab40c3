"""The same training of a text that is read at once and of one that is learned from a memory map."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from chargru.config import TrainRequest
from chargru.errors import RunError, TextError
from chargru.events import Finished, Notice
from chargru.storage.checkpoint import load
from chargru.text import blocks, large
from chargru.text.decoding import UndecodableTextError
from chargru.text.vocabulary import Vocabulary
from chargru.training import reading
from chargru.training.session import open_session

TEXT = "Die Flut kam in der Nacht, und niemand schlief; größer war keine.\r\n" * 60


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(blocks, "BLOCK", 777)
    return tmp_path / "home"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "flut.txt"
    path.write_bytes(TEXT.encode())
    return path


@pytest.fixture
def as_large(monkeypatch):
    return lambda size=100: monkeypatch.setattr(large, "LARGE", size)


def train(path, home, **settings):
    request = {"corpus": path and str(path), "hidden_size": 8, "threads": 1, "out": str(home / "runs")} | settings
    trainer = open_session(TrainRequest(**request))
    events = list(trainer.run())
    assert isinstance(events[-1], Finished)
    return trainer, [event.message for event in events if isinstance(event, Notice)]


def plain(read):
    return (read.vocabulary, read.corpus, read.notes, read.ids.dtype, read.ids.tobytes())


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_large_text_is_the_same_text(text, home, as_large, encoding):
    text.write_bytes(TEXT.encode(encoding))
    small = reading.read(str(text))
    as_large()
    first, again = reading.read(str(text)), reading.read(str(text))
    assert plain(first) == plain(again) == plain(small)
    assert not first.ids.flags.writeable
    assert small.about_ids == again.about_ids == ()
    assert len(first.about_ids) == 1


def test_it_is_refused_in_the_same_words(text, home, as_large):
    text.write_bytes(TEXT.encode() + b"\xff")
    with pytest.raises(UndecodableTextError) as small:
        reading.read(str(text))
    as_large()
    with pytest.raises(UndecodableTextError) as raised:
        reading.read(str(text))
    assert (raised.value.message, raised.value.hint) == (small.value.message, small.value.hint)


def test_what_is_learned_is_the_same_to_the_bit(text, home, as_large):
    trainer, _ = train(text, home, steps=12, name="small")
    as_large()
    second, notices = train(text, home, steps=12, name="large")
    saved = [load(each.directory.latest()[0]) for each in (trainer, second)]
    np.testing.assert_array_equal(saved[0].weights, saved[1].weights)
    assert saved[0].corpus == saved[1].corpus
    assert any("its ids are kept in" in notice for notice in notices)
    assert any("Windows line end" in notice for notice in notices)


def test_a_run_goes_on_whatever_size_a_text_is_called_large_at(text, home, as_large):
    train(text, home, steps=4, name="r")
    as_large()
    _, notices = train(None, home, resume="r", steps=8)
    assert any("its ids are kept in" in notice for notice in notices)
    _, notices = train(None, home, resume="r", steps=12)
    assert not any("ids" in notice for notice in notices)
    as_large(10**9)
    train(None, home, resume="r", steps=16)
    as_large()
    text.write_bytes(TEXT.upper().encode())
    with pytest.raises(RunError, match="not the text this run learned"):
        train(None, home, resume="r", steps=20)


def test_a_given_encoding_and_replaced_bytes_are_found_again(text, home, as_large):
    as_large()
    text.write_bytes(TEXT.encode() + b"\xff")
    with pytest.raises(TextError, match="does not decode"):
        train(text, home, steps=4, name="r")
    _, notices = train(text, home, steps=4, name="r", replace_bad_bytes=True)
    assert any("1 byte replaced" in notice for notice in notices)
    train(None, home, resume="r", steps=8)
    train(text, home, steps=4, name="s", encoding="cp437")
    train(None, home, resume="s", steps=8)


def test_progress_comes_through_and_may_end_it(text, home, as_large):
    as_large()
    told = []
    request = TrainRequest(corpus=str(text), steps=3, out=str(home / "runs"))

    def progress(done, total):
        told.append((done, total))
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_session(request, progress)
    size = text.stat().st_size
    assert told[0] == (777, 2 * size)
    assert list(home.rglob("*.tmp")) + list(home.rglob("*.ids")) == []
    assert not (home / "runs").exists()


def test_a_copy_kept_in_a_run_is_read_like_a_file(text, home, as_large):
    text.write_bytes("größer\n".encode() * 99)
    small = reading.read_copy(text)
    as_large()
    found = reading.read_copy(text)
    assert plain(found) == plain(small)
    assert found.vocabulary == Vocabulary.from_text("größer\n")


def test_material_is_a_view_of_the_ids(text, home, as_large):
    as_large()
    read = reading.read(str(text))
    material = read.material(0.25)
    assert np.shares_memory(material.train, read.ids)
    assert np.shares_memory(material.val, read.ids)
    assert len(material.train) + len(material.val) == read.corpus.characters
    assert dataclasses.asdict(material.corpus) == dataclasses.asdict(read.corpus)


@pytest.fixture
def stdin(monkeypatch):
    return lambda data: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


@pytest.mark.parametrize("encoding", [None, "utf-8", "cp1252", "utf-16"])
def test_standard_input_is_the_same_text_too(home, as_large, stdin, encoding):
    data = TEXT.encode(encoding or "utf-8")
    stdin(data)
    small = reading.read("-", encoding=encoding)
    as_large()
    stdin(data)
    found = reading.read("-", encoding=encoding)
    assert plain(found) == plain(small)
    assert found.corpus.source == "standard input"
    assert not found.ids.flags.writeable
    assert not list(home.rglob("*"))
    for wrong in (b"", b"\0" * 200, b"\xff" * 200):
        stdin(wrong)
        with pytest.raises(TextError, match="stdin"):
            reading.read("-")


def test_an_encoding_that_needs_the_whole_gets_it(home, as_large, stdin):
    as_large()
    stdin(TEXT.encode("utf-7"))
    found = reading.read("-", encoding="utf-7")
    assert found.ids.flags.writeable  # in memory
    assert found.vocabulary.decode(found.ids) == TEXT.replace("\r", "")


def test_a_large_standard_input_is_kept_and_goes_on(home, as_large, stdin):
    as_large()
    stdin(TEXT.encode())
    trainer, notices = train("-", home, steps=4, name="piped")
    assert any("is kept in the run as text.txt" in notice for notice in notices)
    assert (trainer.directory.path / "text.txt").read_text("utf-8") == TEXT.replace("\r", "")
    train(None, home, resume="piped", steps=8)


def test_a_copy_that_cannot_be_kept_is_told(home, stdin, monkeypatch):
    def full(self, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reading.TextRead, "write_copy", full)
    stdin(TEXT.encode())
    trainer, notices = train("-", home, steps=4, name="piped")
    assert any("cannot be resumed: No space left" in notice for notice in notices)
    assert not (trainer.directory.path / "text.txt").exists()


def test_standard_input_without_room_is_one_clear_line(home, as_large, stdin, monkeypatch):
    as_large()
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/directory")
    stdin(TEXT.encode())
    with pytest.raises(TextError, match="stdin is too large for the memory") as raised:
        reading.read("-")
    assert "TMPDIR" in raised.value.hint


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured by /proc")
def test_memory_does_not_grow_with_the_text(tmp_path):
    """100 MB read, encoded, hashed and mapped in a fresh process: no more than a few blocks of it are ever resident."""
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        for number in range(1_000):
            file.write(b"# %d\n" % number + ("Größe ist relativ, sagte 한글.\n".encode() * 2_600))
    code = """if True:
        import pathlib, sys
        from chargru.training import reading
        def peak():
            lines = pathlib.Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
        before = peak()
        read = reading.read(sys.argv[1])
        print(len(read.ids), peak() - before)
    """
    command = [sys.executable, "-c", code, str(path)]
    environment = {**os.environ, "CHARGRU_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    characters, mebibytes = map(int, done.stdout.split())
    assert characters > 70_000_000
    assert mebibytes < 60
