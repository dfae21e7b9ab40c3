"""A directory is one text: the same for the same tree, and nothing left out in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chargru.errors import TextError
from chargru.text import directory
from chargru.text.reader import read_part, read_text

from . import samples as s


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "b.txt": "second",
        "a.txt": "first",
        "z/inner.md": "fourth",
        "c/deep/er/x": "third",
        ".git/config": "hidden",
        ".hidden": "hidden",
        "node_modules/lib.js": "generated",
        "z/__pycache__/x.py": "generated",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_files_in_order_and_a_newline_between(tree: Path) -> None:
    document = read_text(tree)
    assert document.text == "first\nsecond\nthird\nfourth"
    assert (document.name, document.source, document.encoding) == (tree.name, str(tree), "utf-8")
    assert document.notes == ("4 files read", "skipped: 2 hidden, 2 generated")
    assert read_text(document.source) == document
    assert read_text(f"{tree}/") == document


def test_the_current_directory_has_its_own_name(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "z")
    assert read_text(".").name == "z"
    assert read_text("..").name == tree.name
    assert read_text(".").text == "fourth"


def test_what_is_not_text_is_skipped_and_counted(tree: Path) -> None:
    (tree / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (tree / "q.bin").write_bytes(bytes(100))
    (tree / "damaged").write_bytes("가나다".encode() + b"\xff")
    (tree / "empty").write_bytes(b"")
    os.mkfifo(tree / "pipe")
    document = read_text(tree)
    assert document.text == "first\nsecond\nthird\nfourth"
    assert document.notes[-1] == "skipped: 2 binary, 1 undecodable, 1 special, 1 empty, 2 hidden, 2 generated"


def test_replacement_reads_damaged_files(tree: Path) -> None:
    (tree / "damaged").write_bytes("가나다".encode() + b"\xff\xfe")
    document = read_text(tree, replace=True)
    assert "가나다\ufffd\ufffd" in document.text
    assert "2 bytes replaced by U+FFFD in 1 file" in document.notes


def test_encodings_are_told(tree: Path) -> None:
    (tree / "korean.txt").write_bytes(s.KOREAN.replace("\n", "\r\n").encode("cp949"))
    document = read_text(tree)
    assert s.KOREAN in document.text
    assert document.encoding == "mixed"
    assert document.notes[1:4] == (
        "files by encoding: utf-8 4, cp949 1",
        "the encoding of 1 file was guessed",
        "Windows line ends (CRLF) became LF in 1 file",
    )


def test_an_encoding_holds_for_every_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("가".encode("cp949"))
    (tmp_path / "b").write_bytes(b"caf\xe9")
    assert read_text(tmp_path, encoding="latin-1").text == "\u00b0\u00a1\ncafé"
    with pytest.raises(TextError, match="unknown encoding"):
        read_text(tmp_path, encoding="no such")


def test_links_lead_nowhere_twice(tree: Path) -> None:
    (tree / "z" / "up").symlink_to(tree)
    (tree / "self").symlink_to(tree / "self")
    (tree / "again.txt").symlink_to(tree / "a.txt")
    os.link(tree / "b.txt", tree / "z" / "b-too.txt")
    document = read_text(tree)
    assert document.text == "first\nsecond\nthird\nfourth"
    assert document.notes[-1] == "skipped: 1 unreadable, 2 repeated, 2 hidden, 2 generated, 1 linked"


def test_without_any_text(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="there is no text in the directory") as caught:
        read_text(tmp_path)
    assert caught.value.hint == "it is empty"
    (tmp_path / "x").write_bytes(bytes(9))
    with pytest.raises(TextError) as caught:
        read_text(tmp_path)
    assert caught.value.hint == "skipped: 1 binary"


@pytest.mark.long
def test_deeper_than_recursion(tmp_path: Path) -> None:
    levels = [f"{tmp_path}/{'d/' * depth}" for depth in range(1, 1_200)]
    for level in levels:
        os.mkdir(level)  # noqa: PTH102 - pathlib recurses
    bottom = Path(levels[-1], "bottom")
    bottom.write_text("found")
    try:
        assert read_text(tmp_path).text == "found"
    finally:  # what pytest uses to tidy up recurses, too
        bottom.unlink()
        for level in reversed(levels):
            os.rmdir(level)  # noqa: PTH106


def test_a_directory_that_cannot_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def denied(path: str) -> object:
        if str(path).endswith(("z", "shut")):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", denied)
    document = read_text(tree)
    assert document.text == "first\nsecond\nthird"
    assert "1 unreadable" in document.notes[-1]
    (tree / "shut").mkdir()
    with pytest.raises(TextError, match="shut: permission denied"):
        read_text(tree / "shut")


def test_a_part_stops_early(tree: Path) -> None:
    part = read_part(tree, 8)
    assert part.document.text == "first\nsec"
    assert not part.complete
    assert part.size is None
    whole = read_part(tree, 10_000)
    assert whole.complete
    assert whole.size == whole.bytes_read == 22


def test_a_part_of_many_empty_files_ends_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_PREVIEW_FILES", 3)
    for number in range(9):
        (tmp_path / f"{number}").write_bytes(b"" if number else b"text")
    part = read_part(tmp_path, 100)
    assert (part.document.text, part.complete) == ("text", False)
