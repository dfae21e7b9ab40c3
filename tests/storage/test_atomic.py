"""A file is replaced as a whole or not at all. Crashes and failing disks are in test_crashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chargru.storage.atomic import is_temporary, replacing, sweep, write_atomic

from .faults import failing_call, watching


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 1000])
def test_what_is_written_is_read(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_atomic(path, data)
    assert path.read_bytes() == data
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_name_as_long_as_the_file_system_takes(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_atomic(path, b"data")
    assert path.read_bytes() == b"data"


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, memoryview(data)[:7]))
    write_atomic(tmp_path / "file", bytes(range(100)))
    monkeypatch.undo()
    assert (tmp_path / "file").read_bytes() == bytes(range(100))


def test_everything_is_synced_in_the_order_that_makes_it_safe(tmp_path: Path) -> None:
    with failing_call(99, 0) as calls:
        write_atomic(tmp_path / "file", b"data")
    assert calls == ["open", "write", "fsync", "close", "replace", "open", "fsync", "close"]


def test_ctrl_c_in_the_midst_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupted(file: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_missing_directory_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "missing" / "file", b"data")


def test_sweeping_removes_our_temporary_files_and_nothing_else(tmp_path: Path) -> None:
    stale = tmp_path / ".chargru-0123456789abcdef.tmp"
    stale.write_bytes(b"half")
    directory = tmp_path / ".chargru-fedcba9876543210.tmp"
    directory.mkdir()
    others = [".hidden.tmp", "notes.tmp", ".chargru-0123.tmp", ".chargru-0123456789abcdef.tmp.bak", "run.json"]
    for name in others:
        (tmp_path / name).write_bytes(b"")
    assert sweep(tmp_path) == [stale]
    assert {each.name for each in tmp_path.iterdir()} == {*others, directory.name}
    assert sweep(tmp_path / "missing") == []


def test_temporary_files_are_recognised_by_their_name(tmp_path: Path) -> None:
    with watching("open") as opened:
        write_atomic(tmp_path / "file", b"data")
    assert is_temporary(opened[0])
    assert not is_temporary(tmp_path / "file")


class TestReplacing:
    def test_the_new_file_takes_the_place_of_the_old_one(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"old")
        with replacing(path) as file:
            file.write(b"new")
            assert path.read_bytes() == b"old"
        assert path.read_bytes() == b"new"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
    def test_a_failed_one_leaves_nothing(self, tmp_path: Path, error: type[BaseException]) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"old")

        def fail() -> None:
            with replacing(path) as file:
                file.write(b"new")
                raise error

        with pytest.raises(error):
            fail()
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_what_cannot_be_put_in_place_leaves_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "file").mkdir()
        with pytest.raises(OSError), replacing(tmp_path / "file"):  # noqa: PT011
            pass
        assert list(tmp_path.iterdir()) == [tmp_path / "file"]
