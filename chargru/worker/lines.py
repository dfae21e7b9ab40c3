"""Lines over a pipe, with a cap on their length: what is read never takes more memory than the cap allows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

LINE_LIMIT = 256 * 1024  # bytes; the longest honest line is an event with a sample in it, a few kilobytes


def read_lines(read: Callable[[int], bytes], limit: int = LINE_LIMIT) -> Iterator[bytes | None]:
    """Whole lines without their newline, until `read` returns no more bytes.

    A line longer than `limit` bytes is thrown away as it comes and yields None in its place. What stands after the
    last newline is not a line: its writer was cut off.
    """
    pending = bytearray()
    too_long = False
    while chunk := read(65536):
        pending += chunk
        while (end := pending.find(b"\n")) >= 0:
            line = bytes(pending[:end])
            del pending[: end + 1]
            yield None if too_long or len(line) > limit else line
            too_long = False
        if len(pending) > limit:
            pending.clear()
            too_long = True


def encode_line(record: Mapping[str, Any]) -> bytes:
    """The record as one line of plain ASCII JSON, newline included."""
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def decode_line(line: bytes) -> dict[str, Any]:
    """The inverse of `encode_line`; anything that is not a JSON object raises ValueError."""
    try:
        record = json.loads(line)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record
