"""Hostile and torn input to the wire."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargru.worker.lines import decode_line, encode_line, read_lines


@pytest.mark.parametrize("size", range(1, 21))
def test_lines_cut_anywhere_come_out_whole(size: int) -> None:
    stream = io.BytesIO(b"first\n\nsecond\nthird\n")
    assert list(read_lines(lambda _: stream.read(size))) == [b"first", b"", b"second", b"third"]


def test_an_unfinished_last_line_is_left_out() -> None:
    assert list(read_lines(io.BytesIO(b'whole\n{"torn":').read)) == [b"whole"]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_line_over_the_limit_is_dropped_and_the_next_one_is_read(size: int) -> None:
    stream = io.BytesIO(b"x" * 50 + b"\nshort\n" + b"y" * 11 + b"\n" + b"z" * 10 + b"\n")
    assert list(read_lines(lambda _: stream.read(size), limit=10)) == [None, b"short", None, b"z" * 10]


def test_an_endless_line_is_not_kept_in_memory() -> None:
    chunks = iter([b"x" * 65536] * 200 + [b"\nafter\n", b""])
    assert list(read_lines(lambda _: next(chunks), limit=1000)) == [None, b"after"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)))
def test_a_record_survives_the_wire_as_one_line_of_ascii(record: dict[str, object]) -> None:
    line = encode_line(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert line.isascii()
    assert decode_line(line[:-1]) == record


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"3", b'"event"', b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"]
)
def test_anything_but_an_object_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode_line(line)
