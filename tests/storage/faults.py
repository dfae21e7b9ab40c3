"""File layers for tests: one fails at a chosen call, one records calls to replay them up to a power cut."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CALLS = ("open", "write", "fsync", "replace", "close")


@contextlib.contextmanager
def failing_call(number: int, code: int, name: str | None = None) -> Iterator[list[str]]:
    """The `number`-th call (from 0) of os.open, write, fsync, replace or close fails with `code`; gives the calls made.

    A failing close still closes, as the system's does. With `name` only calls of that function count.
    """
    calls: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for each in CALLS:
            patch.setattr(os, each, _failing(each, getattr(os, each), calls, number, code, name))
        yield calls


def _failing(each: str, real: Any, calls: list[str], number: int, code: int, name: str | None) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        if name in (None, each):
            calls.append(each)
            if len(calls) == number + 1:
                if each == "close":
                    real(*arguments, **options)
                raise OSError(code, os.strerror(code))
        return real(*arguments, **options)

    return call


@dataclass
class Inode:
    """A file's bytes on the disk for sure, and the writes that are still on their way."""

    durable: bytes = b""
    pending: list[bytes] = field(default_factory=list)

    def possible(self) -> list[bytes]:
        """What a power cut may leave: the durable bytes and any beginning of the pending ones (a few of them)."""
        whole = b"".join(self.pending)
        ends = list(itertools.accumulate(map(len, self.pending), initial=0))
        cuts = {*ends, *(end - 1 for end in ends), len(whole) // 2, 8, 9} & set(range(len(whole) + 1))
        return [self.durable + whole[:cut] for cut in sorted(cuts)]


class PowerCut:
    """Records what happens in one directory, and gives every state in which a power cut could leave it.

    The model promises no more than POSIX does: a file's bytes are safe after its fsync, a name (made, replaced,
    removed) after the directory's fsync; before that, any beginning of either sequence may have reached the disk,
    independently.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.names: dict[str, Inode] = {
            path.name: Inode(path.read_bytes()) for path in directory.iterdir() if path.is_file()
        }
        self.durable_names = dict(self.names)
        self.changes: list[tuple[str, Inode | None]] = []  # to the names, not yet durable
        self.files: dict[int, Inode | None] = {}  # open descriptors; None is the directory
        self.states: list[list[dict[str, bytes]]] = [self._possible()]

    @contextlib.contextmanager
    def recording(self, *, forget_fsync: bool = False, chunk: int = 1000) -> Iterator[None]:
        """Record the body. With `forget_fsync` files are never synced, as a careless program would do it."""
        real = {name: getattr(os, name) for name in (*CALLS, "unlink")}

        def open_(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            file: int = real["open"](path, flags, *rest, **options)
            if Path(path) == self.directory:
                self.files[file] = None
            elif Path(path).parent == self.directory and flags & (os.O_WRONLY | os.O_RDWR):
                if Path(path).name not in self.names:
                    self._rename(Path(path).name, Inode())
                self.files[file] = self.names[Path(path).name]
            return file

        def write(file: int, data: Any) -> int:
            count: int = real["write"](file, memoryview(data)[:chunk])  # short, so that there are many
            inode = self.files.get(file)
            if inode is not None:
                inode.pending.append(bytes(memoryview(data)[:count]))
                self._snapshot()
            return count

        def fsync(file: int) -> None:
            real["fsync"](file)
            if file not in self.files:
                return
            inode = self.files[file]
            if inode is None:
                self.durable_names, self.changes = dict(self.names), []
            elif not forget_fsync:
                inode.durable, inode.pending = inode.durable + b"".join(inode.pending), []
            self._snapshot()

        def replace(source: Any, target: Any, **options: Any) -> None:
            real["replace"](source, target, **options)
            inode = self.names[Path(source).name]
            # one atomic step: the old name goes and the new one comes together
            self.names.pop(Path(source).name)
            self.names[Path(target).name] = inode
            self.changes.append((f"{Path(source).name}>{Path(target).name}", inode))
            self._snapshot()

        def unlink(path: Any, **options: Any) -> None:
            real["unlink"](path, **options)
            if Path(path).parent == self.directory:
                self._rename(Path(path).name, None)

        def close(file: int) -> None:
            self.files.pop(file, None)
            real["close"](file)

        with pytest.MonkeyPatch.context() as patch:
            for name, fake in {
                "open": open_, "write": write, "fsync": fsync, "replace": replace, "unlink": unlink, "close": close,
            }.items():  # fmt: skip
                patch.setattr(os, name, fake)
            yield

    def _rename(self, name: str, inode: Inode | None) -> None:
        if inode is None:
            self.names.pop(name, None)
        else:
            self.names[name] = inode
        self.changes.append((name, inode))
        self._snapshot()

    def _snapshot(self) -> None:
        self.states.append(self._possible())

    def _possible(self) -> list[dict[str, bytes]]:
        """Every directory that a power cut at this moment could leave."""
        found: list[dict[str, bytes]] = []
        names = dict(self.durable_names)
        for change in [None, *self.changes]:
            if change is not None:
                text, inode = change
                source, _, target = text.partition(">")
                if inode is None or target:
                    names.pop(source, None)
                if inode is not None:
                    names[target or source] = inode
            choices = [[(name, content) for content in inode.possible()] for name, inode in names.items()]
            found.extend(dict(choice) for choice in itertools.product(*choices))
        return found


FAULTS = {"full disk": errno.ENOSPC, "bad disk": errno.EIO, "no right": errno.EACCES}


@contextlib.contextmanager
def watching(name: str) -> Iterator[list[Any]]:
    """The first (for os.write: the second) argument of every call of that function of os."""
    seen: list[Any] = []
    real = getattr(os, name)

    def call(*arguments: Any, **options: Any) -> Any:
        seen.append(bytes(arguments[1]) if name == "write" else arguments[0])
        return real(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, name, call)
        yield seen
