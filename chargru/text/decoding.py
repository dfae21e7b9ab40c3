"""Bytes to text, strictly: which encoding, what was changed on the way, and one clear error where it cannot be.

The order: the encoding that was given; a byte order mark; strict UTF-8; the guess of `guessing`, and then the whole
decoded strictly by it. Bad bytes are never dropped: they are refused with an offer to replace them, or replaced and
told.
"""

from __future__ import annotations

import codecs
import contextlib
import difflib
import encodings.aliases
import re
import sys
import threading
from dataclasses import dataclass

from chargru.errors import TextError
from chargru.text import guessing
from chargru.text.display import safe_display

Data = bytes | bytearray

# How much of a file decides whether it is binary, before the rest of it is read.
HEAD_BYTES = 65_536

_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's: the longer one first
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKS_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARKS_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_SIGNATURES = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or an office document, or an e-book)"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"SQLite format 3", "a database"),
)
_ODD_CONTROLS = bytes(set(range(32)) - {8, 9, 10, 11, 12, 13, 27})  # left out: what logs and typescripts hold
_SURROGATES = re.compile("[\ud800-\udfff]")
# Wider relatives of a codec, tried before it is said that something does not decode: files that are called EUC-KR or
# Shift JIS have the additions of CP949 and CP932 more often than not.
WIDER: dict[str, tuple[str, ...]] = {
    "euc_kr": ("cp949",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "big5": ("cp950", "big5hkscs"),
    "cp950": ("big5hkscs",),
    "shift_jis": ("cp932", "shift_jis_2004"),
    "cp932": ("shift_jis_2004",),
    "euc_jp": ("euc_jis_2004",),
}
# Codecs that Python counts among the text encodings and no file is written in.
_NOT_FOR_FILES = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})


class BinaryTextError(TextError):
    """The bytes are no text at all."""


class UndecodableTextError(TextError):
    """The bytes are text, but `bad_bytes` of them, the first at `first_bad`, do not decode as `encoding`.

    Reading again with replacement gives text with U+FFFD in their place.
    """

    def __init__(self, message: str, hint: str, encoding: str, bad_bytes: int, first_bad: int) -> None:
        super().__init__(message, hint)
        self.encoding = encoding
        self.bad_bytes = bad_bytes
        self.first_bad = first_bad


@dataclass(frozen=True)
class Decoded:
    """Text, and what became of the bytes: enough to tell it for one file or to add it up for many."""

    text: str
    encoding: str  # a codec's name, such that reading with it given has the same result
    guessed: str = ""  # the language that gave a guessed encoding away, or "charset-normalizer"
    crlf: int = 0
    lone_cr: int = 0
    bad_bytes: int = 0
    first_bad: int = 0
    nuls: int = 0

    def how(self) -> str:
        """How the encoding is known, where it was not given, in a few words."""
        if self.guessed == "charset-normalizer":
            return "guessed by statistics"
        if self.guessed:
            return f"guessed: {self.guessed}"
        if self.encoding in ("utf-8-sig", "utf-16", "utf-32"):
            return "by its mark"
        return "damaged" if self.bad_bytes else "valid"

    def notes(self) -> tuple[str, ...]:
        """What a user should know, each in one line."""
        told: list[str] = []
        if self.guessed == "charset-normalizer":
            told.append(f"not UTF-8: read as {self.encoding}, by statistics only; give the encoding if that is wrong")
        elif self.guessed in ("UTF-16", "UTF-32"):
            told.append(f"{self.guessed} without a byte order mark: read as {self.encoding}")
        elif self.guessed:
            told.append(f"not UTF-8: read as {self.encoding} ({self.guessed}); give the encoding if that is wrong")
        if self.bad_bytes:
            told.append(f"{plural(self.bad_bytes, 'byte')} replaced by U+FFFD, the first at offset {self.first_bad:,}")
        if self.crlf:
            told.append(f"{plural(self.crlf, 'Windows line end')} (CRLF) became LF")
        if self.lone_cr:
            told.append(f"{plural(self.lone_cr, 'lone carriage return')} became LF")
        if self.nuls:
            told.append(f"{plural(self.nuls, 'NUL character')} kept, as the encoding was given")
        return tuple(told)


def decode(data: Data, name: str, encoding: str | None = None, replace: bool = False, cut: bool = False) -> Decoded:
    """The text of `data`; `name` stands in the messages.

    With `cut` the data are the beginning of something longer, and a character broken at the end is left out.

    Raises:
        BinaryTextError: no text at all.
        UndecodableTextError: text with bad bytes, and `replace` is false; the hint says how many and where.
        TextError: an encoding that does not exist.
    """
    if encoding is not None:
        codec = check_encoding(encoding)
        text, codec, bad = _decode(data, codec, name, replace, cut)
        return _finish(text, codec, "", bad, nuls=text.count("\0"))
    chosen, guessed = _choose(data, name, cut)
    text, chosen, bad = _decode(data, chosen, name, replace, cut)
    if "\0" in text:
        raise binary(name)
    return _finish(text, chosen, guessed, bad)


def refuse_binary(head: Data, name: str) -> None:
    """Raise BinaryTextError if a file that begins with `head` cannot be text, so that the rest need not be read."""
    if _mark(head) is not None:
        return
    nul = b"\0" in head
    if nul and _wide(head, cut=True) is not None:
        return
    if nul or head.startswith(b"%PDF-") or not _is_utf8(head, cut=True):
        for signature, what in _SIGNATURES:
            if head.startswith(signature):
                raise binary(name, what)
    odd = len(head) - len(head.translate(None, _ODD_CONTROLS))
    if nul or odd > 0.3 * len(head):
        raise binary(name)


def plural(count: int, noun: str) -> str:
    """`1 byte`, `2,000 bytes`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _choose(data: Data, name: str, cut: bool) -> tuple[str, str]:
    """The codec for data of unknown encoding, and what gave it away where it is a guess."""
    mark = _mark(data, cut)
    if mark is not None:
        return mark, ""
    refuse_binary(data[:HEAD_BYTES], name)
    if b"\0" in data:
        wide = _wide(data, cut)
        if wide is None:
            raise binary(name)
        return wide, wide_name(wide)
    if _is_utf8(data, cut):
        return "utf-8", ""
    return not_utf8(guessing.sample(data))


def not_utf8(excerpt: bytes) -> tuple[str, str]:
    """The codec for text that is not valid UTF-8, by a `guessing.sample` of it, and what gave it away."""
    if guessing.looks_like_utf8(excerpt):
        return "utf-8", ""
    guess = guessing.guess_from(excerpt)
    return (guess.encoding, guess.language) if guess else ("utf-8", "")


def mark_of(data: Data, length: int) -> str | None:
    """The codec that a byte order mark at the beginning of `data` tells; `length` is that of the whole, in bytes."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if mark == codecs.BOM_UTF32_LE and length % 4:
                continue  # UTF-16 whose first character is NUL, then: refused as binary further on
            return encoding
    return None


def wide_name(codec: str) -> str:
    """What a codec for text with NUL bytes in it is called in messages."""
    return "UTF-16" if "16" in codec else "UTF-32"


def _mark(data: Data, cut: bool = False) -> str | None:
    return mark_of(data, 0 if cut else len(data))


def _wide(data: Data, cut: bool) -> str | None:
    return guessing.without_mark(data[: len(data) // 4 * 4] if cut else data)


def _is_utf8(data: Data, cut: bool) -> bool:
    try:
        codecs.utf_8_decode(data, "strict", not cut)
    except UnicodeDecodeError:
        return False
    return True


def binary(name: str, what: str = "") -> BinaryTextError:
    """The refusal of what is no text; `what` it looks like, where that is known."""
    name = safe_display(name, newlines=False)
    if what:
        return BinaryTextError(
            f"{name} looks like {what}, not like text", "extract its text to a plain text file first"
        )
    return BinaryTextError(
        f"{name} looks like a binary file, not like text", "choose a plain text file, or give its encoding"
    )


def undecodable(name: str, codec: str, bad: Bad) -> UndecodableTextError:
    """The refusal of bad bytes, with an offer to replace them."""
    return UndecodableTextError(
        f"{safe_display(name, newlines=False)} does not decode as {codec}: {plural(bad.count, 'bad byte')}",
        f"replace {plural(bad.count, 'byte')}, first at offset {bad.first:,}; or give another encoding",
        *(codec, bad.count, bad.first),
    )


def not_at_all(name: str, codec: str) -> TextError:
    """The refusal of what does not even decode with replacement."""
    return TextError(f"{safe_display(name, newlines=False)} does not decode as {codec}", "give another encoding")


def check_encoding(encoding: str) -> str:
    """The name by which Python knows the encoding. Raises TextError unless it is one for text files."""
    shown = safe_display(encoding, newlines=False)[:40]
    try:
        found = codecs.lookup(encoding).name
        with contextlib.suppress(UnicodeError):
            b"four".decode(found)  # hex, zlib and the like are codecs too, and no text encodings: LookupError
    except (LookupError, ValueError):
        found = ""
    if not found or found.replace("_", "-") in _NOT_FOR_FILES:
        known = sorted(set(encodings.aliases.aliases) | set(encodings.aliases.aliases.values()))
        near = difflib.get_close_matches(encoding.lower().replace("-", "_"), known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "for example utf-8, cp949, euc-kr, shift_jis, cp1252"
        raise TextError(f"unknown encoding: {shown}", hint)
    return "utf-8-sig" if found == "utf-8" and encoding.lower().endswith("sig") else found


@dataclass
class Bad:
    """How many bytes did not decode, and where the first of them stands (-1: none).

    `base`: where the bytes that are being decoded begin in the whole.
    """

    count: int = 0
    first: int = -1
    base: int = 0


class _Counting(threading.local):
    """Where the error handler below counts; a handler is registered under one name for the whole process."""

    bad = Bad()


_counting = _Counting()
COUNTING = "chargru-count"  # the error handler's name


def count_in(bad: Bad) -> None:
    """What this thread decodes from now on with COUNTING is counted in `bad`."""
    _counting.bad = bad


def _count_and_replace(error: UnicodeError) -> tuple[str, int]:
    """An error handler like "replace" that also counts the bytes, which no handler of Python's own does."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = _counting.bad
    if bad.first < 0:
        bad.first = bad.base + error.start
    bad.count += max(1, error.end - error.start)
    return "\ufffd", error.end


codecs.register_error(COUNTING, _count_and_replace)


def _decode(data: Data, codec: str, name: str, replace: bool, cut: bool) -> tuple[str, str, Bad]:
    """The text, the codec that it took, and the bad bytes; they are refused unless `replace`."""
    for each in (codec, *WIDER.get(codec, ())):
        try:
            return _run(data, each, "strict", cut), each, Bad()
        except UnicodeError:
            continue
    bad = Bad()
    count_in(bad)
    try:
        text = _run(data, codec, COUNTING, cut)
    except UnicodeError as error:
        raise not_at_all(name, codec) from error
    if replace:
        return text, codec, bad
    raise undecodable(name, codec, bad)


def _run(data: Data, codec: str, errors: str, cut: bool) -> str:
    """One pass of a decoder."""
    if not cut:
        return codecs.lookup(plain(codec)).decode(data, errors)[0]
    return incremental(codec, errors, data).decode(bytes(data), final=False)


def plain(codec: str) -> str:
    """UTF-8 with a mark is decoded as plain UTF-8: then offsets count from the start."""
    return "utf-8" if codec == "utf-8-sig" else codec


def incremental(codec: str, errors: str, head: Data) -> codecs.IncrementalDecoder:
    """A decoder for bytes that come piece by piece and begin with `head`.

    Raises LookupError where Python has none for this codec.
    """
    codec = plain(codec)
    marks = {"utf-16": _MARKS_16, "utf-32": _MARKS_32}.get(codec)
    if marks is not None and not head.startswith(marks):
        codec += "-le" if sys.byteorder == "little" else "-be"  # as for the whole; the incremental decoder refuses
    decoder = codecs.lookup(codec).incrementaldecoder
    if decoder is None:
        raise LookupError(codec)
    return decoder(errors)


def _finish(text: str, codec: str, guessed: str, bad: Bad, nuls: int = 0) -> Decoded:
    """Without a mark at the start, without lone surrogates (UTF-7 can hold them), with LF for every line end."""
    text = text.removeprefix("\ufeff")
    if codec == "utf-7":
        text = _SURROGATES.sub("\ufffd", text)
    crlf = lone_cr = 0
    if "\r" in text:
        crlf = text.count("\r\n")
        lone_cr = text.count("\r") - crlf
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Decoded(text, codec, guessed, crlf, lone_cr, bad.count, max(0, bad.first), nuls)
