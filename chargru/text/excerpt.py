"""`guessing.sample` of a large file: the same excerpt, without the whole in memory."""

from __future__ import annotations

from chargru.text.blocks import Blocks
from chargru.text.guessing import HIGH, SAMPLE_BYTES

_SCAN = 1 << 16  # bytes: a line is seldom longer, and there may be thousands


def sample(blocks: Blocks, limit: int = SAMPLE_BYTES) -> bytes:
    """The first lines with a high byte, up to `limit` bytes in all, exactly as `guessing.sample` takes them."""
    lines: list[bytes] = []
    room = limit
    position = 0
    while room > 0 and (high := _first_high(blocks, position)) is not None:
        # A line that begins further back is cut near the high byte, after a space where there is one.
        near = max(position, high - room // 2)
        look = max(position, near - 1)  # a newline right before `near` makes `near` the line's beginning
        before = blocks.at(look, high - look)
        if (newline := before.rfind(b"\n")) >= 0:
            start = look + newline + 1
        elif near == position:
            start = position
        else:
            start = near + before[near - look :].rfind(b" ") + 1
        end = _line_end(blocks, high)
        line = blocks.at(start, min(end - start, room))
        lines.append(line)
        room -= len(line)
        position = end
    return b"".join(lines)


def _first_high(blocks: Blocks, position: int) -> int | None:
    """Where the first byte above 0x7F stands, from `position` on."""
    for block in blocks.since(position, _SCAN):
        if found := HIGH.search(block):
            return position + found.start()
        position += len(block)
    return None


def _line_end(blocks: Blocks, position: int) -> int:
    """Where the line that goes on at `position` is over."""
    for block in blocks.since(position, _SCAN):
        if (found := block.find(b"\n")) >= 0:
            return position + found + 1
        position += len(block)
    return position
