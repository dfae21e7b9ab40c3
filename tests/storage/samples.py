"""Small checkpoints, and their files taken apart, changed and put together again."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine.parameters import parameter_count
from chargru.storage.checkpoint import Checkpoint, CorpusIdentity, save
from chargru.storage.metadata import canonical, to_plain
from chargru.text.vocabulary import Vocabulary

LETTERS = "\n abz한😀"


def make_checkpoint(
    step: int = 3,
    *,
    val_loss: float | None = 1.5,
    hidden: int = 3,
    layers: int = 1,
    batch: int = 2,
    dtype: str = "float32",
    letters: str = LETTERS,
    **changes: Any,
) -> Checkpoint:
    """A checkpoint of random numbers that differ from step to step."""
    points = sorted(map(ord, letters))
    model = ModelConfig(vocab_size=len(points), hidden_size=hidden, num_layers=layers)
    rng = np.random.default_rng(step)
    flat = [rng.normal(size=parameter_count(model)).astype(dtype) for _ in range(4)]
    values: dict[str, Any] = {
        "model": model,
        "training": TrainingConfig(steps=100, batch_size=batch, seq_len=8, dtype=dtype),
        "vocabulary": Vocabulary.from_code_points(points),
        "corpus": CorpusIdentity("tales", "a/tales.txt", "ab" * 32, 12345, "utf-8"),
        "step": step,
        "position": 8 * step,
        "seconds": 0.1 * step,
        "val_loss": val_loss,
        "best_loss": val_loss,
        "best_step": 0,
        "lr_scale": 0.5,
        "recoveries": 1,
        "created": "2024-05-06T07:08:09.123+00:00",
        "history": [{"step": step, "loss": 2.25, "note": "ü", "best": True, "nothing": None}],
        "weights": flat[0],
        "averaged": flat[1],
        "adam_m": flat[2],
        "adam_v": flat[3] ** 2,
        "state": rng.normal(size=(layers, batch, hidden)).astype(dtype),
    }
    return Checkpoint(**(values | changes))


def same(one: Checkpoint, other: Checkpoint) -> bool:
    """Equal in every field, and in every array to the bit."""
    arrays = ("weights", "averaged", "adam_m", "adam_v", "state")
    return to_plain(one) == to_plain(other) and all(
        getattr(one, name).dtype == getattr(other, name).dtype
        and getattr(one, name).shape == getattr(other, name).shape
        and getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in arrays
    )


def saved_bytes(directory: Path, checkpoint: Checkpoint | None = None) -> bytes:
    path = directory / "original.safetensors"
    save(checkpoint or make_checkpoint(), path)
    return path.read_bytes()


class Parts:
    """A .safetensors file in its parts, to be changed at will: `header`, `meta` (our JSON object), `tensors`."""

    def __init__(self, data: bytes) -> None:
        length = int.from_bytes(data[:8], "little")
        self.header: dict[str, Any] = json.loads(data[8 : 8 + length])
        self.meta: dict[str, Any] = json.loads(self.header["__metadata__"]["chargru"])
        self.body = data[8 + length :]

    def tensor(self, name: str) -> np.ndarray[Any, Any]:
        entry = self.header[name]
        start, stop = entry["data_offsets"]
        kind = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
        return np.frombuffer(self.body[start:stop], kind).reshape(entry["shape"]).copy()

    def put(self, name: str, array: np.ndarray[Any, Any]) -> None:
        start, stop = self.header[name]["data_offsets"]
        self.body = self.body[:start] + array.tobytes() + self.body[stop:]

    def seal(self) -> Parts:
        """Make the hash right again, so that it is another check that has to notice."""
        plain = {name: value for name, value in self.meta.items() if name != "sha256"}
        digest = hashlib.sha256(canonical(plain))
        for name in sorted(set(self.header) - {"__metadata__"}):
            start, stop = self.header[name]["data_offsets"]
            digest.update(self.body[start:stop])
        self.meta["sha256"] = digest.hexdigest()
        return self

    def join(self, header_text: str | None = None, meta_text: str | None = None) -> bytes:
        self.header["__metadata__"] = {"chargru": json.dumps(self.meta) if meta_text is None else meta_text}
        return frame((json.dumps(self.header) if header_text is None else header_text).encode(), self.body)


def frame(header: bytes, body: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + body


def altered(change: Callable[[Parts], object]) -> Callable[[bytes], bytes]:
    """A malformed file: `change` the parts, make the hash right where it can be, and put them together."""

    def build(data: bytes) -> bytes:
        parts = Parts(data)
        change(parts)
        return parts.seal().join()

    return build


def rearranged(parts: Parts, shapes: dict[str, list[int]], dtype: str = "F32") -> None:
    """Describe the body as these tensors, one after the other."""
    parts.header = {"__metadata__": {}}
    position = 0
    for name, shape in shapes.items():
        stop = position + math.prod(shape) * {"F32": 4, "F64": 8}[dtype]
        parts.header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [position, stop]}
        position = stop
