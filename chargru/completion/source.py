"""The very text that a model was trained on, found again where its checkpoint says that it came from.

Only a text whose SHA-256 and length are the recorded ones counts: what was copied out of a text cannot be said from
another one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chargru.completion.copied import refuse_too_long
from chargru.errors import RunError, TextError
from chargru.storage import checkpoint as checkpoints
from chargru.storage.checkpoint import CorpusIdentity
from chargru.storage.run import TEXT_COPY
from chargru.text import library
from chargru.text.reader import Document, read_text
from chargru.text.stream import identity, training_length

_MOST_BYTES = 8  # of a character, in any encoding: a line end of two in UTF-32


def training_text(path: str | Path) -> str:
    """The training part of the text that the model in the checkpoint `path` has learned, without the held-out tail.

    Raises:
        CheckpointError: the checkpoint is unreadable or not one of ours.
        RunError: the text is gone, has changed, or came from standard input and was not kept.
        TextError: it is too long for an index of copied passages; it is not read then.
    """
    path = Path(path)
    summary = checkpoints.peek(path)
    fraction = summary.training.val_fraction
    refuse_too_long(training_length(summary.corpus.characters, fraction), summary.vocabulary.size)
    text = _whole(path.parent, summary.corpus)
    return text[: training_length(len(text), fraction)]


def _whole(run: Path, corpus: CorpusIdentity) -> str:
    """The text with the recorded identity, read in each way in which it may have been read."""
    found: Document | None = None
    failure: TextError | None = None
    for document in _readings(run, corpus):
        if isinstance(document, TextError):
            failure = failure or document
            continue
        if len(document.text) == corpus.characters and identity(document.text).sha256 == corpus.sha256:
            return document.text
        found = found or document
    if found is not None:
        raise RunError(
            f"the text of this model has changed since: {found.name} now has {len(found.text):,} characters, "
            f"the model learned {corpus.characters:,}"
            + (" other ones" if len(found.text) == corpus.characters else ""),
            "put the old text back, or train on the new one",
        )
    if failure is not None:
        raise RunError(
            f"the text of this model cannot be read again: {failure.message}",
            f"put it back to {corpus.source}" if Path(corpus.source).is_absolute() else failure.hint,
        ) from failure
    raise RunError(
        "the text of this model came through standard input and was not kept",
        "train on a file, or keep the run's directory together",
    )


def _readings(run: Path, corpus: CorpusIdentity) -> Iterator[Document | TextError]:
    """The text as it can be read, or why it cannot; the likeliest way first, each only when it is asked for."""
    copy = run / TEXT_COPY
    if copy.is_file():
        yield _try(lambda: read_text(copy, encoding="utf-8"))
    if corpus.source == "standard input":
        return
    _refuse_grown(corpus)
    listed = {entry.name for entry in library.entries()}
    ways: list[dict[str, Any]] = [{}]
    if corpus.source not in listed:
        # An encoding may have been given by hand, and undecodable bytes may have been replaced.
        known = {} if corpus.encoding == "mixed" else {"encoding": corpus.encoding}
        ways += [known] if known else []
        ways += [{"replace": True}, {"replace": True, **known}] if known else [{"replace": True}]
    for way in ways:
        yield _try(functools.partial(library.load, corpus.source, **way))


def _refuse_grown(corpus: CorpusIdentity) -> None:
    """Raise RunError for a file that is too large to be the text any more: it must not be read into memory."""
    large = library.large_file(corpus.source)
    if large is not None and (size := large.stat().st_size) > _MOST_BYTES * (corpus.characters + 1):
        raise RunError(
            f"the text of this model has changed since: {corpus.name} now has {size:,} bytes, "
            f"the model learned {corpus.characters:,} characters",
            "put the old text back, or train on the new one",
        )


def _try(read: Callable[[], Document]) -> Document | TextError:
    try:
        return read()
    except TextError as error:
        return error
