"""Only plain files are opened, and only so much of them is read."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from chargru.storage.regular import NotRegularError, open_regular, read_limited


def test_a_plain_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        file, size = open_regular(tmp_path / name)
        with file:
            assert (size, file.read()) == (7, b"content")
        assert read_limited(tmp_path / name, 7) == b"content"


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with pytest.raises(OSError, match="larger than 6 bytes") as raised:
        read_limited(tmp_path / "file", 6)
    assert raised.value.errno == errno.EFBIG


def test_a_file_that_says_it_is_empty_but_never_ends_is_refused() -> None:
    endless = Path("/proc/self/environ")  # size 0 by its status, more by reading
    if not endless.exists():
        pytest.skip("needs /proc")
    with pytest.raises(OSError, match="larger than 3 bytes"):
        read_limited(endless, 3)


@pytest.mark.usefixtures("no_hanging")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_not_a_plain_file_is_named_and_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo("pipe")
    (tmp_path / "link").symlink_to("pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("socket")
    found = {"pipe": "a named pipe", "link": "a named pipe", ".": "a directory", "socket": "a socket"}
    with listening:
        for name, kind in {**found, "/dev/zero": "a device"}.items():
            with pytest.raises(NotRegularError, match=kind):
                open_regular(Path(name))


@pytest.mark.usefixtures("no_hanging")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_file_exchanged_for_a_pipe_between_two_looks_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, pipe = tmp_path / "file", tmp_path / "pipe"
    path.write_bytes(b"content")
    os.mkfifo(pipe)
    real = os.open
    monkeypatch.setattr(os, "open", lambda _, flags: real(pipe, flags))
    with pytest.raises(NotRegularError, match="a named pipe"):
        open_regular(path)


def test_missing_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "missing")
