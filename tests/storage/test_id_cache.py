"""Ids that are kept: found again, made anew, bounded, and never more than a line of trouble."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chargru.errors import TextError
from chargru.storage import id_cache, id_file
from chargru.storage.id_cache import read_large
from chargru.text import blocks, large
from chargru.text.decoding import UndecodableTextError

TEXT = "A long text, for a test.\n" * 40


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(blocks, "BLOCK", 100)
    return tmp_path / "home"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_text(TEXT)
    return path


@pytest.fixture
def surveys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the texts that are really read."""
    made: list[str] = []
    real = large.LargeFile.survey

    def survey(self: large.LargeFile) -> large.Survey:
        made.append(self.name)
        return real(self)

    monkeypatch.setattr(large.LargeFile, "survey", survey)
    return made


def kept(home: Path) -> list[Path]:
    directory = home / "cache" / "ids"
    return sorted(directory.iterdir()) if directory.is_dir() else []


def words_of(found: id_file.LargeText) -> str:
    return found.survey.vocabulary.decode(found.ids)


def test_a_text_is_read_once(text: Path, home: Path, surveys: list[str]) -> None:
    first, second = read_large(text), read_large(text)
    assert words_of(first) == words_of(second) == TEXT
    assert (first.sha256, first.survey) == (second.sha256, second.survey)
    assert surveys == ["text"]
    (note,) = first.notes
    assert note.startswith("its ids are kept in")
    assert second.notes == ()
    assert len(kept(home)) == 1


def test_only_its_user_may_read_what_is_kept(text: Path, home: Path) -> None:
    read_large(text)
    (path,) = kept(home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_changed_text_takes_the_place_of_the_old_one(text: Path, home: Path, surveys: list[str]) -> None:
    read_large(text)
    text.write_text(TEXT.upper())
    os.utime(text, ns=(0, 5))
    assert words_of(read_large(text)) == TEXT.upper()
    assert len(surveys) == 2
    assert len(kept(home)) == 1


def test_each_way_of_reading_is_kept_for_itself(text: Path, home: Path, surveys: list[str]) -> None:
    text.write_bytes(TEXT.encode() + b"\xff")
    with pytest.raises(UndecodableTextError):
        read_large(text)
    assert kept(home) == []
    for _ in range(2):
        assert words_of(read_large(text, replace=True))[-1] == "\ufffd"
        assert words_of(read_large(text, encoding="latin-1"))[-1] == "ÿ"
    assert len(surveys) == 3
    assert read_large(text, replace=True).survey.notes == ("1 byte replaced by U+FFFD, the first at offset 1,000",)


def test_a_damaged_file_is_made_anew(text: Path, home: Path, surveys: list[str]) -> None:
    read_large(text)
    (path,) = kept(home)
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    assert words_of(read_large(text)) == TEXT
    read_large(text)
    assert len(surveys) == 2


def test_progress_is_told_of_what_is_read_only(text: Path) -> None:
    told: list[tuple[int, int]] = []
    read_large(text, progress=lambda *far: told.append(far))
    assert told[-1] == (2_000, 2_000)
    told.clear()
    read_large(text, progress=lambda *far: told.append(far))
    assert told == []


@pytest.mark.parametrize("when", [1, 10, 11, 15, 20])
def test_an_interrupted_reading_leaves_nothing_behind(text: Path, home: Path, when: int) -> None:
    calls = iter(range(1, 100))

    def progress(done: int, total: int) -> None:
        if next(calls) == when:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_large(text, progress=progress)
    assert kept(home) == []


def test_the_oldest_files_make_room(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_cache, "MOST_FILES", 3)
    paths = [tmp_path / f"{number}" for number in range(5)]
    for number, path in enumerate(paths):
        path.write_text(TEXT)
        read_large(path)
        os.utime(home / "cache" / "ids" / id_cache._file_name(stamp_of(path)), (number, number))
        read_large(paths[0])  # used all the time
    names = {id_cache._file_name(stamp_of(paths[number])) for number in (0, 3, 4)}
    assert {path.name for path in kept(home)} == names


def test_their_bytes_are_bounded_too(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_cache, "MOST_BYTES", 12_000)  # two files of 4096 + 1000
    for number in range(4):
        (tmp_path / f"{number}").write_text(TEXT)
        read_large(tmp_path / f"{number}")
    assert len(kept(home)) == 2
    monkeypatch.setattr(id_cache, "MOST_BYTES", 3_000)
    (tmp_path / "0").write_text(TEXT.upper())
    (note,) = read_large(tmp_path / "0").notes
    assert "not kept" in note


def test_abandoned_temporary_files_are_swept(text: Path, home: Path) -> None:
    directory = home / "cache" / "ids"
    directory.mkdir(parents=True)
    old, fresh, other = (directory / name for name in (f".chargru-{'0' * 16}.tmp", f".chargru-{'1' * 16}.tmp", "mine"))
    for path in (old, fresh, other):
        path.write_bytes(b"x")
    for path in (old, other):
        os.utime(path, (time.time() - 5_000,) * 2)
    read_large(text)
    assert not old.exists()
    assert fresh.exists()
    assert other.exists()


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, int]], None]:
    """`space({"cache": 5})`: so many bytes are free where the path has that word in it, else plenty."""

    def set_free(free: dict[str, int]) -> None:
        def disk_usage(path: Any) -> Disk:
            return Disk(0, 0, next((count for word, count in free.items() if word in str(path)), 1 << 40))

        monkeypatch.setattr(shutil, "disk_usage", disk_usage)

    return set_free


def test_a_full_disk_means_a_temporary_file_and_a_word(
    text: Path, home: Path, space: Callable[[dict[str, int]], None], surveys: list[str]
) -> None:
    space({"cache": 5_000_000})
    found = read_large(text)
    assert words_of(found) == TEXT
    (note,) = found.notes
    assert "not kept for the next time" in note
    assert "5 MB free, 67 MB needed" in note
    assert kept(home) == []
    read_large(text)
    assert len(surveys) == 2


def test_older_files_go_when_the_disk_is_full(text: Path, tmp_path: Path, home: Path) -> None:
    read_large(text)
    (old,) = kept(home)
    other = tmp_path / "other"
    other.write_text(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: Disk(0, 0, 5 if old.exists() else 1 << 40))
        read_large(other)
    assert not old.exists()
    assert len(kept(home)) == 1


def test_no_place_at_all_is_one_clear_line(text: Path, space: Callable[[dict[str, int]], None], home: Path) -> None:
    space({"": 1_000_000})
    with pytest.raises(TextError, match="text needs 1 MB on a disk for its ids, and there is no place") as raised:
        read_large(text)
    assert "CHARGRU_HOME or TMPDIR" in raised.value.hint
    assert "\n" not in raised.value.message
    assert kept(home) == []


def test_a_disk_that_fills_up_on_the_way(text: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = id_file._Counted.write
    calls: list[int] = []

    def write(self: id_file._Counted, data: memoryview) -> None:
        calls.append(len(data))
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, data)

    monkeypatch.setattr(id_file._Counted, "write", write)
    found = read_large(text)
    assert words_of(found) == TEXT
    assert "no space left on device" in found.notes[0]
    assert kept(home) == []


def test_ids_that_somebody_removes_at_once(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_file, "read", lambda *_, **__: None)
    found = read_large(text)
    assert words_of(found) == TEXT
    assert "another process has removed them" in found.notes[0]


def test_a_cache_that_cannot_be_written(
    text: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "cache").write_text("a file is in the way")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = sorted(tmp_path.iterdir())
    found = read_large(text)
    assert words_of(found) == TEXT
    assert "not kept for the next time" in found.notes[0]
    assert sorted(tmp_path.iterdir()) == before  # the temporary file has no name
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(TextError, match="no such file or directory"):
        read_large(text)


def test_a_text_that_grows_meanwhile_is_told_and_not_found_again(
    text: Path, home: Path, surveys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def progress(done: int, total: int) -> None:
        if done == 1_500:
            with text.open("a") as file:
                file.write("more")

    found = read_large(text, progress=progress)
    assert words_of(found) == TEXT
    assert "has changed since it was opened" in found.notes[-1]
    assert words_of(read_large(text)) == TEXT + "more"
    assert len(surveys) == 2


def stamp_of(path: Path) -> large.Stamp:
    with large.open_large(path) as source:
        return source.stamp
