"""Which encoding are these bytes in, when they carry no mark and are not UTF-8?

First the likely encodings are tried, and the share of characters that people really write decides between them: on a
few words, where charset-normalizer takes Korean for Chinese and French for UTF-16, that is the surer way. Only for what
none of them explains charset-normalizer is asked, and only when there is enough text for its statistics.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from chargru.text.languages import CANDIDATES, EVERYDAY, NEUTRAL, Candidate, Kind

SAMPLE_BYTES = 8_192
# A reading is taken when at least this share of its characters is common in the language: right ones score far higher,
# and the best one wins. Latin letters are listed completely, the thousands of ideographs and syllables only in part.
PLAUSIBLE = {Kind.LATIN: 0.8, Kind.ALPHABET: 0.65, Kind.IDEOGRAPHIC: 0.4}
# Words of a foreign alphabet have several letters; a stray byte or a row of equal ones is no word.
_DISTINCT = 4
# A few damaged bytes must not hide the encoding; more of them mean that it is another one.
_TOLERATED = 0.02
# charset-normalizer answers even for one stray byte: below this many high bytes its answer is not evidence.
_ENOUGH = 32

HIGH = re.compile(rb"[\x80-\xff]")
_WORD = re.compile(r"[^\W\d_]+")
# Not text files of today, or wide enough to accept anything; all of them turned up as wrong answers.
_UNWANTED = [
    *("utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7", "cp1006", "hp_roman8"),
    *("cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140", "ptcp154", "kz1048", "tis_620"),
]


@dataclass(frozen=True)
class Guess:
    """An encoding (a codec's name) and how it was found: the language, or "charset-normalizer"."""

    encoding: str
    language: str


def sample(data: bytes | bytearray, limit: int = SAMPLE_BYTES) -> bytes:
    """The first lines of `data` that have a high byte, up to `limit` bytes in all.

    A text may begin with pages of ASCII that say nothing about its encoding. Lines are whole (but for a last overlong
    one), because no encoding in question has 0x0A inside a character.
    """
    lines: list[bytes] = []
    room = limit
    position = 0
    while room > 0 and (high := HIGH.search(data, position)):
        start = max(data.rfind(b"\n", position, high.start()) + 1, position)
        # In a line longer than the sample start near the high byte, after a space where there is one.
        if high.start() - start > room // 2:
            near = high.start() - room // 2
            start = max(data.rfind(b" ", near, high.start()) + 1, near)
        end = data.find(b"\n", high.start())
        end = len(data) if end < 0 else end + 1
        line = bytes(data[start : min(end, start + room)])
        lines.append(line)
        room -= len(line)
        position = end
    return b"".join(lines)


def looks_like_utf8(excerpt: bytes) -> bool:
    """Whether `excerpt`, which is not all valid UTF-8, is UTF-8 with damage rather than another encoding.

    Sequences of three bytes and more hardly ever come about by chance; those of two do, in EUC-JP for example, but give
    rare characters. Most bytes must stand in valid sequences, and most of these must be everyday characters.
    """
    text = excerpt.decode("utf-8", "surrogateescape")
    bad = sum(1 for character in text if "\udc80" <= character <= "\udcff")
    valid = [character for character in text if character > "\x7f" and not "\udc80" <= character <= "\udcff"]
    everyday = sum(1 for character in valid if character > "\u07ff" or character in EVERYDAY)
    return len(HIGH.findall(excerpt)) > 2 * bad and everyday > 0.7 * len(valid)


def without_mark(data: bytes | bytearray, length: int | None = None) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark, or None: for data with NUL bytes in it.

    Every reading is scored by the share of everyday characters; pictures and programs never come near. `length` is that
    of the whole in bytes, where `data` are its beginning only (SAMPLE_BYTES are enough).
    """
    length = len(data) if length is None else length
    start = bytes(data[:SAMPLE_BYTES])
    best, best_score = None, 0.7
    for encoding, width in (("utf-16-le", 2), ("utf-16-be", 2), ("utf-32-le", 4), ("utf-32-be", 4)):
        if length % width:
            continue
        try:
            text = codecs.getincrementaldecoder(encoding)("strict").decode(start)
        except UnicodeError:
            continue
        score = sum(1 for character in text if character in EVERYDAY) / max(1, len(text))
        if score > best_score:
            best, best_score = encoding, score
    return best


def guess(data: bytes | bytearray) -> Guess | None:
    """The likely encoding of `data`, which is neither UTF-8 nor binary; None where nothing is plausible."""
    return guess_from(sample(data))


def guess_from(excerpt: bytes) -> Guess | None:
    """The same from a `sample` of the data."""
    best: Candidate | None = None
    best_score = 0.0
    for candidate in CANDIDATES:
        score = plausibility(candidate, excerpt)
        if score >= PLAUSIBLE[candidate.kind] and score > best_score:
            best, best_score = candidate, score
    if best is not None:
        return Guess(best.encoding, best.language)
    return _by_statistics(excerpt)


def plausibility(candidate: Candidate, excerpt: bytes) -> float:
    """The share, 0 to 1, of the non-ASCII characters of `excerpt` in this reading that its language really uses."""
    text = codecs.getincrementaldecoder(candidate.encoding)("replace").decode(excerpt)
    counts = Counter(text)
    foreign = {character: n for character, n in counts.items() if character > "\x7f"}
    damaged = foreign.get("\ufffd", 0)
    if damaged > 1 + _TOLERATED * sum(foreign.values()) or (damaged and len(foreign) == 1):
        return 0.0
    if candidate.kind is not Kind.LATIN:
        foreign = {character: n for character, n in foreign.items() if character not in NEUTRAL}
    total = sum(foreign.values())
    if total == 0:
        return 0.0
    if candidate.kind is Kind.ALPHABET and len(candidate.common.intersection(foreign)) < _DISTINCT:
        return 0.0
    hits = sum(n for character, n in foreign.items() if character in candidate.common) / 2
    hits += sum(n for character, n in foreign.items() if character in candidate.frequent) / 2
    if candidate.kind is not Kind.IDEOGRAPHIC and hits >= PLAUSIBLE[candidate.kind] * total:
        hits -= _misplaced(text, candidate)
    return candidate.weight * hits / total


def _misplaced(text: str, candidate: Candidate) -> int:
    """How many of the common characters stand in words as nobody writes them: capitals inside, scripts mixed."""
    misplaced = 0
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        ascii_letters = sum(1 for character in word if character < "\x80")
        latin = candidate.kind is Kind.LATIN
        strange = (len(word) > 1 and not ascii_letters) if latin else ascii_letters > 0
        rest = word[1:]
        shouted = rest.isupper() and (len(word) > 2 or word.isupper())
        if strange or (rest.lower() != rest and not shouted):
            misplaced += sum(1 for character in word if character in candidate.common)
    return misplaced


def _by_statistics(excerpt: bytes) -> Guess | None:
    """charset-normalizer's answer where there is enough to judge by and what comes out is printable."""
    if len(HIGH.findall(excerpt)) < _ENOUGH:
        return None
    try:
        from charset_normalizer import from_bytes  # half of the start-up time of reading a text, and seldom needed
    except ImportError:  # training must run with NumPy and safetensors alone; such a text then needs its encoding given
        return None

    match = from_bytes(excerpt, cp_exclusion=_UNWANTED).best()
    if match is None or match.encoding in ("utf_8", "ascii"):
        return None
    text = excerpt.decode(match.encoding, "replace")
    odd = sum(1 for character in text if not (character.isprintable() or character in "\t\n\r\f\v\x1b"))
    foreign = sum(1 for character in text if character > "\x7f" and character.isalpha())
    high = sum(1 for character in text if character > "\x7f")
    if odd > _TOLERATED * len(text) or foreign < high / 2:
        return None
    return Guess(match.encoding, "charset-normalizer")
