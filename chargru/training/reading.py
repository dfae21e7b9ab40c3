"""The text of a training: read into memory where it is small, as a memory map of its ids where it is large."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chargru.storage.checkpoint import CorpusIdentity
from chargru.text import large, library, reader
from chargru.text.blocks import Progress
from chargru.text.codepoints import CHUNK
from chargru.text.reader import STDIN, Document, read_text
from chargru.text.stream import identity, split
from chargru.text.vocabulary import Vocabulary
from chargru.training.material import Array, Material

if TYPE_CHECKING:
    from chargru.storage.id_file import LargeText


@dataclass(frozen=True)
class TextRead:
    """A whole text as ids (n,), what is known of it, and what there is to tell about the reading.

    `about_ids` tells where the ids of a large text are, which is news every time. The text itself is not held; its ids
    are as good.
    """

    ids: Array
    vocabulary: Vocabulary
    corpus: CorpusIdentity
    notes: tuple[str, ...]
    about_ids: tuple[str, ...] = ()

    def material(self, val_fraction: float) -> Material:
        """What is learned of it, and what is held out."""
        return Material(*split(self.ids, val_fraction), self.vocabulary, self.corpus)

    def write_copy(self, path: Path) -> None:
        """The text into the file `path`, in UTF-8, piece by piece. Raises OSError."""
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for start in range(0, len(self.ids), CHUNK):
                file.write(self.vocabulary.decode(self.ids[start : start + CHUNK]))


def read(
    spec: str, *, encoding: str | None = None, replace: bool = False, progress: Progress | None = None
) -> TextRead:
    """The text that `spec` names, as in `library.load`; `progress` is told of a large one how far the reading is.

    Raises:
        TextError: it cannot be read.
    """
    if spec == STDIN:
        return _read_stdin(encoding, replace, progress)
    file = library.large_file(spec, encoding)
    if file is not None:
        return _read_large(file, encoding, replace, progress)
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
    return TextRead(vocabulary.encode(document.text), vocabulary, corpus, document.notes)


def _read_stdin(encoding: str | None, replace: bool, progress: Progress | None) -> TextRead:
    data = reader.read_stdin(large.LARGE)
    if len(data) < large.LARGE:
        return _at_once(reader.from_stdin(data, encoding=encoding, replace=replace))
    if not large.is_large(len(data), encoding):
        return _at_once(reader.from_stdin(data + reader.read_stdin(), encoding=encoding, replace=replace))
    from chargru.storage.id_cache import read_stream  # few texts need it

    how = (data, reader.read_stdin, "stdin", reader.STDIN_SOURCE)
    return _of_large(read_stream(*how, encoding=encoding, replace=replace, progress=progress))


def _read_large(path: Path, encoding: str | None, replace: bool, progress: Progress | None) -> TextRead:
    from chargru.storage.id_cache import read_large  # as above

    return _of_large(read_large(path, encoding=encoding, replace=replace, progress=progress))


def _of_large(found: LargeText) -> TextRead:
    survey = found.survey
    corpus = CorpusIdentity(survey.name, found.stamp.source, found.sha256, survey.characters, survey.encoding)
    return TextRead(found.ids, survey.vocabulary, corpus, survey.notes, found.notes)
