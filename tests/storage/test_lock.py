"""One writer at a time, and a dead one holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chargru.storage.lock import BusyError, locked

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
