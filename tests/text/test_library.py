"""Texts by name, and any text by one spec."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from chargru.errors import TextError
from chargru.text import large, library, preview, reader

from . import samples as s


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of two bundled texts, and an empty directory to stand in."""
    folder = tmp_path / "corpora"
    folder.mkdir()
    (folder / "tales.txt").write_text("Once upon a time.\n" * 50)
    (folder / "long-poem.txt").write_text(s.KOREAN)
    (folder / "notes.md").write_text("no corpus")
    monkeypatch.setattr(library, "_FOLDERS", (tmp_path / "missing", folder))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return folder


def refused(spec: str) -> TextError:
    with pytest.raises(TextError) as caught:
        library.load(spec)
    assert (caught.value.message + caught.value.hint).isprintable()
    return caught.value


def test_entries(corpora: Path) -> None:
    found = {entry.name: entry for entry in library.entries()}
    assert list(found) == ["long-poem", "tales", "python-reference", "python-stdlib"]
    assert found["tales"].title == "Tales"
    assert found["tales"].characters == 900
    assert found["long-poem"].title == "Long poem"
    for entry in found.values():
        assert entry.title
        assert entry.description
        assert len(entry.description.splitlines()) == 1


def test_entries_read_no_text(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("a text was read")

    monkeypatch.setattr(reader, "read_file", forbidden)
    monkeypatch.setattr(library.python_texts, "READERS", {})
    assert len(library.entries()) == 4


def test_the_checkout_or_the_wheel_has_its_folder() -> None:
    package = Path(library.__file__).parent.parent
    assert (package / "bundled_corpora", package.parent / "corpora") == library._FOLDERS
    assert package.name == "chargru"


def test_every_entry_of_this_installation_loads() -> None:
    for entry in library.entries():
        if entry.name != "python-stdlib":  # five megabytes; tested in part elsewhere
            document = entry.load()
            assert document.text
            assert (document.name, document.source) == (entry.name, entry.name)
            assert entry.characters is not None
            assert entry.characters / 2 < len(document.text) < entry.characters * 2


def test_by_name(corpora: Path) -> None:
    document = library.load("tales")
    assert document.text == "Once upon a time.\n" * 50
    assert (document.name, document.source, document.notes) == ("tales", "tales", ())
    assert library.load(document.source) == document


def test_a_name_goes_before_a_file_and_says_so(corpora: Path) -> None:
    Path("tales").write_text("mine")
    assert library.load("tales").text.startswith("Once")
    assert "./tales" in library.load("tales").notes[-1]
    assert library.load("./tales").text == "mine"


def test_files_directories_and_standard_input(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.txt").write_bytes(s.KOREAN.encode("cp949"))
    assert library.load("mine.txt").text == s.KOREAN
    assert library.load(".").text == s.KOREAN
    assert library.load("mine.txt", encoding="ascii", replace=True).notes[0].endswith("the first at offset 0")
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": io.BytesIO(b"typed")})())
    assert library.load("-").text == "typed"


def test_unknown_names_have_near_ones(corpora: Path) -> None:
    Path("essay.txt").write_text("x")
    error = refused("talse")
    assert "talse" in error.message
    assert error.hint == "did you mean tales?"
    assert refused("esay.txt").hint == "did you mean essay.txt?"
    assert "tales, python-reference" in refused("qqqqqq").hint
    assert refused("no/such/file").message == "file: no such file or directory"


@pytest.mark.parametrize("spec", ["", "a\0b", "x" * 5_000, "\x1b[2J\n", "\ud800", "~nobody", "..."])
def test_impossible_specs(corpora: Path, spec: str) -> None:
    assert refused(spec).message


def test_special_files_are_refused(corpora: Path) -> None:
    os.mkfifo("pipe")
    assert "a FIFO" in refused("pipe").message


def test_preview(corpora: Path) -> None:
    seen = library.preview("tales", lines=2)
    assert seen.lines == ("Once upon a time.", "Once upon a time.")
    assert (seen.characters, seen.complete) == (900, True)
    assert seen.vocab_size == len(set("Once upon a time.\n"))


def test_preview_is_bounded(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "LIMIT", 90)
    seen = library.preview("tales")
    assert (seen.characters_read, seen.characters, seen.complete) == (90, 900, False)
    Path("own.txt").write_text("word " * 1_000)
    own = library.preview("own.txt")
    assert (own.characters_read, own.characters) == (90, 5_000)
    monkeypatch.setattr(preview, "LIMIT", 5_000)
    assert library.preview("python-reference").characters > 300_000
    assert library.preview("python-stdlib").characters == 5_000_000


def test_preview_of_standard_input_is_refused(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.BytesIO(b"typed")
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": stdin})())
    with pytest.raises(TextError, match="no preview"):
        library.preview("-")
    assert stdin.tell() == 0


def test_an_encoding_for_a_text_of_the_library_is_refused_not_ignored():
    with pytest.raises(TextError, match="its encoding is known"):
        library.load("tales", encoding="latin-1")


def test_large_files_are_told_from_all_that_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE", 10)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tales").write_text("a long text")
    (tmp_path / "short").write_text("short")
    assert library.large_file(str(tmp_path / "tales")) == tmp_path / "tales"
    assert library.large_file("./tales") == Path("tales")
    for spec in ("tales", "short", "-", "none", ".", "a\0b", "", "/dev/null"):
        assert library.large_file(spec) is None
    assert library.large_file("./tales", "utf-7") is None
