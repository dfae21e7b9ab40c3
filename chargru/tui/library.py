"""The texts there are, as the Corpus screen wants them: the door to `chargru.text`, opened on first use.

Everything here may touch disks and is called from threads, never from the event loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Choice:
    """A text that can be picked by name."""

    spec: str
    title: str
    description: str
    characters: int | None


@dataclass(frozen=True)
class TextPreview:
    """What is shown of a text before it is trained on. All strings are raw."""

    name: str
    lines: tuple[str, ...]
    characters: int
    vocabulary: int
    encoding: str
    scripts: tuple[str, ...]
    notes: tuple[str, ...]
    whole: bool  # False: only the first part was read, so `characters` is estimated and `vocabulary` a lower bound


class Library(Protocol):
    """The texts there are."""

    def choices(self) -> list[Choice]: ...

    def preview(self, spec: str) -> TextPreview: ...


class HouseLibrary:
    """`chargru.text.library`, as the Corpus screen wants it."""

    def choices(self) -> list[Choice]:
        from chargru.text import library

        return [Choice(entry.name, entry.title, entry.description, entry.characters) for entry in library.entries()]

    def preview(self, spec: str) -> TextPreview:
        from chargru.text import library

        found = library.preview(spec)
        return TextPreview(
            found.name,
            found.lines,
            found.characters,
            found.vocab_size,
            found.encoding,
            found.scripts,
            found.notes,
            found.complete,
        )
