"""How a model that has never seen a character reads it: as the nearest one that it knows.

The order is that of likeness: the same character composed otherwise, the other case, another form of the same quote,
dash or space, the letter without its accent, the compatible plain form. What nothing is near to is skipped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator

Knows = Callable[[str], bool]

# Marks that stand for one another, the plainest first.
_ALIKE = (
    "'’‘‛′`´ʼ",
    '"“”„‟″«»「」『』',
    "-–—‐‑‒―−",
    " \u00a0\u2002\u2003\u2009\u202f\u3000\t\n",
    "\n\v\f\r\x85\u2028\u2029 ",
    ".。",
    ",、،",
    "?؟",
    "*•·‧∙・",
    "<‹",
    ">›",
    "~〜～",
)
# Letters that Unicode does not take apart, and marks that plain text writes with several.
_SPELLED = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h"}
_SPELLED |= {"ŋ": "n", "…": "...", "—": "--", "×": "x", "÷": "/", "⁄": "/", "№": "No", "€": "EUR", "\t": "    "}


def translations(unseen: Iterable[str], knows: Knows) -> dict[str, str]:
    """For each unseen character what it is read as: known characters, or nothing."""
    return {character: _nearest(character, knows) for character in unseen}


def _nearest(character: str, knows: Knows) -> str:
    if "\ud800" <= character <= "\udfff":
        return "\ufffd" if knows("\ufffd") else ""
    for candidate in _candidates(character):
        if candidate and candidate != character and all(map(knows, candidate)):
            return candidate
    return ""


def _candidates(character: str) -> Iterator[str]:
    """Readings of a character, the nearest first; some may be empty, or the character itself."""
    yield unicodedata.normalize("NFC", character)
    yield unicodedata.normalize("NFD", character)
    yield from _cases(character)
    for group in _ALIKE:
        if character in group:
            yield from group
    for plain in (character, unicodedata.normalize("NFKC", character)):
        spelled = _SPELLED.get(plain) or _SPELLED.get(plain.lower(), "")
        for form in (plain, _without_accents(plain), spelled):
            yield form
            yield unicodedata.normalize("NFD", form)
            yield from _cases(form)
        if len(plain) == 1:
            yield from (other for group in _ALIKE if plain in group for other in group)


def _cases(text: str) -> tuple[str, ...]:
    return text.lower(), text.upper(), text.title(), text.casefold()


def _without_accents(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
