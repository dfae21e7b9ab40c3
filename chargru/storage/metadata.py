"""What a checkpoint says about itself besides its numbers, to JSON and back, with every field checked.

The JSON object, stored as one string in the .safetensors metadata:

    format, version        "chargru checkpoint", 1
    model, training        the settings by name (chargru.config)
    code_point_gaps        the vocabulary: its first code point, then the distance from each one to the next. Increasing
                           order and distinctness are then the same as "every gap is at least 1", and even the largest
                           vocabulary fits in the megabyte that a header may have
    corpus                 name, source, sha256, characters, encoding
    step, position, seconds, val_loss, best_loss, best_step, lr_scale, recoveries, created, history
    sha256                 over all the above and the tensors (chargru.storage.checkpoint)

Text is escaped to ASCII, so that file names which are not valid Unicode survive as well.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from itertools import accumulate
from typing import Any

import numpy as np

from chargru.config import ModelConfig, TrainingConfig
from chargru.storage.safetensors_guard import FormatError
from chargru.text.vocabulary import Vocabulary

FORMAT = "chargru checkpoint"
VERSION = 1
HISTORY_LIMIT = 256  # records
_RECORD_LIMIT = 64  # fields in one record of the history
_TEXT_LIMIT = 8192  # characters in one text
_COUNT_LIMIT = 2**53
_LAST_CODE_POINT = 0x10FFFF


class VersionError(FormatError):
    """It is ours, but of a version that this program does not know."""


@dataclass(frozen=True)
class CorpusIdentity:
    """The text that was learned: enough to recognise it, not the text itself."""

    name: str
    source: str  # path, or "standard input"
    sha256: str  # of the text in UTF-8
    characters: int
    encoding: str


@dataclass(frozen=True, eq=False)
class Summary:
    """Everything in a checkpoint but its tensors. Losses are nats per character."""

    model: ModelConfig
    training: TrainingConfig
    vocabulary: Vocabulary
    corpus: CorpusIdentity
    step: int  # updates done
    position: int  # characters that each reader of the stream has consumed
    seconds: float  # of training
    val_loss: float | None
    best_loss: float | None
    best_step: int
    lr_scale: float  # 1, halved by every recovery
    recoveries: int
    created: str  # ISO time
    history: list[dict[str, Any]]  # the last records, at most HISTORY_LIMIT


def to_plain(summary: Summary) -> dict[str, Any]:
    """The JSON object, without the hash; checked as it will be when it is read again.

    Raises:
        FormatError, ConfigError, ValueError, TypeError: a field is impossible.
    """
    points = [int(point) for point in summary.vocabulary.code_points]
    plain: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "model": summary.model.to_dict(),
        "training": summary.training.to_dict(),
        "code_point_gaps": [after - before for before, after in zip([0, *points], points, strict=False)],
        "corpus": asdict(summary.corpus),
        "step": int(summary.step),
        "position": int(summary.position),
        "seconds": float(summary.seconds),
        "val_loss": None if summary.val_loss is None else float(summary.val_loss),
        "best_loss": None if summary.best_loss is None else float(summary.best_loss),
        "best_step": int(summary.best_step),
        "lr_scale": float(summary.lr_scale),
        "recoveries": int(summary.recoveries),
        "created": summary.created,
        "history": [
            {name: value.item() if isinstance(value, np.generic) else value for name, value in record.items()}
            for record in summary.history[-HISTORY_LIMIT:]
        ],
    }
    from_plain(plain)
    return plain


def from_plain(plain: Any) -> Summary:
    """The inverse of `to_plain`; trusts nothing.

    Raises:
        FormatError, ConfigError, ValueError, TypeError: it is not what `to_plain` writes.
    """
    table = _object(plain, "the metadata")
    if table.get("format") != FORMAT:
        raise FormatError("it was not written by chargru")
    if type(table.get("version")) is not int or table["version"] != VERSION:
        raise VersionError(f"it has version {table.get('version')!r} of the format, this chargru reads {VERSION}")
    expected = {"format", "version", "code_point_gaps"} | {each.name for each in fields(Summary)} - {"vocabulary"}
    if set(table) != expected:
        odd = sorted(set(table) ^ expected)
        raise FormatError(f"a field of its metadata is missing or unknown: {', '.join(odd[:3])}")
    model = ModelConfig.from_dict(_object(table["model"], "model"))
    training = TrainingConfig.from_dict(_object(table["training"], "training"))
    return Summary(
        model=model,
        training=training,
        vocabulary=_vocabulary(table["code_point_gaps"], model.vocab_size),
        corpus=_corpus(table["corpus"]),
        step=_count(table, "step"),
        position=_count(table, "position"),
        seconds=_number(table, "seconds"),
        val_loss=None if table["val_loss"] is None else _number(table, "val_loss"),
        best_loss=None if table["best_loss"] is None else _number(table, "best_loss"),
        best_step=_count(table, "best_step", low=-1),
        lr_scale=_number(table, "lr_scale"),
        recoveries=_count(table, "recoveries"),
        created=_text(table, "created"),
        history=_history(table["history"]),
    )


def canonical(plain: dict[str, Any]) -> bytes:
    """The one spelling of a JSON object that is hashed: sorted names, no spaces, ASCII."""
    return to_text(plain).encode("ascii")


def to_text(plain: dict[str, Any]) -> str:
    """A JSON object as compact ASCII text with sorted names.

    Raises:
        ValueError, TypeError: it holds a number that is not finite, or something that JSON does not know.
    """
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _vocabulary(gaps: Any, size: int) -> Vocabulary:
    if not isinstance(gaps, list) or len(gaps) != size:
        raise FormatError("its vocabulary has another size than its model")
    if not all(type(gap) is int for gap in gaps) or gaps[0] < 0 or any(gap < 1 for gap in gaps[1:]):
        raise FormatError("its vocabulary holds a character twice or out of order")
    if any(gap > _LAST_CODE_POINT for gap in gaps) or sum(gaps) > _LAST_CODE_POINT:
        raise FormatError("its vocabulary holds what is not a character")
    return Vocabulary.from_code_points(list(accumulate(gaps)))


def _corpus(value: Any) -> CorpusIdentity:
    table = _object(value, "corpus")
    if set(table) != {each.name for each in fields(CorpusIdentity)}:
        raise FormatError("a field of its corpus is missing or unknown")
    return CorpusIdentity(
        name=_text(table, "name"),
        source=_text(table, "source"),
        sha256=_text(table, "sha256"),
        characters=_count(table, "characters"),
        encoding=_text(table, "encoding"),
    )


def _history(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > HISTORY_LIMIT:
        raise FormatError("its history is not a short list")
    for record in value:
        table = _object(record, "a record of the history")
        if len(table) > _RECORD_LIMIT or not all(isinstance(name, str) for name in table):
            raise FormatError("a record of its history is too large")
        for each in table.values():
            if not isinstance(each, str | int | float | bool | None) or (
                isinstance(each, float) and not math.isfinite(each)
            ):
                raise FormatError("its history holds something other than texts and finite numbers")
    return value


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(f"{name} is not a JSON object")
    return value


def _count(table: dict[str, Any], name: str, low: int = 0) -> int:
    value = table[name]
    if type(value) is not int or not low <= value <= _COUNT_LIMIT:
        raise FormatError(f"{name} is not a possible number")
    return value


def _number(table: dict[str, Any], name: str) -> float:
    value = table[name]
    if type(value) is not float or not math.isfinite(value) or value < 0:
        raise FormatError(f"{name} is not a possible number")
    return value


def _text(table: dict[str, Any], name: str) -> str:
    value = table[name]
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        raise FormatError(f"{name} is not a short text")
    return value
