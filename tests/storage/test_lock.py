"""One writer at a time, and a dead one holds nothing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chargru.storage import lock
from chargru.storage.lock import BusyError, locked
from chargru.storage.lock import holder as process_at

HOLD = """
import sys
from pathlib import Path
from chargru.storage.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    """Another process that has the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_excludes_other_processes_until_they_are_gone(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(BusyError) as raised, locked(tmp_path):
            pass
        assert raised.value.holder == process.pid
        process.kill()
        process.wait()
        with locked(tmp_path):
            pass


def test_a_lock_excludes_another_part_of_this_process(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(BusyError) as raised, locked(tmp_path):
            pass
        assert raised.value.holder == os.getpid()
    with locked(tmp_path):
        pass


def test_an_error_in_the_body_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_a_missing_directory_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "missing"):
        pass


def test_the_lock_of_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("text")
    (tmp_path / ".lock").symlink_to("precious")
    with pytest.raises(OSError, match="symbolic links"), locked(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "text"


def test_who_holds_a_lock_is_told_without_taking_it(tmp_path: Path) -> None:
    assert process_at(tmp_path) is None
    with locked(tmp_path):
        assert process_at(tmp_path) == os.getpid()
    assert (tmp_path / ".lock").read_bytes() == b"", "released: there is nothing to try"
    assert process_at(tmp_path) is None
    with holder(tmp_path) as process:
        assert process_at(tmp_path) == process.pid
        process.kill()
        process.wait()
        assert (tmp_path / ".lock").read_bytes() == str(process.pid).encode()
        assert process_at(tmp_path) is None, "it was killed and holds nothing"
    with locked(tmp_path):
        pass


def test_a_look_at_a_lock_makes_nothing_and_survives_anything(tmp_path: Path) -> None:
    assert process_at(tmp_path / "missing") is None
    assert process_at(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".lock").mkdir()
    assert process_at(tmp_path) is None
    other = tmp_path / "other"
    other.mkdir()
    (other / ".lock").write_text("no number")
    with locked(other):
        (other / ".lock").write_text("no number")
        assert process_at(other) == 0


def test_a_passing_look_does_not_keep_a_writer_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    acquire = lock._acquire

    def looked_at(file: int, shared: bool = False) -> None:
        tries.append(file)
        if len(tries) == 1:
            raise BlockingIOError(errno.EAGAIN, "somebody looks")
        acquire(file, shared)

    monkeypatch.setattr(lock, "_acquire", looked_at)
    with locked(tmp_path):
        assert len(tries) == 2
