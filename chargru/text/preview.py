"""What can be told about a text before it is trained on: from its beginning only, so that it is quick for any size."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass

from chargru.text import codepoints
from chargru.text.decoding import plural
from chargru.text.reader import Part

# What is read of a text at most.
LIMIT = 1_000_000
_LINE = 600  # characters of one line; a paragraph is often one
_EXTREMES = 8
_SCRIPTS = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "KATAKANA-HIRAGANA": "Kana"}


@dataclass(frozen=True)
class Preview:
    """A text at a glance. Text in it is as it stands in the file: a face shows it through its safe display.

    `characters` is exact where `complete`, and else an estimate from the part that was read. `vocab_size` and the
    characters count that part only. `scripts` lists the writing systems from the most frequent on.
    """

    name: str
    source: str
    lines: tuple[str, ...]
    characters: int
    complete: bool
    characters_read: int
    vocab_size: int
    encoding: str
    scripts: tuple[str, ...]
    commonest: tuple[tuple[str, int], ...]
    rarest: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]


def describe(part: Part, lines: int, estimate: int | None = None) -> Preview:
    """The preview of a document or of its beginning; `estimate`: its length in characters where that is known."""
    document, text = part.document, part.document.text
    distinct, counts = codepoints.count(text)
    order = counts.argsort(kind="stable")
    ranked = [(chr(int(distinct[place])), int(counts[place])) for place in order]
    characters = len(text)
    notes = document.notes
    if not part.complete:
        if estimate is not None:
            characters = max(estimate, len(text))
        elif part.size is not None:
            characters = round(len(text) * part.size / max(1, part.bytes_read))
        notes = (f"the first {plural(len(text), 'character')} were read for this preview", *notes)
    return Preview(
        name=document.name,
        source=document.source,
        lines=_first_lines(text, lines),
        characters=characters,
        complete=part.complete,
        characters_read=len(text),
        vocab_size=len(ranked),
        encoding=document.encoding,
        scripts=_scripts(ranked),
        commonest=tuple(reversed(ranked[-_EXTREMES:])),
        rarest=tuple(ranked[:_EXTREMES]),
        notes=notes,
    )


def _first_lines(text: str, lines: int) -> tuple[str, ...]:
    """The first lines, overlong ones cut, from the first one that has something on it."""
    start = text[: lines * 4 * _LINE].lstrip("\n") or text
    return tuple(line if len(line) <= _LINE else line[:_LINE] + "…" for line in start.split("\n", lines)[:lines])


def _scripts(ranked: list[tuple[str, int]]) -> tuple[str, ...]:
    """Writing systems with at least a twentieth of the letters. The first word of a letter's name is its script."""
    totals: Counter[str] = Counter()
    for character, n in ranked:
        if character.isalpha():
            word = unicodedata.name(character, "").split(" ")[0]
            totals[_SCRIPTS.get(word, word.capitalize())] += n
    letters = sum(totals.values())
    return tuple(script for script, n in totals.most_common() if script and n * 20 >= letters)
