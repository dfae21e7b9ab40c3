"""Passes over a file, and what is told of them."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator

import pytest

from chargru.errors import TextError
from chargru.text import blocks
from chargru.text.blocks import Blocks


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 4)


def test_a_pass_is_the_whole_and_can_be_made_again() -> None:
    each = Blocks(io.BytesIO(b"0123456789"), 10, "x")
    for _ in range(2):
        assert list(each) == [b"0123", b"4567", b"89"]
    assert list(each.since(7)) == [b"789"]
    assert list(each.since(3, 2)) == [b"34", b"56", b"78", b"9"]
    assert (each.at(8, 5), each.at(10, 5), each.at(0, 2)) == (b"89", b"", b"01")


def test_what_was_added_since_is_left_out() -> None:
    assert b"".join(Blocks(io.BytesIO(b"0123456789"), 6, "x")) == b"012345"


def test_a_file_that_has_become_shorter_is_refused() -> None:
    with pytest.raises(TextError, match="x changes while it is read"):
        list(Blocks(io.BytesIO(b"01234"), 6, "x"))


def test_a_file_that_cannot_be_read_is_one_line() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "x")

    with pytest.raises(TextError, match="x: input/output error"):
        list(Blocks(Broken(), 6, "x"))


def test_a_pass_that_is_broken_off_has_to_be_made_again() -> None:
    told: list[tuple[int, int]] = []
    each = Blocks(io.BytesIO(b"01234567"), 8, "x", lambda *far: told.append(far), passes=2)
    first: Iterator[bytes] = iter(each)
    next(first)
    for _ in range(2):
        list(each)
    assert told == [(4, 16), (8, 20), (12, 20), (16, 20), (20, 20)]
