"""Files and standard input: read whole, or refused in one line without ever waiting."""

from __future__ import annotations

import io
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargru.errors import TextError
from chargru.text import reader
from chargru.text.decoding import HEAD_BYTES, BinaryTextError, UndecodableTextError
from chargru.text.reader import read_bytes, read_part, read_text

from . import samples as s


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """A reader that waits for ever fails its test instead of hanging it."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("the reader waited"))
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def refused(path: str | Path, **how: object) -> TextError:
    with pytest.raises(TextError) as caught:
        read_text(path, **how)  # type: ignore[arg-type]
    assert caught.value.message.isprintable()
    assert caught.value.hint.isprintable()
    return caught.value


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a text.txt"
    path.write_bytes(s.KOREAN.encode())
    document = read_text(path)
    assert document.text == s.KOREAN
    assert (document.name, document.source, document.encoding) == ("a text.txt", str(path), "utf-8")
    assert document.notes == ()
    assert read_text(str(path)) == document
    assert read_text(document.source, encoding=document.encoding) == document


def test_a_large_file_is_read_whole(tmp_path: Path) -> None:
    text = s.KOREAN * 20_000  # several chunks, characters across their borders
    (tmp_path / "large").write_text(text)
    assert read_text(tmp_path / "large").text == text


def test_the_source_does_not_depend_on_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert read_text("t.txt").source == str(tmp_path / "t.txt")
    assert read_text("./t.txt").name == "t.txt"


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.txt").write_text("x")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_text("~/t.txt").text == "x"


def test_changes_are_told(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_bytes((s.KOREAN * 2).replace("\n", "\r\n").encode("cp949"))
    document = read_text(tmp_path / "w.txt")
    assert (document.text, document.encoding) == (s.KOREAN * 2, "cp949")
    assert document.notes == (
        "not UTF-8: read as cp949 (Korean); give the encoding if that is wrong",
        "6 Windows line ends (CRLF) became LF",
    )


def test_bad_bytes_are_offered_and_then_replaced(tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    path.write_bytes("가나다".encode() + b"\xff\xfe and more")
    error = refused(path)
    assert isinstance(error, UndecodableTextError)
    assert "replace 2 bytes, first at offset 9" in error.hint
    document = read_text(path, replace=True)
    assert document.text == "가나다\ufffd\ufffd and more"
    assert document.notes == ("2 bytes replaced by U+FFFD, the first at offset 9",)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_empty_files(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "e").write_bytes(data)
    assert refused(tmp_path / "e").message == "e is empty"


def test_missing(tmp_path: Path) -> None:
    error = refused(tmp_path / "nothing.txt")
    assert error.message == "nothing.txt: no such file or directory"
    assert error.hint
    (tmp_path / "file").write_text("x")
    assert "no such file" in refused(tmp_path / "file" / "below").message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "the name of the text is empty"),
        ("a\0b", "a␀b: a file name cannot hold a NUL character"),
        ("x" * 5000, "the name is too long"),
        ("d/" * 5000, "the name is too long"),
        ("\ud800", "no file can have this name"),
        ("\x1b[2J\nmissing", "␛[2J⏎missing: no such file or directory"),
    ],
    ids=["empty", "nul", "long", "deep", "surrogate", "escape"],
)
def test_impossible_names(name: str, message: str) -> None:
    assert message in refused(name).message


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    try:
        Path(os.fsdecode(path)).write_text("x")
    except OSError:
        pytest.skip("this file system has no such names")
    document = read_text(os.fsdecode(path))
    assert document.name == "caf\ufffd.txt"
    assert read_text(document.source).text == "x"


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("x")

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(os, "open", denied)  # root may read everything, so the mode of the file would not do
    assert refused(tmp_path / "secret").message == "secret: permission denied"


def test_an_error_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(reader, "refuse_binary", failing)
    (tmp_path / "t").write_text("x")
    assert refused(tmp_path / "t").message == "t: input/output error"


def test_too_large_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reader, "decode", failing)
    (tmp_path / "t").write_text("x")
    assert "memory" in refused(tmp_path / "t").message


def test_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert "loop" in refused(tmp_path / "a").message


def test_a_link_to_a_text(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    (tmp_path / "link").symlink_to("text")
    assert read_text(tmp_path / "link").text == "x"


class TestSpecialFiles:
    def test_a_fifo(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert "pipe is a FIFO" in refused(tmp_path / "pipe").message
        (tmp_path / "link").symlink_to("pipe")
        assert "a FIFO" in refused(tmp_path / "link").message

    def test_a_fifo_that_was_a_file_a_moment_ago(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").write_text("x")
        os.mkfifo(tmp_path / "pipe")
        real = os.open
        monkeypatch.setattr(os, "open", lambda path, flags: real(tmp_path / "pipe", flags))
        assert "a FIFO" in refused(tmp_path / "file").message

    def test_a_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # the name of a socket must be short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("s")
            assert "a socket" in refused("s").message

    @pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/dev/tty"])
    def test_a_device(self, path: str) -> None:
        if not Path(path).exists() or not stat.S_ISCHR(Path(path).stat().st_mode):
            pytest.skip(f"no {path} here")
        assert "a device" in refused(path).message

    def test_a_file_that_says_it_is_empty(self) -> None:
        path = Path("/proc/self/status")
        if not path.exists():
            pytest.skip("no /proc here")
        assert path.stat().st_size == 0
        assert read_text(path).text.startswith("Name:")

    def test_a_file_that_never_ends(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "_GROWTH", 10)
        (tmp_path / "log").write_text("x" * 30)
        real = os.fstat

        def short(descriptor: int) -> os.stat_result:
            values = list(real(descriptor))
            values[stat.ST_SIZE] = 0
            return os.stat_result(values)

        monkeypatch.setattr(os, "fstat", short)
        assert "grows" in refused(tmp_path / "log").message

    def test_a_binary_file_is_not_read_to_its_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with (tmp_path / "film").open("wb") as file:
            file.write(b"\x1f\x8b\x08\x00\x00")
            file.truncate(1 << 33)  # eight gigabytes of nothing, on no disk
        error = refused(tmp_path / "film")
        assert isinstance(error, BinaryTextError)
        assert "gzip" in error.message

    def test_bytes_are_read_whatever_they_are_if_the_encoding_is_given(self, tmp_path: Path) -> None:
        (tmp_path / "b").write_bytes(b"a\0b")
        assert isinstance(refused(tmp_path / "b"), BinaryTextError)
        document = read_text(tmp_path / "b", encoding="latin-1")
        assert document.text == "a\0b"
        assert "NUL" in document.notes[0]


class TestStandardInput:
    def test_is_read_to_its_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", Stdin(s.KOREAN.encode("cp949")))
        document = read_text("-")
        assert document.text == s.KOREAN
        assert (document.name, document.source, document.encoding) == ("stdin", "standard input", "cp949")

    def test_encoding_and_replacement_count_there_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", Stdin(b"caf\xe9"))
        assert read_text("-", encoding="ascii", replace=True).text == "caf\ufffd"

    def test_empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", Stdin(b""))
        assert refused("-").message == "stdin is empty"

    @pytest.mark.parametrize("stream", [None, io.StringIO("text")])
    def test_none(self, monkeypatch: pytest.MonkeyPatch, stream: object) -> None:
        monkeypatch.setattr("sys.stdin", stream)
        assert "no standard input" in refused("-").message

    def test_closed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        closed = Stdin(b"x")
        closed.buffer.close()
        monkeypatch.setattr("sys.stdin", closed)
        assert "closed" in refused("-").message

    def test_a_directory_as_standard_input(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        descriptor = os.open(tmp_path, os.O_RDONLY)

        class Directory:
            buffer = io.BufferedReader(type("Raw", (io.RawIOBase,), {
                "readable": lambda self: True, "readinto": lambda self, room: os.readv(descriptor, [room])
            })())  # fmt: skip

        monkeypatch.setattr("sys.stdin", Directory())
        try:
            assert "is a directory" in refused("-").message
        finally:
            os.close(descriptor)


class TestParts:
    def test_only_the_beginning_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "t").write_text(s.KOREAN * 100)
        part = read_part(tmp_path / "t", 1_000)
        assert not part.complete
        assert part.bytes_read == 1_000
        assert part.size == len(s.KOREAN.encode()) * 100
        assert (s.KOREAN * 100).startswith(part.document.text)
        assert len(part.document.text) > 300

    @pytest.mark.parametrize("limit", [HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, 3 * HEAD_BYTES])
    def test_about_the_size_of_a_chunk(self, tmp_path: Path, limit: int) -> None:
        (tmp_path / "t").write_text("x" * (2 * HEAD_BYTES))
        part = read_part(tmp_path / "t", limit)
        assert part.bytes_read == len(part.document.text) == min(limit, 2 * HEAD_BYTES)
        assert part.complete == (limit > 2 * HEAD_BYTES)

    def test_a_short_file_is_complete(self, tmp_path: Path) -> None:
        (tmp_path / "t").write_text("short")
        part = read_part(tmp_path / "t", 1_000)
        assert part.complete
        assert (part.bytes_read, part.size) == (5, 5)

    def test_a_file_that_shrinks_is_complete(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "t").write_text("short")
        real = os.fstat

        def longer(descriptor: int) -> os.stat_result:
            values = list(real(descriptor))
            values[stat.ST_SIZE] = 999
            return os.stat_result(values)

        monkeypatch.setattr(os, "fstat", longer)
        assert read_part(tmp_path / "t", None).complete


def test_bytes_at_hand() -> None:
    document = read_bytes(b"a\r\nb", "prompt\x1b")
    assert (document.text, document.name, document.source) == ("a\nb", "prompt␛", "prompt\x1b")
    with pytest.raises(TextError, match="prompt is empty"):
        read_bytes(b"", "prompt")


def test_long_names_are_cut(tmp_path: Path) -> None:
    (tmp_path / ("n" * 200)).write_text("x")
    assert len(read_text(tmp_path / ("n" * 200)).name) == 80
