"""What can be told about a text before it is trained on: from its beginning only, so that it is quick for any size."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from chargru.text import codepoints
from chargru.text.decoding import plural
from chargru.text.reader import Document, Part

# What is read of a text at most.
LIMIT = 1_000_000
_LINE = 600  # characters of one line; a paragraph is often one
_EXTREMES = 8
_SCRIPTS = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "KATAKANA-HIRAGANA": "Kana"}
# Below this many characters a network of any size learns the text by heart within the shortest budget.
SMALL = 20_000
# Above this many distinct characters the output layer costs more than the rest of the network.
MANY = 5_000
_REPEATED = 0.25  # a share of repeated sentences worth a warning; prose, code and poems stay below a tenth
_SENTENCE = re.compile(r"[^\n.!?。！？]{24,}")  # shorter ones repeat naturally


@dataclass(frozen=True)
class Preview:
    """A text at a glance. Text in it is as it stands in the file: a face shows it through its safe display.

    `characters` is exact where `complete`, and else an estimate from the part that was read. `vocab_size` and the
    characters count that part only. `scripts` lists the writing systems from the most frequent on. `size` counts the
    bytes of the whole, where that is known; `single` the characters that stand only once in what was read; `repeated`
    is the share of it, 0 to 1, in sentences and lines that stood there before. `warnings` are about how it will be
    learned, `notes` about how it was read.
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
    size: int | None = None
    how: str = ""
    line_ends: str = ""
    single: int = 0
    repeated: float = 0.0
    warnings: tuple[str, ...] = ()


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
    repeated = _repeated(text)
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
        size=part.size,
        how=document.how,
        line_ends=_line_ends(document),
        single=int((counts == 1).sum()),
        repeated=repeated,
        warnings=_warnings(text, characters, len(ranked), repeated),
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


def _line_ends(document: Document) -> str:
    """How lines end in the file: LF, CRLF, CR or several of them; empty for a text of one line."""
    plain = document.text.count("\n") - document.crlf - document.lone_cr
    kinds = (("LF", plain), ("CRLF", document.crlf), ("CR", document.lone_cr))
    # a directory's files are joined by newlines of our own: a few LF among many CRLF are not its kind
    floor = sum(n for _, n in kinds) / 100
    return " and ".join(name for name, n in kinds if n > 0 and n >= floor)


def _repeated(text: str) -> float:
    """The share of `text` that is sentences or lines, of a length that does not repeat naturally, seen before in it."""
    seen: set[int] = set()
    again = 0
    for match in _SENTENCE.finditer(text):
        mark = hash(match[0].strip())
        if mark in seen:
            again += match.end() - match.start() + 1  # with what ends it
        seen.add(mark)
    return min(again / max(len(text), 1), 1.0)


def _warnings(text: str, characters: int, vocab_size: int, repeated: float) -> tuple[str, ...]:
    """What about this text will make learning go differently than expected, a line each."""
    told: list[str] = []
    if characters < SMALL:
        told.append("short: it will be learned by heart")
    if repeated >= _REPEATED:
        told.append(f"{repeated:.0%} of it is sentences that stood there before: they will be learned by heart")
    if vocab_size > MANY:
        told.append(f"{vocab_size:,} distinct characters are hard to learn and slow; a smaller script is faster")
    if unknown := text.count("\ufffd"):
        told.append(f"{plural(unknown, 'replacement character')} (U+FFFD) will be learned like letters")
    if nuls := text.count("\0"):
        told.append(f"{plural(nuls, 'NUL character')}: probably not a text, or another encoding")
    return tuple(told)
