"""Paths as people give them: every form that a shell, a file manager or a hand may bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargru.tui import paths
from chargru.tui.paths import complete, looks_like_path, meant


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("TEXTS", "/data/texts")
    monkeypatch.delenv("NOWHERE", raising=False)


@pytest.mark.parametrize(
    ("typed", "path", "note"),
    [
        ("/a/b.txt", "/a/b.txt", ""),
        ("  /a/b c.txt \n", "/a/b c.txt", ""),
        ("'/a/b c.txt'", "/a/b c.txt", "quotes"),
        ('"/a/b c.txt"', "/a/b c.txt", "quotes"),
        ("'/a/it'\\''s.txt'", "/a/it's.txt", "quotes"),
        ("/a/b\\ c\\(1\\).txt", "/a/b c(1).txt", "quotes"),
        ("'/a/one' '/a/two'", "/a/one", "first of 2 paths"),
        ("/a/one\n/a/two\n", "/a/one", "first of 2 lines"),
        ("file:///a/b%20c.txt", "/a/b c.txt", "file://"),
        ("file://host/a/%ED%95%9C.txt", "/a/한.txt", "file://"),
        ("FILE:///a/b", "/a/b", "file://"),
        ("~/b.txt", "/home/me/b.txt", "home"),
        ("~nobody-at-all/b", "~nobody-at-all/b", ""),
        ("$HOME/b.txt", "/home/me/b.txt", "$HOME is /home/me"),
        ("${TEXTS}/b.txt", "/data/texts/b.txt", "$TEXTS is"),
        ("'$TEXTS/b c'", "/data/texts/b c", "$TEXTS is"),
        ("$NOWHERE/b", "$NOWHERE/b", ""),
        ("'/a/unfinished", "/a/unfinished", ""),
        ("it's", "it's", ""),
        ("tales", "tales", ""),
        ("", "", ""),
        (" \n ", "", ""),
        ("''", "", "quotes"),
        ("/a/[red]\x1b.txt", "/a/[red]\x1b.txt", ""),
    ],
)
def test_what_is_meant(typed: str, path: str, note: str) -> None:
    found = meant(typed)
    assert found.path == path
    assert note in "; ".join(found.notes)
    assert bool(found.notes) is bool(note)


def test_what_looks_like_a_path() -> None:
    for text in ("/a", "~/a", "./a", "../a", "'/a b'", '"/a"', "file:///a", "$HOME/a", "C:\\a", " /a\n"):
        assert looks_like_path(text), text
    for text in ("", "tales", "Once upon a time", "90s"):
        assert not looks_like_path(text), text


def test_names_complete_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Notes").mkdir()
    for name in ("Notes/one.txt", "Notes/only.txt", "notes.txt", ".hidden", "b c.txt", "\x1bz.txt"):
        (tmp_path / name).write_text("x")
    assert complete("No") == "Notes/"  # cases differ, and a directory gets its slash
    assert complete("no") == "notes.txt"
    assert complete("Notes/on") == "Notes/one.txt"
    assert complete(f"{tmp_path}/b") == f"{tmp_path}/b c.txt"
    assert complete(".h") == ".hidden"
    for typed in ("", "Notes/", "x", "nowhere/a", "'No", "\x1b", "a\0b", "."):
        assert complete(typed) in (None, ".hidden") if typed == "." else complete(typed) is None, ascii(typed)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert complete("~/no") == "~/notes.txt"
    assert complete("$HOME/no") == "$HOME/notes.txt"


def test_a_huge_directory_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        (tmp_path / f"a{number}").write_text("")
    monkeypatch.setattr(paths, "LIMIT", 0)
    assert complete(f"{tmp_path}/a") is None


def test_absolute_and_abbreviated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.absolute("a/../b.txt") == str(tmp_path / "b.txt")
    assert paths.absolute("~/b") == "/home/me/b"
    assert paths.absolute("/'quoted'") == "/'quoted'"
    assert paths.abbreviated("/home/me/b") == "~/b"
    assert paths.abbreviated("/home/meadow/b") == "/home/meadow/b"
