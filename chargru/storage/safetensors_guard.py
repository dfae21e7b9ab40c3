"""The checked reading of a .safetensors file that anybody may have written.

The format: 8 bytes N (little-endian), N bytes of JSON that give each tensor's dtype, shape and byte range, then the
bytes. All of it is a claim of the file's author. So the header is bounded before it is parsed, every range is held
against the size that the file really has, and a tensor is read straight into an array that the caller made from what
*it* expects: nothing is ever allocated from a claimed number, and nothing is held in memory twice.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from io import FileIO
from typing import Any

import numpy as np
import numpy.typing as npt

HEADER_LIMIT = 1 << 20  # bytes of JSON
TENSOR_LIMIT = 64
FILE_LIMIT = 4 << 30  # bytes
ITEM_BYTES = {"F32": 4, "F64": 8}
_CHUNK = 1 << 20  # numbers looked at together


class FormatError(ValueError):
    """The file is not what it should be; the message is a clause that says in what."""


@dataclass(frozen=True)
class Entry:
    """What the header says of one tensor; the byte range counts from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Header:
    """A header that is well formed and fits the file exactly."""

    metadata: dict[str, str]
    tensors: dict[str, Entry]
    data_start: int  # bytes from the beginning of the file


def read_header(file: FileIO, size: int) -> Header:
    """Read and check the header of a file of `size` bytes.

    Raises:
        FormatError: it is not a .safetensors file, or one with ranges that do not cover the file exactly.
        ValueError, RecursionError: it is not JSON.
        OSError: it cannot be read.
    """
    if size > FILE_LIMIT:
        raise FormatError(f"it is larger than {FILE_LIMIT >> 30} GiB")
    if size < 10:
        raise FormatError("it is too short to be a .safetensors file" if size else "it is empty")
    prefix = bytearray(8)
    _read_into(file, 0, memoryview(prefix))
    length = int.from_bytes(prefix, "little")
    if length > HEADER_LIMIT:
        raise FormatError(f"its header claims {length:,} bytes, at most {HEADER_LIMIT:,} are read")
    if length > size - 8:
        raise FormatError(f"its header claims {length:,} bytes, the file has {size - 8:,} left: it was cut off")
    text = bytearray(length)
    _read_into(file, 8, memoryview(text))
    if not text.startswith(b"{"):
        raise FormatError("it is not a .safetensors file")
    table = strict_json(text.decode("utf-8"))
    if not isinstance(table, dict):
        raise FormatError("its header is not a JSON object")
    metadata = table.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FormatError("its metadata are not texts")
    if len(table) > TENSOR_LIMIT:
        raise FormatError(f"it claims {len(table):,} tensors, at most {TENSOR_LIMIT} are read")
    tensors = {name: _entry(name, claim) for name, claim in table.items()}
    _require_exact_cover(tensors, size - 8 - length)
    return Header(metadata, tensors, 8 + length)


def read_tensor(file: FileIO, header: Header, name: str, out: npt.NDArray[Any]) -> None:
    """Fill `out`, a contiguous array of the size that the caller expects, with the tensor `name`.

    Raises:
        FormatError: the tensor has another size, the file ends too early, or a number is not finite.
    """
    entry = header.tensors[name]
    if entry.stop - entry.start != out.nbytes:
        raise FormatError(f"{name} has another size than expected")
    _read_into(file, header.data_start + entry.start, out.reshape(-1).view(np.uint8).data)
    if not all_finite(out):
        raise FormatError(f"{name} holds numbers that are not finite")


def all_finite(array: npt.NDArray[Any]) -> bool:
    """Whether no number in a contiguous array is infinite or NaN; looked at in pieces, to need no memory."""
    flat = array.reshape(-1)
    return all(bool(np.isfinite(flat[start : start + _CHUNK]).all()) for start in range(0, flat.size, _CHUNK))


def strict_json(text: str) -> Any:
    """Parse JSON in which no name occurs twice in an object and every number is finite.

    Raises:
        ValueError, RecursionError: it is not such JSON.
    """
    return json.loads(text, object_pairs_hook=_unique_names, parse_constant=_refuse_constant, parse_float=_finite_float)


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise FormatError("a name occurs twice in its header")
    return table


def _refuse_constant(name: str) -> None:
    raise FormatError(f"{name} in its header")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise FormatError("a number in its header is too large")
    return value


def _entry(name: str, claim: Any) -> Entry:
    if not isinstance(claim, dict) or set(claim) != {"dtype", "shape", "data_offsets"}:
        raise FormatError(f"its header does not describe {name} as it should")
    dtype, shape, offsets = claim["dtype"], claim["shape"], claim["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise FormatError(f"{name} has an unexpected number format")
    if not _are_sizes(shape) or len(shape) > 4 or not _are_sizes(offsets) or len(offsets) != 2:
        raise FormatError(f"{name} has an impossible shape or byte range")
    if offsets[1] - offsets[0] != math.prod(shape) * ITEM_BYTES[dtype]:
        raise FormatError(f"the byte range of {name} does not fit its shape")
    return Entry(dtype, tuple(shape), offsets[0], offsets[1])


def _are_sizes(values: Any) -> bool:
    """A list of whole numbers that could be sizes; True is not a number here."""
    return isinstance(values, list) and all(type(value) is int and 0 <= value <= FILE_LIMIT for value in values)


def _require_exact_cover(tensors: dict[str, Entry], size: int) -> None:
    """The byte ranges follow one another without a gap or an overlap and end where the file does."""
    position = 0
    for entry in sorted(tensors.values(), key=lambda entry: (entry.start, entry.stop)):
        if entry.start != position:
            raise FormatError("the byte ranges of its tensors overlap or leave gaps")
        position = entry.stop
    if position != size:
        missing = position - size
        state = f"{missing:,} bytes are missing: it was cut off" if missing > 0 else f"{-missing:,} bytes too many"
        raise FormatError(state)


def _read_into(file: FileIO, start: int, view: memoryview) -> None:
    """Fill `view` from the byte `start` on; a file that shrinks meanwhile is told."""
    file.seek(start)
    while view.nbytes:
        count = file.readinto(view)
        if not count:
            raise FormatError("it ends too early")
        view = view[count:]
