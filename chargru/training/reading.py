"""The text of a training: read into memory where it is small, as a memory map of its ids where it is large."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chargru.storage.checkpoint import CorpusIdentity
from chargru.text import library
from chargru.text.blocks import Progress
from chargru.text.reader import Document, read_text
from chargru.text.stream import identity, split
from chargru.text.vocabulary import Vocabulary
from chargru.training.material import Array, Material


@dataclass(frozen=True)
class TextRead:
    """A whole text as ids (n,), what is known of it, and what there is to tell about the reading.

    `about_ids` tells where the ids of a large text are, which is news every time. `text` is None where the text is
    large: nothing holds it then.
    """

    ids: Array
    vocabulary: Vocabulary
    corpus: CorpusIdentity
    notes: tuple[str, ...]
    text: str | None
    about_ids: tuple[str, ...] = ()

    def material(self, val_fraction: float) -> Material:
        """What is learned of it, and what is held out."""
        return Material(*split(self.ids, val_fraction), self.vocabulary, self.corpus)


def read(
    spec: str, *, encoding: str | None = None, replace: bool = False, progress: Progress | None = None
) -> TextRead:
    """The text that `spec` names, as in `library.load`; `progress` is told of a large one how far the reading is.

    Raises:
        TextError: it cannot be read.
    """
    large = library.large_file(spec, encoding)
    if large is not None:
        return _read_large(large, encoding, replace, progress)
    return _at_once(library.load(spec, encoding=encoding, replace=replace))


def read_copy(path: Path, progress: Progress | None = None) -> TextRead:
    """The text that a run keeps in a file of its own, in UTF-8. Raises TextError."""
    spec = str(path.absolute())
    if library.large_file(spec) is not None:
        return _read_large(path, "utf-8", False, progress)
    return _at_once(read_text(path, encoding="utf-8"))


def _at_once(document: Document) -> TextRead:
    vocabulary = Vocabulary.from_text(document.text)
    found = identity(document.text)
    corpus = CorpusIdentity(document.name, document.source, found.sha256, found.characters, document.encoding)
    return TextRead(vocabulary.encode(document.text), vocabulary, corpus, document.notes, document.text)


def _read_large(path: Path, encoding: str | None, replace: bool, progress: Progress | None) -> TextRead:
    from chargru.storage.id_cache import read_large  # few texts need it

    found = read_large(path, encoding=encoding, replace=replace, progress=progress)
    survey = found.survey
    corpus = CorpusIdentity(survey.name, found.stamp.source, found.sha256, survey.characters, survey.encoding)
    return TextRead(found.ids, survey.vocabulary, corpus, survey.notes, None, found.notes)
