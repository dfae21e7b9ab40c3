"""Lines are added whole, and broken ones cost themselves only."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from chargru.storage import metrics
from chargru.storage.regular import NotRegularError

from .faults import watching


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def test_records_come_back_in_order(path: Path) -> None:
    records = [{"step": step, "loss": step / 3, "text": "ü\n한", "none": None} for step in range(5)]
    for record in records:
        metrics.append(path, record)
    assert metrics.read(path) == (records, 0)
    assert path.read_bytes().count(b"\n") == 5


def test_a_missing_file_has_no_records(path: Path) -> None:
    assert metrics.read(path) == ([], 0)
    metrics.truncate(path, 3)
    metrics.sync(path)
    assert not path.exists()


def test_each_line_is_one_write(path: Path) -> None:
    with watching("write") as written:
        metrics.append(path, {"step": 1})
        metrics.append(path, {"step": 2})
    assert written == [b'{"step":1}\n', b'{"step":2}\n']


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_half_last_line_is_passed_over_and_the_next_line_is_whole(cut: int, path: Path) -> None:
    metrics.append(path, {"step": 1})
    metrics.append(path, {"step": 22})
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    first = [{"step": 1}] + ([{"step": 22}] if cut == 1 else [])
    torn = 0 if cut in (1, 12) else 1
    assert metrics.read(path) == (first, torn)
    metrics.append(path, {"step": 3})
    assert metrics.read(path) == ([*first, {"step": 3}], torn)


def test_garbage_is_passed_over_and_counted(path: Path) -> None:
    path.write_bytes(b'{"step":1}\n\xff\xfe\n[1]\n"text"\n\n' + b"[" * 100_000 + b'\n{"a":\n{"step":2}\n')
    assert metrics.read(path) == ([{"step": 1}, {"step": 2}], 5)


def test_only_the_end_of_a_long_file_is_read(path: Path) -> None:
    path.write_bytes(b"".join(b'{"step":%d}\n' % step for step in range(10_000)))
    records, unreadable = metrics.read(path, limit=100)
    assert unreadable == 0
    assert records == [{"step": step} for step in range(10_000 - len(records), 10_000)]
    assert 5 <= len(records) <= 8


def test_an_endless_line_does_not_fill_the_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(8 << 20)  # a hole of zeros
    with path.open("ab") as file:
        file.write(b'\n{"step":1}\n')
    records, unreadable = metrics.read(path)
    assert records == [{"step": 1}]
    assert unreadable >= 1


@pytest.mark.parametrize("step", range(7))
def test_truncating_drops_what_came_after_a_step(step: int, path: Path) -> None:
    records = [{"event": "started"}]
    for number in (1, 2, 3, 5):
        records += [{"event": "progress", "step": number}, {"event": "notice"}]  # type: ignore[dict-item]
    for record in records:
        metrics.append(path, record)
    metrics.truncate(path, step)
    kept, unreadable = metrics.read(path)
    late = next((at for at, record in enumerate(records) if int(record.get("step", 0)) > step), len(records))
    assert kept == records[:late]
    assert unreadable == 0


def test_truncating_drops_a_half_last_line(path: Path) -> None:
    path.write_bytes(b'{"step":1}\n{"step":')
    metrics.truncate(path, 5)
    assert path.read_bytes() == b'{"step":1}\n'


def test_numpy_numbers_are_plain_numbers(path: Path) -> None:
    metrics.append(path, {"step": np.int64(3), "loss": np.float32(0.5), "best": np.bool_(True)})
    assert metrics.read(path)[0] == [{"step": 3, "loss": 0.5, "best": True}]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}, np.zeros(3)])
def test_what_json_does_not_know_is_refused_and_writes_nothing(value: object, path: Path) -> None:
    with pytest.raises((ValueError, TypeError)):
        metrics.append(path, {"value": value})
    assert not path.exists()


@pytest.mark.usefixtures("no_hanging")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_neither_read_nor_written(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(NotRegularError):
        metrics.read(path)
    with pytest.raises(OSError, match=r"."):
        metrics.append(path, {"step": 1})
    with pytest.raises(OSError, match=r"."):
        metrics.truncate(path, 1)
