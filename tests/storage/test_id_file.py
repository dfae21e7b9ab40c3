"""Ids in a file: the same again, or nothing at all if a single bit of it is wrong."""

from __future__ import annotations

import dataclasses
import json
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from chargru.storage import id_file
from chargru.storage.id_file import LargeText
from chargru.text.large import Stamp, open_large
from chargru.text.vocabulary import Vocabulary

TEXT = "Grüße, 한글 🙂\r\n" * 50


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, LargeText]:
    source = tmp_path / "text"
    source.write_bytes(TEXT.encode())
    path = tmp_path / "x.ids"
    with open_large(source) as opened, path.open("w+b") as file:
        survey = opened.survey()
        sha256 = id_file.write(file, opened, survey)
        text = id_file.mapped(file.fileno(), opened.stamp, survey, sha256)
    return path, text


def test_what_is_written_is_read_again(made: tuple[Path, LargeText]) -> None:
    path, text = made
    found = id_file.read(path, text.stamp)
    assert found is not None
    assert (found.stamp, found.survey, found.sha256) == (text.stamp, text.survey, text.sha256)
    expected = TEXT.replace("\r", "")
    assert found.survey.vocabulary == Vocabulary.from_text(expected)
    assert found.survey.vocabulary.decode(found.ids) == found.survey.vocabulary.decode(text.ids) == expected
    assert path.stat().st_size == id_file.bytes_needed(text.stamp, text.survey)


def test_ids_are_mapped_read_only_and_outlive_their_file(made: tuple[Path, LargeText]) -> None:
    path, text = made
    before = text.ids.copy()
    path.unlink()
    assert not text.ids.flags.writeable
    assert type(text.ids) is np.ndarray
    np.testing.assert_array_equal(text.ids, before)


@pytest.mark.parametrize(
    "other",
    [{"source": "/else"}, {"size": 1}, {"modified": 1}, {"inode": 1}, {"encoding": "utf-8"}, {"replace": True}],
    ids=str,
)
def test_another_stamp_finds_nothing(made: tuple[Path, LargeText], other: dict[str, object]) -> None:
    path, text = made
    stamp: Stamp = dataclasses.replace(text.stamp, **other)  # type: ignore[arg-type]
    assert id_file.read(path, stamp) is None


def test_what_is_no_such_file_is_nothing(made: tuple[Path, LargeText], tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, Path("/dev/null"), tmp_path / "text"):
        assert id_file.read(path, made[1].stamp) is None


def test_damage_anywhere_is_noticed(made: tuple[Path, LargeText]) -> None:
    path, text = made
    whole = path.read_bytes()
    used = struct.unpack_from("<I", whole, 20)[0] + 24
    chance = random.Random(4)
    places = [*range(24), *(chance.randrange(24, used) for _ in range(60)), *range(4096, len(whole), 29)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        assert id_file.read(path, text.stamp) is None, place
    for length in (*range(0, used, 17), 4096, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert id_file.read(path, text.stamp) is None
    path.write_bytes(whole + b"\0")
    assert id_file.read(path, text.stamp) is None
    path.write_bytes(whole)
    assert id_file.read(path, text.stamp) is not None


def test_who_has_written_them_need_not_check_the_ids(made: tuple[Path, LargeText]) -> None:
    path, text = made
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert id_file.read(path, text.stamp) is None
    assert id_file.read(path, text.stamp, check=False) is not None
    path.write_bytes(whole[:-1])
    assert id_file.read(path, text.stamp, check=False) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": "middle"},
        {"name": 3},
        {"encoding": "no such"},
        {"encoding": None},
        {"notes": [1]},
        {"notes": None},
        {"characters": 0},
        {"characters": "700"},
        {"characters": True},
        {"characters": 10**30},
        {"code_points": []},
        {"code_points": [1, 1]},
        {"code_points": [0xD800]},
        {"code_points": [-1, 5]},
        {"code_points": [1.5]},
        {"code_points": {"a": 1}},
        {"sha256": "abc"},
        {"sha256": None},
        {"crc": 0},
        {"stamp": None},
    ],
    ids=str,
)
def test_an_impossible_header_is_nothing(made: tuple[Path, LargeText], wrong: dict[str, object]) -> None:
    path, text = made
    whole = path.read_bytes()
    length = struct.unpack_from("<I", whole, 20)[0]
    header = json.loads(whole[24 : 24 + length])
    for changed in (header | wrong, {name: value for name, value in header.items() if name not in wrong}):
        data = json.dumps(changed).encode()
        head = id_file.MAGIC + struct.pack("<II", zlib.crc32(data), len(data)) + data
        path.write_bytes(head + bytes(-len(head) % 4096) + whole[4096:])
        assert id_file.read(path, text.stamp) is None


def test_a_header_that_is_too_long_or_too_deep_is_nothing(made: tuple[Path, LargeText]) -> None:
    path, text = made
    path.write_bytes(id_file.MAGIC + struct.pack("<II", 0, 0xFFFFFFFF) + b"{}")
    assert id_file.read(path, text.stamp) is None
    for data in (b"[" * 100_000, b"[]", b"3", b"\xff"):
        path.write_bytes(id_file.MAGIC + struct.pack("<II", zlib.crc32(data), len(data)) + data)
        assert id_file.read(path, text.stamp) is None
