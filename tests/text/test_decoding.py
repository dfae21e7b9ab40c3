"""Bytes to text: the right text or one clear line, for whatever bytes there are."""

from __future__ import annotations

import codecs
import random
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.errors import TextError
from chargru.text.decoding import (
    BinaryTextError,
    UndecodableTextError,
    check_encoding,
    decode,
    plural,
    refuse_binary,
)

from . import samples as s

K = "한글 자모"
LATIN_1 = "".join(map(chr, range(256))).replace("\r", "\n")
NOISE = random.Random(7).randbytes(4_000)

# What comes in, how it is read, and the text that must come out.
RIGHT: dict[str, tuple[bytes, dict[str, object], str]] = {
    "ascii": (b"plain", {}, "plain"),
    "one letter": (b"a", {}, "a"),
    "one newline": (b"\n", {}, "\n"),
    "only blanks": (b" \n\t ", {}, " \n\t "),
    "utf-8": (K.encode(), {}, K),
    "utf-8 emoji": ("👩‍👩‍👧 🙂".encode(), {}, "👩‍👩‍👧 🙂"),
    "utf-8 with mark": (codecs.BOM_UTF8 + K.encode(), {}, K),
    "utf-8 with mark, given": (codecs.BOM_UTF8 + K.encode(), {"encoding": "utf-8"}, K),
    "utf-8 with mark, given as sig": (codecs.BOM_UTF8 + K.encode(), {"encoding": "utf-8-sig"}, K),
    "utf-8 highest character": ("\U0010ffff".encode(), {}, "\U0010ffff"),
    "utf-8 noncharacters": ("\ufffe\uffff".encode(), {}, "\ufffe\uffff"),
    "utf-8 replacement characters": ("a\ufffdb".encode(), {}, "a\ufffdb"),
    "utf-8 mark inside": ("a\ufeffb".encode(), {}, "a\ufeffb"),
    "utf-8 two marks": ("\ufeff\ufeffa".encode(), {}, "\ufeffa"),
    "utf-8 decomposed": ("e\u0301".encode(), {}, "e\u0301"),
    "utf-8 bidi": ("a\u202eb".encode(), {}, "a\u202eb"),
    "utf-16 le with mark": (codecs.BOM_UTF16_LE + K.encode("utf-16-le"), {}, K),
    "utf-16 be with mark": (codecs.BOM_UTF16_BE + K.encode("utf-16-be"), {}, K),
    "utf-16 astral with mark": ("🙂🙃".encode("utf-16"), {}, "🙂🙃"),
    "utf-16 le without mark": (s.KOREAN.encode("utf-16-le"), {}, s.KOREAN),
    "utf-16 be without mark": (s.ENGLISH.encode("utf-16-be"), {}, s.ENGLISH),
    "utf-16 le given": (K.encode("utf-16-le"), {"encoding": "utf-16-le"}, K),
    "utf-32 le with mark": (codecs.BOM_UTF32_LE + K.encode("utf-32-le"), {}, K),
    "utf-32 be with mark": (codecs.BOM_UTF32_BE + K.encode("utf-32-be"), {}, K),
    "utf-32 without mark": (s.KOREAN.encode("utf-32-be"), {}, s.KOREAN),
    "utf-7 given": (b"Hi +2D0-!", {"encoding": "utf-7", "replace": True}, "Hi \ufffd!"),
    "cp949": (s.KOREAN.encode("cp949"), {}, s.KOREAN),
    "cp949 given": ("펲시콜라".encode("cp949"), {"encoding": "cp949"}, "펲시콜라"),
    "euc-kr given by alias": (K.encode("euc_kr"), {"encoding": "EUC-KR"}, K),
    "latin-1 word": (b"caf\xe9", {}, "café"),
    "smart quotes": (b"It\x92s \x93so\x94 \x96 ok\x85", {}, "It’s “so” – ok…"),
    "euro": (b"price 5\x80", {}, "price 5€"),
    "crlf": (b"a\r\nb\r\n", {}, "a\nb\n"),
    "lone cr": (b"a\rb\r", {}, "a\nb\n"),
    "mixed line ends": (b"a\r\r\nb\n\rc", {}, "a\n\nb\n\nc"),
    "crlf in utf-16": ("a\r\nb".encode("utf-16"), {}, "a\nb"),
    "escape sequences": (b"\x1b[31mred\x1b[0m\n", {}, "\x1b[31mred\x1b[0m\n"),
    "form feeds and bells": (b"page\x0cpage\x07\x08", {}, "page\x0cpage\x07\x08"),
    "next line and separators": ("a\x85b\u2028c\u2029".encode(), {}, "a\x85b\u2028c\u2029"),
    "c1 controls": ("a\x9b31m".encode(), {}, "a\x9b31m"),
    "delete": (b"a\x7f", {}, "a\x7f"),
    "one line of a million": (b"x" * 1_000_000, {}, "x" * 1_000_000),
    "a million lines": (b"\n" * 1_000_000, {}, "\n" * 1_000_000),
    "bad byte replaced": (K.encode() + b"\xff", {"replace": True}, K + "\ufffd"),
    "cut utf-8 replaced": (K.encode()[:-1], {"replace": True}, K[:-1] + "\ufffd"),
    "surrogate in utf-8 replaced": (b"hello \xed\xa0\x80", {"replace": True}, "hello \ufffd\ufffd\ufffd"),
    "overlong replaced": (K.encode() + b"\xc0\xaf", {"replace": True}, K + "\ufffd\ufffd"),
    "nothing recognised, replaced": (b"hello \xff world", {"replace": True}, "hello \ufffd world"),
    "odd utf-16 replaced": (codecs.BOM_UTF16_LE + "ab".encode("utf-16-le") + b"c", {"replace": True}, "ab\ufffd"),
    "bad byte in cp949 replaced": (s.KOREAN.encode("cp949") + b"\xff", {"replace": True}, s.KOREAN + "\ufffd"),
    "ascii given, replaced": (b"caf\xe9", {"encoding": "ascii", "replace": True}, "caf\ufffd"),
    "nul with the encoding given": (b"a\0b", {"encoding": "utf-8"}, "a\0b"),
    "anything as latin-1": (bytes(range(256)), {"encoding": "latin-1"}, LATIN_1),
    "looks like html": (b"<!DOCTYPE html>", {}, "<!DOCTYPE html>"),
    "looks like rtf": (b"{\\rtf1 hello}", {}, "{\\rtf1 hello}"),
    "begins like bzip2, and is not": (b"BZh is no word", {}, "BZh is no word"),
    "begins like zip, and is not": (b"PK\x03\x04 is no word", {}, "PK\x03\x04 is no word"),
    "empty": (b"", {}, ""),
    "only a mark": (codecs.BOM_UTF8, {}, ""),
}  # fmt: skip

# What comes in, how it is read, the error, and a pattern for its one line.
WRONG: dict[str, tuple[bytes, dict[str, object], type[TextError], str]] = {
    "nul": (b"a\0b", {}, BinaryTextError, "x looks like a binary file"),
    "only nuls": (bytes(100), {}, BinaryTextError, "binary"),
    "nul far behind": (b"text\n" * 30_000 + b"\0", {}, BinaryTextError, "binary"),
    "noise": (NOISE, {}, BinaryTextError, "binary"),
    "control characters": (bytes(range(1, 32)) * 50, {}, BinaryTextError, "binary"),
    "png": (b"\x89PNG\r\n\x1a\n" + NOISE, {}, BinaryTextError, "a PNG picture"),
    "jpeg": (b"\xff\xd8\xff\xe0" + NOISE, {}, BinaryTextError, "a JPEG picture"),
    "gzip": (b"\x1f\x8b\x08" + NOISE, {}, BinaryTextError, "a gzip archive"),
    "zip": (b"PK\x03\x04" + NOISE, {}, BinaryTextError, "a ZIP archive"),
    "pdf": (b"%PDF-1.7\n%ascii only", {}, BinaryTextError, "a PDF document"),
    "elf": (b"\x7fELF" + NOISE, {}, BinaryTextError, "a program"),
    "zlib": (zlib.compress(NOISE), {}, BinaryTextError, "binary"),
    "utf-16 mark and nuls": (codecs.BOM_UTF16_LE + bytes(50), {}, BinaryTextError, "binary"),
    "small integers": (b"".join(i.to_bytes(4, "little") for i in range(500)), {}, BinaryTextError, "binary"),
    "bad byte": (b"hello \xff", {}, UndecodableTextError, "1 bad byte"),
    "bad bytes in utf-8": (K.encode() + b"\xff\xfe", {}, UndecodableTextError, "2 bad bytes"),
    "cut utf-8": (K.encode()[:-1], {}, UndecodableTextError, "utf-8: 2 bad bytes"),
    "surrogate in utf-8": (b"hello \xed\xa0\x80", {}, UndecodableTextError, "3 bad bytes"),
    "overlong utf-8": (K.encode() + b"\xc0\xaf", {}, UndecodableTextError, "2 bad bytes"),
    "utf-8 beyond unicode": (b"a\xf4\x90\x80\x80", {}, UndecodableTextError, "4 bad bytes"),
    "damaged cp949": (s.KOREAN.encode("cp949") + b"\xff", {}, UndecodableTextError, "cp949: 1 bad byte"),
    "half a character of cp949": (s.KOREAN.rstrip().encode("cp949")[:-2], {}, UndecodableTextError, "cp949"),
    "odd utf-16": (codecs.BOM_UTF16_LE + b"a\0b", {}, UndecodableTextError, "utf-16: 1 bad byte"),
    "lone surrogate in utf-16": (codecs.BOM_UTF16_LE + b"a\0\x00\xd8b\0", {}, UndecodableTextError, "2 bad bytes"),
    "utf-32 out of range": (codecs.BOM_UTF32_LE + b"\xff\xff\xff\x7f", {}, UndecodableTextError, "utf-32"),
    "every high byte": (bytes(range(128, 256)), {}, UndecodableTextError, "128 bad bytes"),
    "wrong encoding given": (K.encode("cp949"), {"encoding": "utf-8"}, UndecodableTextError, "utf-8"),
    "utf-16 given as utf-8": (codecs.BOM_UTF16_LE + b"a\0", {"encoding": "utf-8"}, UndecodableTextError, "2 bad"),
    "no such encoding": (b"a", {"encoding": "utf-9"}, TextError, "unknown encoding: utf-9"),
    "not a text encoding": (b"a", {"encoding": "zlib"}, TextError, "unknown encoding"),
    "not a file's encoding": (b"a", {"encoding": "unicode_escape"}, TextError, "unknown encoding"),
    "empty encoding": (b"a", {"encoding": ""}, TextError, "unknown encoding"),
    "hostile encoding": (b"a", {"encoding": "\x1b[2J\n\0"}, TextError, "unknown encoding: ␛"),
    "very long encoding": (b"a", {"encoding": "u" * 10_000}, TextError, "unknown encoding: u"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "how", "text"), RIGHT.values(), ids=RIGHT)
def test_read_right(data: bytes, how: dict, text: str) -> None:
    assert decode(data, "x", **how).text == text


@pytest.mark.parametrize(("data", "how", "error", "line"), WRONG.values(), ids=WRONG)
def test_refused_in_one_line(data: bytes, how: dict, error: type[TextError], line: str) -> None:
    with pytest.raises(error, match=re.escape(line)) as caught:
        decode(data, "x", **how)
    for told in (caught.value.message, caught.value.hint):
        assert told
        assert told.isprintable()
        assert len(told) < 300


def test_the_table_is_large_enough() -> None:
    assert len(RIGHT) + len(WRONG) >= 60


@pytest.mark.parametrize(("data", "how", "error", "line"), WRONG.values(), ids=WRONG)
def test_what_can_be_replaced_is_counted_alike(data: bytes, how: dict, error: type[TextError], line: str) -> None:
    """What the hint offers is what replacement does."""
    if error is not UndecodableTextError:
        with pytest.raises(error):
            decode(data, "x", **how, replace=True)
        return
    with pytest.raises(UndecodableTextError) as caught:
        decode(data, "x", **how)
    offered = caught.value
    assert f"replace {plural(offered.bad_bytes, 'byte')}, first at offset {offered.first_bad:,}" in offered.hint
    decoded = decode(data, "x", **how, replace=True)
    assert (decoded.bad_bytes, decoded.first_bad) == (offered.bad_bytes, offered.first_bad)
    assert decoded.encoding == offered.encoding
    assert "\ufffd" in decoded.text
    assert f"offset {offered.first_bad:,}" in " ".join(decoded.notes())


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_any_bytes_are_text_or_one_clear_line(data: bytes, replace: bool, cut: bool) -> None:
    decoded = None
    try:
        decoded = decode(data, "x", None, replace, cut)
    except TextError as error:
        told, offered = error.message + error.hint, isinstance(error, UndecodableTextError)
    if decoded is None:
        assert told.isprintable()
        assert not (replace and offered)
    else:
        decoded.text.encode("utf-8")
        assert "\r" not in decoded.text
        assert "\0" not in decoded.text


@given(st.text(max_size=60).filter(lambda text: not text.startswith(("\ufeff", "%PDF"))))
def test_any_utf8_without_many_controls_comes_back(text: str) -> None:
    text = "".join(each for each in text if each >= " ")
    decoded = decode(text.encode(), "x")
    assert (decoded.text, decoded.encoding, decoded.notes()) == (text, "utf-8", ())


@given(
    st.text(st.characters(codec="cp949"), min_size=1, max_size=30), st.sampled_from(["utf-16", "utf-32", "utf-8-sig"])
)
def test_a_mark_decides(text: str, encoding: str) -> None:
    text = "".join(each for each in text if each >= " ")
    decoded = decode(text.encode(encoding), "x")
    assert (decoded.text, decoded.encoding) == (text, encoding)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp949", "cp932", "gb18030"]
)
def test_a_cut_in_a_character_is_no_damage(encoding: str) -> None:
    text = s.JAPANESE if encoding == "cp932" else s.KOREAN if encoding != "gb18030" else s.CHINESE
    data = (text * 2).encode(encoding)
    for end in range(100, 140):
        decoded = decode(data[:end], "x", cut=True)
        assert decoded.text
        assert (text * 2).startswith(decoded.text)
        assert decode(data[:end], "x", decoded.encoding, cut=True).text == decoded.text


def test_offsets_count_bytes_from_the_start() -> None:
    decoded = decode(codecs.BOM_UTF8 + "한".encode() + b"\xff\xffabc\xfe", "x", replace=True)
    assert (decoded.bad_bytes, decoded.first_bad) == (3, 6)
    assert decode(b"\xffabc" + K.encode(), "x", "utf-8", replace=True).first_bad == 0


def test_notes_say_what_was_done() -> None:
    assert decode(b"a\r\nb\rc\r\n", "x").notes() == (
        "2 Windows line ends (CRLF) became LF",
        "1 lone carriage return became LF",
    )
    assert decode(b"a\0", "x", "utf-8").notes() == ("1 NUL character kept, as the encoding was given",)
    assert decode(b"caf\xe9", "x").notes() == (
        "not UTF-8: read as cp1252 (English); give the encoding if that is wrong",
    )
    assert decode("abc\n".encode("utf-16-le"), "x").notes() == ("UTF-16 without a byte order mark: read as utf-16-le",)
    assert decode(b"a", "x").notes() == ()


def test_names_in_errors_are_harmless() -> None:
    with pytest.raises(TextError) as caught:
        decode(b"a\0", "\x1b[31m\nevil")
    assert caught.value.message.startswith("␛[31m⏎evil looks like")


def test_a_head_is_refused_and_a_text_is_not() -> None:
    with pytest.raises(BinaryTextError):
        refuse_binary(b"\x89PNG\r\n\x1a\n" + NOISE, "x")
    for data in (s.KOREAN.encode("cp949"), s.KOREAN.encode()[:100], s.KOREAN.encode("utf-16")[:101], b""):
        refuse_binary(data, "x")


@pytest.mark.parametrize(
    ("given_name", "known"),
    [
        ("UTF8", "utf-8"),
        ("utf_8_sig", "utf-8-sig"),
        ("ks_c_5601", "euc_kr"),
        ("cp949", "cp949"),
        ("latin1", "iso8859-1"),
    ],
)
def test_encodings_by_their_other_names(given_name: str, known: str) -> None:
    assert check_encoding(given_name) == known


def test_a_wider_relative_is_used_and_shown() -> None:
    decoded = decode("펲시콜라".encode("cp949"), "x", "euc-kr")
    assert (decoded.text, decoded.encoding) == ("펲시콜라", "cp949")
    assert decode("①髙".encode("cp932"), "x", "shift_jis").encoding == "cp932"


def test_near_encodings_are_offered() -> None:
    with pytest.raises(TextError) as caught:
        check_encoding("cp494")
    assert "cp949" in caught.value.hint


def test_bytearrays_are_read_too() -> None:
    assert decode(bytearray(s.KOREAN.encode("cp949")), "x").text == s.KOREAN
    assert decode(bytearray(s.KOREAN.encode("utf-16")), "x").text == s.KOREAN
