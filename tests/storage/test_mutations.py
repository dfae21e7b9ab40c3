"""Nobody let in: thousands of mutations of a checkpoint are refused cleanly or load as what it was."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chargru.errors import CheckpointError
from chargru.storage.checkpoint import load, peek

from .samples import make_checkpoint, same, saved_bytes

MEMORY = 64 << 20  # bytes


MUTATIONS: list[Callable[[random.Random, bytearray], None]] = []


def mutation(change: Callable[[random.Random, bytearray], None]) -> Callable[[random.Random, bytearray], None]:
    MUTATIONS.append(change)
    return change


def place(rng: random.Random, data: bytearray) -> int:
    """Mostly in the header, where there is something to misread."""
    end = min(len(data), 8 + int.from_bytes(data[:8], "little")) if rng.random() < 0.8 else len(data)
    return rng.randrange(max(1, end))


@mutation
def flip_a_bit(rng: random.Random, data: bytearray) -> None:
    data[place(rng, data)] ^= 1 << rng.randrange(8)


@mutation
def set_a_byte(rng: random.Random, data: bytearray) -> None:
    data[place(rng, data)] = rng.choice(b'0123456789-+.eE"\\{}[]:, ntf\x00\xff')


@mutation
def insert_a_byte(rng: random.Random, data: bytearray) -> None:
    data.insert(place(rng, data), rng.choice(b'0123456789-."{}[]:, '))
    fix_length(rng, data, 1)


@mutation
def remove_some(rng: random.Random, data: bytearray) -> None:
    start, count = place(rng, data), rng.choice((1, 1, 2, 5, 50))
    count = min(count, len(data) - start)
    del data[start : start + count]
    fix_length(rng, data, -count)


@mutation
def repeat_some(rng: random.Random, data: bytearray) -> None:
    start, count = place(rng, data), rng.choice((1, 4, 20, 200))
    piece = data[start : start + count]
    data[start:start] = piece
    fix_length(rng, data, len(piece))


@mutation
def exchange_two_pieces(rng: random.Random, data: bytearray) -> None:
    one, other, count = place(rng, data), place(rng, data), rng.choice((1, 2, 8))
    first, second = data[one : one + count], data[other : other + count]
    data[one : one + count], data[other : other + len(first)] = second, first


@mutation
def cut_off(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


@mutation
def change_a_number(rng: random.Random, data: bytearray) -> None:
    """A whole number in the header becomes a nasty one of the same length, so that the rest still fits."""
    start = place(rng, data)
    while start < len(data) and not 48 <= data[start] <= 57:
        start += 1
    end = start
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    if end > start:
        nasty = rng.choice((b"9" * 30, b"0" * 30, b"-" + b"1" * 30, b"1e" + b"9" * 28, b"1" + b"0" * 29))
        data[start:end] = nasty[: end - start]


def fix_length(rng: random.Random, data: bytearray, change: int) -> None:
    """Most often make the header's length right again, so that the header itself is read."""
    if rng.random() < 0.8 and len(data) >= 8:
        length = max(0, int.from_bytes(data[:8], "little") + change) % 2**64
        data[:8] = length.to_bytes(8, "little")


@pytest.mark.parametrize("count", [1_000, pytest.param(20_000, marks=pytest.mark.long)])
def test_mutated_files_are_refused_or_equal(count: int, tmp_path: Path) -> None:
    original = saved_bytes(tmp_path)
    checkpoint = make_checkpoint()
    path = tmp_path / "file.safetensors"
    rng = random.Random(20240506)
    refused = equal = 0
    before = most_memory()
    with path.open("w+b", buffering=0) as file:  # one file, overwritten: making thousands is most of the time
        for number in range(count):
            data = bytearray(original)
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                if data:
                    MUTATIONS[number % len(MUTATIONS)](rng, data)
            file.seek(0)
            file.write(data)
            file.truncate()
            try:
                loaded = load(path)
            except CheckpointError:
                refused += 1
            else:
                assert same(loaded, checkpoint), f"mutation {number} loads as something else"
                equal += 1
            with contextlib.suppress(CheckpointError):
                peek(path)
    assert most_memory() - before < MEMORY
    assert refused + equal == count
    assert refused > 0.9 * count


def most_memory() -> int:
    """The most memory that this process has had so far, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
