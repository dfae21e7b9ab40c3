"""Run names: what a user types or a text is called, as one safe file name."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 60  # characters; also at most 180 bytes, so that a suffix still fits any file system
_LONGEST_BYTES = 180
# devices on Windows, whatever follows the first dot
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def safe_name(text: str) -> str:
    """`text` as a run name: lower-case letters of any script (Korean as well), digits, and `-`, `_`, `.`.

    Everything else becomes `-`; a name never starts or ends with one of the three signs, never has two dots in a row,
    and is never empty ("run" then). The result is its own safe name.
    """
    name = text.removesuffix(".safetensors")
    # twice: lowering a letter may take it apart into one that NFC would join again
    for _ in range(2):
        name = unicodedata.normalize("NFC", name.lower())
    name = "".join(each if _is_kept(each) else "-" for each in name)
    name = re.sub(r"\.{2,}", ".", re.sub(r"-{2,}", "-", name)).strip("-_.")
    name = name[:_LONGEST]
    while len(name.encode()) > _LONGEST_BYTES:
        name = name[:-1]
    name = name.strip("-_.") or "run"
    if _RESERVED.fullmatch(name):
        name = f"run-{name}"
    # cutting or cleaning may have laid open an ending that means a file
    return safe_name(name) if name.endswith(".safetensors") else name


def _is_kept(character: str) -> bool:
    # marks belong to the letters before them in scripts such as Devanagari
    return character in "-_." or unicodedata.category(character)[0] in "LM" or unicodedata.category(character) == "Nd"
