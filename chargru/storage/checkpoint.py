"""One .safetensors file holds everything that is needed to go on bit for bit, and nothing that could run code.

    weights.<name>, averaged.<name>   the parameters and their running average, named and shaped as in the engine
    adam_m, adam_v                    (P,) Adam's moments, flat
    state                             (L, B, H) the hidden state between two windows
    metadata "chargru"                one JSON string (chargru.storage.metadata)

All tensors have the number format `training.dtype`. The SHA-256 in the metadata is taken over all of them and over the
rest of the metadata. It proves integrity: that the file is what was once saved. It does not prove who wrote it; anybody
who can write a file can write a matching hash. A checkpoint from somebody else is as trustworthy as they are, though
loading one can at worst be refused: it is numbers and text, read within bounds.

Every failure in here is one CheckpointError.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine.parameters import parameter_shapes
from chargru.errors import ChargruError, CheckpointError
from chargru.storage.atomic import write_atomic
from chargru.storage.metadata import (
    CorpusIdentity,
    Summary,
    VersionError,
    canonical,
    from_plain,
    to_plain,
    to_text,
)
from chargru.storage.regular import NotRegularError, open_regular
from chargru.storage.safetensors_guard import (
    FILE_LIMIT,
    HEADER_LIMIT,
    FormatError,
    Header,
    all_finite,
    read_header,
    read_tensor,
    strict_json,
)
from chargru.text.display import safe_display

__all__ = ["Checkpoint", "CorpusIdentity", "Summary", "load", "peek", "save"]

Array = npt.NDArray[Any]
_KEY = "chargru"  # the one name in the file's metadata
_CODES = {"float32": "F32", "float64": "F64"}
_FORMATS = {"float32": "<f4", "float64": "<f8"}  # the format is little-endian on every machine
_HINTS = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space: your quota is used up",
    errno.EROFS: "that disk is read-only: choose another directory with --out",
    errno.EACCES: "you have no right to that: choose another file or directory",
    errno.EPERM: "you have no right to that: choose another file or directory",
}
_DAMAGED = "use an earlier checkpoint of the run, or train again; chargru reads only what it wrote itself"


@dataclass(frozen=True, eq=False)
class Checkpoint(Summary):
    """A point of training to go on from. P parameters, L layers, B streams, H units; all of `training.dtype`."""

    weights: Array  # (P,) in the order of engine.parameters
    averaged: Array  # (P,)
    adam_m: Array  # (P,)
    adam_v: Array  # (P,)
    state: Array  # (L, B, H)


def save(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write `checkpoint` to `path`; when this returns, it is on the disk to stay.

    Raises:
        CheckpointError: a number is not finite, a field or a shape is impossible, or the disk does not take it. A file
            that was at `path` is then still there.
    """
    path = Path(path)
    with _as_checkpoint_error(path, "was not saved", "the checkpoint before it still stands"):
        plain = to_plain(checkpoint)
        tensors = _tensors(checkpoint)
        plain["sha256"] = _digest(plain, tensors)
        if sum(array.nbytes for array in tensors.values()) > FILE_LIMIT - HEADER_LIMIT:
            raise FormatError(f"it would be larger than {FILE_LIMIT >> 30} GiB")
        data = safetensors.numpy.save(tensors, {_KEY: to_text(plain)})
        if int.from_bytes(data[:8], "little") > HEADER_LIMIT:
            raise FormatError("its vocabulary and history do not fit in the header")
        write_atomic(path, data)


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint, checked to the last bit; every array is the caller's own.

    Raises:
        CheckpointError: there is none at `path`, or it is damaged, cut off, altered, or not one of ours.
    """
    path = Path(path)
    with _as_checkpoint_error(path, "cannot be used", _DAMAGED):
        file, size = open_regular(path)
        with file:
            header = read_header(file, size)
            plain, claimed, summary = _read_metadata(header)
            arrays = _allocate(summary.model, summary.training)
            tensors = _named(arrays, summary.model)
            for name, array in tensors.items():
                read_tensor(file, header, name, array)
        if not hmac.compare_digest(_digest(plain, tensors).encode(), claimed.encode("ascii", "replace")):
            raise FormatError("its contents do not match its SHA-256: it was damaged or altered")
        kept: dict[str, Any] = {each.name: getattr(summary, each.name) for each in fields(Summary)}
        return Checkpoint(**(kept | arrays))


def peek(path: str | Path) -> Summary:
    """What `load` would tell of the checkpoint, but for its tensors: reads the header only, so it is quick.

    The form, the sizes and every field are checked; the hash, which needs the tensors, is not.

    Raises:
        CheckpointError: as `load`.
    """
    path = Path(path)
    with _as_checkpoint_error(path, "cannot be used", _DAMAGED):
        file, size = open_regular(path)
        with file:
            return _read_metadata(read_header(file, size))[2]


def _read_metadata(header: Header) -> tuple[dict[str, Any], str, Summary]:
    """The metadata as a JSON object without its hash, the hash that it claims, and the fields; tensors compared."""
    if set(header.metadata) != {_KEY}:
        raise FormatError("it was not written by chargru")
    plain = strict_json(header.metadata[_KEY])
    claimed = plain.pop("sha256", None) if isinstance(plain, dict) else None
    summary = from_plain(plain)
    if not isinstance(claimed, str):
        raise FormatError("it has no SHA-256")
    expected = _shapes(summary.model, summary.training)
    if set(header.tensors) != set(expected):
        raise FormatError("it does not hold the tensors that its model needs")
    for name, shape in expected.items():
        entry = header.tensors[name]
        if entry.shape != shape or entry.dtype != _CODES[summary.training.dtype]:
            raise FormatError(f"{name} is {entry.dtype} {entry.shape}, its model needs {shape}")
    return plain, claimed, summary


def _shapes(model: ModelConfig, training: TrainingConfig) -> dict[str, tuple[int, ...]]:
    """Name to shape of every tensor in the file."""
    parameters = parameter_shapes(model)
    count = sum(map(math.prod, parameters.values()))
    return {
        **{f"{group}.{name}": shape for group in ("weights", "averaged") for name, shape in parameters.items()},
        "adam_m": (count,),
        "adam_v": (count,),
        "state": (model.num_layers, training.batch_size, model.hidden_size),
    }


def _allocate(model: ModelConfig, training: TrainingConfig) -> dict[str, Array]:
    """The checkpoint's arrays, yet to be filled; their sizes were held against the file's by now."""
    shapes = _shapes(model, training)
    dtype = np.dtype(_FORMATS[training.dtype])
    flat = shapes["adam_m"]
    return {
        **{name: np.empty(flat, dtype) for name in ("weights", "averaged", "adam_m", "adam_v")},
        "state": np.empty(shapes["state"], dtype),
    }


def _named(arrays: Mapping[str, Array], model: ModelConfig) -> dict[str, Array]:
    """The checkpoint's arrays as the file's tensors: views by parameter of the two groups, the rest as it is."""
    tensors: dict[str, Array] = {}
    for group in ("weights", "averaged"):
        start = 0
        for name, shape in parameter_shapes(model).items():
            stop = start + math.prod(shape)
            tensors[f"{group}.{name}"] = arrays[group][start:stop].reshape(shape)
            start = stop
    return tensors | {name: arrays[name] for name in ("adam_m", "adam_v", "state")}


def _tensors(checkpoint: Checkpoint) -> dict[str, Array]:
    """The tensors to write, contiguous and little-endian; copies only where they were not."""
    model, training = checkpoint.model, checkpoint.training
    shapes = _shapes(model, training)
    arrays: dict[str, Array] = {}
    for name in ("weights", "averaged", "adam_m", "adam_v", "state"):
        array = getattr(checkpoint, name)
        needed = shapes.get(name, shapes["adam_m"])
        if not isinstance(array, np.ndarray) or array.shape != needed or array.dtype != training.dtype:
            raise FormatError(f"{name} is not an array {needed} of {training.dtype}")
        arrays[name] = np.ascontiguousarray(array, _FORMATS[training.dtype])
        if not all_finite(arrays[name]):
            raise FormatError(f"{name} holds numbers that are not finite")
    return _named(arrays, model)


def _digest(plain: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """SHA-256 of the metadata without the hash, then of each tensor in the order of their names.

    The metadata fix every tensor's name, shape and number format, so their bytes need no marks between them.
    """
    digest = hashlib.sha256(canonical({name: value for name, value in plain.items() if name != "sha256"}))
    for name in sorted(tensors):
        digest.update(tensors[name].reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


@contextlib.contextmanager
def _as_checkpoint_error(path: Path, what: str, hint: str) -> Iterator[None]:
    """Turn whatever goes wrong into one CheckpointError of one line that names the file."""
    try:
        yield
    except (
        OSError,
        MemoryError,
        RecursionError,
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
        ChargruError,
    ) as error:
        reason, better = _explain(error)
        line = safe_display(f"{path} {what}: {reason}", newlines=False)
        raise CheckpointError(line, better or hint) from error
    except safetensors.SafetensorError as error:
        line = safe_display(f"{path} {what}: it could not be serialised ({error})", newlines=False)
        raise CheckpointError(line, hint) from error


def _explain(error: Exception) -> tuple[str, str]:
    """Why, in a clause, and what to do if there is something better than the general hint."""
    match error:
        case FileNotFoundError():
            return "there is no such file or directory", "see `chargru runs` for what was trained"
        case NotRegularError():
            return str(error.strerror), "give a run's name, its directory, or a .safetensors file"
        case OSError():
            return error.strerror or type(error).__name__, _HINTS.get(error.errno or 0, "")
        case MemoryError():
            return "there is not enough memory for it", "close other programs and try again"
        case RecursionError():
            return "its header is nested too deeply", ""
        case UnicodeError():
            return "its header is not valid UTF-8", ""
        case VersionError():
            return str(error), "a newer chargru may have written it: update chargru"
        case FormatError():
            return str(error)[:200], ""
        case ChargruError():
            return f"impossible settings: {error.message[:200]}", ""
        case _:  # what json and the conversions raise
            return f"it is not well formed ({str(error)[:200]})", ""
