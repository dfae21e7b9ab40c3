"""The header is held against the file before anything is allocated; malformed checkpoints are in test_malformed."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from chargru.storage.regular import open_regular
from chargru.storage.safetensors_guard import (
    HEADER_LIMIT,
    FormatError,
    Header,
    all_finite,
    read_header,
    read_tensor,
    strict_json,
)

from .samples import frame


def header_of(path: Path) -> Header:
    file, size = open_regular(path)
    with file:
        return read_header(file, size)


def test_what_the_library_writes_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    tensors: dict[str, npt.NDArray[Any]] = {
        "a": rng.normal(size=(3, 4)).astype(np.float32),
        "b": rng.normal(size=7),
        "c": rng.normal(size=(2, 1, 5)).astype(np.float32),
        "none": np.zeros((0, 3), np.float32),
    }
    path = tmp_path / "file"
    path.write_bytes(safetensors.numpy.save(tensors, {"name": "välue"}))
    file, size = open_regular(path)
    with file:
        header = read_header(file, size)
        assert header.metadata == {"name": "välue"}
        for name, array in safetensors.numpy.load_file(path).items():
            assert header.tensors[name].shape == array.shape
            out = np.empty_like(array)
            read_tensor(file, header, name, out)
            np.testing.assert_array_equal(out, array)


def test_an_array_of_another_size_than_the_tensor_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(3, np.float32)}))
    file, size = open_regular(path)
    with file:
        header = read_header(file, size)
        with pytest.raises(FormatError, match="another size"):
            read_tensor(file, header, "a", np.empty(4, np.float32))


def test_a_file_that_shrinks_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(300, np.float32)}))
    file, size = open_regular(path)
    with file:
        header = read_header(file, size)
        with path.open("r+b") as other:
            other.truncate(size - 1)
        with pytest.raises(FormatError, match="ends too early"):
            read_tensor(file, header, "a", np.empty(300, np.float32))


def test_a_header_at_the_limit_is_read_and_one_over_it_is_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(frame(b"{}".ljust(HEADER_LIMIT)))
    assert header_of(path).tensors == {}
    path.write_bytes(frame(b"{}".ljust(HEADER_LIMIT + 1)))
    with pytest.raises(FormatError, match="header claims"):
        header_of(path)


def test_of_64_tensors_all_are_read_and_of_65_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(safetensors.numpy.save({str(number): np.zeros(1, np.float32) for number in range(64)}))
    assert len(header_of(path).tensors) == 64
    path.write_bytes(safetensors.numpy.save({str(number): np.zeros(1, np.float32) for number in range(65)}))
    with pytest.raises(FormatError, match="65 tensors"):
        header_of(path)


def test_a_file_over_four_gibibytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate((4 << 30) + 1)  # a hole, it takes no space
    with pytest.raises(FormatError, match="larger than 4 GiB"):
        header_of(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1 << 20, (1 << 20) + 2])
def test_a_number_that_is_not_finite_is_found_anywhere(bad: float, place: int) -> None:
    array = np.ones((1 << 20) + 3, np.float32)
    assert all_finite(array)
    array[place] = bad
    assert not all_finite(array)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '[{"b":{"a":1,"a":2}}]', "[NaN]", "[-Infinity]", "[1e999]", "[1", "[1]x", "9" * 5000, ""]
)
def test_loose_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict_json(text)


@settings(max_examples=15)
@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(), st.lists))
def test_strict_json_is_json(value: object) -> None:
    assert strict_json(json.dumps(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    with tempfile.TemporaryFile("w+b", buffering=0) as file:
        file.write(frame(data))
        with contextlib.suppress(ValueError, RecursionError):  # nothing else may come out
            assert read_header(file, 8 + len(data)).tensors == {}
