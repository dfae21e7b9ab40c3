"""What is appended comes once, in whole lines; what is rewritten comes again."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargru.storage.follow import Follower


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_only_what_is_new_comes_and_only_whole_lines(path: Path) -> None:
    follower = Follower(path)
    assert follower.lines() == ([], False)
    add(path, b"one\ntwo\nhal")
    assert follower.lines() == ([b"one", b"two"], False)
    assert follower.lines() == ([], False)
    add(path, b"f\n\nfour\r\n")
    assert follower.lines() == ([b"half", b"", b"four\r"], False)


def test_a_file_that_was_cut_back_begins_anew(path: Path) -> None:
    follower = Follower(path)
    add(path, b"one\ntwo\nthree\n")
    follower.lines()
    path.write_bytes(b"one\n")
    assert follower.lines() == ([b"one"], True)
    add(path, b"two again\n")
    assert follower.lines() == ([b"two again"], False)


def test_a_file_that_was_cut_back_and_has_grown_beyond_is_noticed(path: Path) -> None:
    follower = Follower(path)
    add(path, b"one\ntwo\n")
    follower.lines()
    path.write_bytes(b"one\nTWO\nthree\n")
    assert follower.lines() == ([b"one", b"TWO", b"three"], True)


def test_a_file_that_was_replaced_is_read_from_its_beginning(path: Path) -> None:
    follower = Follower(path)
    add(path, b"one\n")
    follower.lines()
    other = path.with_name("other")
    other.write_bytes(b"one\ntwo\n")
    other.replace(path)
    assert follower.lines() == ([b"one", b"two"], True)
    path.unlink()
    assert follower.lines() == ([], True)
    assert follower.lines() == ([], False)


def test_of_a_long_file_only_the_end_is_read_without_the_line_that_is_cut(path: Path) -> None:
    add(path, b"".join(b"line %d\n" % number for number in range(1000)))
    follower = Follower(path, limit=25)
    assert follower.lines() == ([b"line 998", b"line 999"], False)
    add(path, b"new\n")
    assert follower.lines() == ([b"new"], False)


def test_what_is_not_a_plain_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        Follower(tmp_path).lines()
