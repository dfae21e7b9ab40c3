"""What a checkpoint says about itself survives the way to JSON and back."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import numpy as np
import pytest

from chargru.storage.metadata import (
    HISTORY_LIMIT,
    CorpusIdentity,
    VersionError,
    canonical,
    from_plain,
    to_plain,
    to_text,
)
from chargru.storage.safetensors_guard import HEADER_LIMIT, FormatError
from chargru.text.vocabulary import Vocabulary

from .samples import make_checkpoint


def test_every_field_survives() -> None:
    checkpoint = make_checkpoint()
    summary = from_plain(json.loads(to_text(to_plain(checkpoint))))
    for name in ("model", "training", "corpus", "step", "position", "seconds", "val_loss", "best_loss", "best_step"):
        assert getattr(summary, name) == getattr(checkpoint, name)
    for name in ("lr_scale", "recoveries", "created", "history"):
        assert getattr(summary, name) == getattr(checkpoint, name)
    assert list(summary.vocabulary.code_points) == list(checkpoint.vocabulary.code_points)


def test_unknown_losses_survive() -> None:
    summary = from_plain(to_plain(make_checkpoint(val_loss=None)))
    assert summary.val_loss is None
    assert summary.best_loss is None


def test_numbers_of_numpy_are_plain_numbers() -> None:
    numbers: dict[str, Any] = {"step": np.int64(7), "val_loss": np.float32(0.5)}
    record = {"loss": np.float32(0.5), "step": np.int64(7)}
    plain = to_plain(make_checkpoint(**numbers, history=[record]))
    assert json.loads(to_text(plain)) == plain
    assert plain["history"] == [{"loss": 0.5, "step": 7}]


def test_of_a_long_history_the_tail_is_kept() -> None:
    history = [{"step": step} for step in range(1000)]
    assert to_plain(make_checkpoint(history=history))["history"] == history[-HISTORY_LIMIT:]


def test_file_names_that_are_not_unicode_survive() -> None:
    corpus = CorpusIdentity("\udcff", "a/\udcff\x1b.txt", "0" * 64, 1, "utf-8")
    plain = json.loads(canonical(to_plain(make_checkpoint(corpus=corpus))))
    assert from_plain(plain).corpus == corpus


def test_the_largest_vocabulary_fits_in_the_header() -> None:
    """200,000 code points of which as many as can be are two digits from the one before."""
    far = (0x110000 - 0xE000 - 200_000) // 9
    gaps = [0xE000] + [10] * far + [1] * (199_999 - far)
    assert 0x10FF00 < sum(gaps) < 0x110000
    checkpoint = make_checkpoint()
    checkpoint = type(checkpoint)(
        **{
            **vars(checkpoint),
            "vocabulary": Vocabulary.from_code_points(list(accumulate(gaps))),
            "model": checkpoint.model.with_(vocab_size=len(gaps)),
        }
    )
    assert len(to_text(to_plain(checkpoint))) < HEADER_LIMIT * 0.7


@pytest.mark.parametrize(
    "changes",
    [
        {"val_loss": float("nan")},
        {"val_loss": float("inf")},
        {"best_loss": float("-inf")},
        {"seconds": -1.0},
        {"step": -1},
        {"position": 2**60},
        {"created": "x" * 10_000},
        {"history": [{"loss": float("nan")}]},
        {"history": [{"loss": [1]}]},
        {"history": [{str(number): 1 for number in range(65)}]},
        {"history": [{1: 2}]},
        {"lr_scale": float("nan")},
    ],
)
def test_what_could_not_be_read_again_is_not_written(changes: dict[str, object]) -> None:
    good = make_checkpoint()
    with pytest.raises(FormatError):
        to_plain(type(good)(**{**vars(good), **changes}))


@pytest.mark.parametrize("version", [0, 2, "1", None, 1.0, True])
def test_another_version_is_told_as_such(version: object) -> None:
    with pytest.raises(VersionError, match="version"):
        from_plain({**to_plain(make_checkpoint()), "version": version})
