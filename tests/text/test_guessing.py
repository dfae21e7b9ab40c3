"""Encodings without a mark: recognised on a few words, and never on the strength of a stray byte."""

from __future__ import annotations

import pytest

from chargru.text import guessing
from chargru.text.decoding import decode
from chargru.text.languages import CANDIDATES

from . import samples as s

READABLE = [
    ("cp949", s.KOREAN),
    ("euc_kr", s.KOREAN),
    ("cp932", s.JAPANESE),
    ("shift_jis", s.JAPANESE),
    ("euc_jp", s.JAPANESE),
    ("gb18030", s.CHINESE),
    ("gb2312", s.CHINESE),
    ("big5", s.TRADITIONAL),
    ("cp1251", s.RUSSIAN),
    ("koi8_r", s.RUSSIAN),
    ("cp866", s.RUSSIAN),
    ("iso8859_5", s.RUSSIAN),
    ("cp1253", s.GREEK),
    ("iso8859_7", s.GREEK),
    ("cp1255", s.HEBREW),
    ("iso8859_8", s.HEBREW),
    ("cp1256", s.ARABIC),
    ("cp1252", s.FRENCH),
    ("latin_1", s.FRENCH),
    ("cp1252", s.GERMAN),
    ("cp1252", s.SPANISH),
    ("cp1252", s.ENGLISH),
    ("cp1250", s.POLISH),
    ("iso8859_2", s.POLISH),
    ("cp1250", s.CZECH),
    ("iso8859_2", s.CZECH),
    ("cp1250", s.HUNGARIAN),
    ("cp1254", s.TURKISH),
]


@pytest.mark.parametrize(("encoding", "text"), READABLE, ids=lambda value: value[:12])
@pytest.mark.parametrize("repeat", [1, 500])
def test_one_passage_and_many_are_read_right(encoding: str, text: str, repeat: int) -> None:
    decoded = decode((text * repeat).encode(encoding), "x")
    assert decoded.text == text * repeat
    assert decoded.guessed
    assert decoded.encoding in decoded.notes()[0]
    # Reading again with the encoding that was shown gives the same text.
    assert decode((text * repeat).encode(encoding), "x", decoded.encoding).text == text * repeat


@pytest.mark.parametrize("length", [10, 16, 24, 40, 80])
def test_korean_is_recognised_at_any_length(length: int) -> None:
    for start in range(0, len(s.KOREAN) - length, 7):
        passage = s.KOREAN[start : start + length]
        decoded = decode(passage.encode("cp949"), "x")
        assert (decoded.encoding, decoded.text) == ("cp949", passage)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("cp932", s.JAPANESE), ("euc_jp", s.JAPANESE), ("gb18030", s.CHINESE), ("big5", s.TRADITIONAL)],
)
def test_no_other_east_asian_text_is_taken_for_korean(encoding: str, text: str) -> None:
    for start in range(0, len(text) - 16, 3):
        guess = guessing.guess(text[start : start + 16].encode(encoding))
        assert guess is None or guess.language != "Korean"


@pytest.mark.parametrize("text", ["안녕하세요", "사랑", "TV는 안 봤고 PC방에 갔어요!", "우리말", "가나다라 마바사"])
def test_korean_words(text: str) -> None:
    assert decode(text.encode("cp949"), "x").text == text


def test_korean_far_behind_ascii() -> None:
    text = "plain header line\n" * 20_000 + s.KOREAN
    decoded = decode(text.encode("cp949"), "x")
    assert (decoded.encoding, decoded.text) == ("cp949", text)


@pytest.mark.parametrize("ascii_before", [0, 1, 30_001])
def test_korean_in_one_endless_line(ascii_before: int) -> None:
    text = "x" * ascii_before + s.KOREAN.replace("\n", " ") * 200
    decoded = decode(text.encode("cp949"), "x")
    assert (decoded.encoding, decoded.text) == ("cp949", text)


def test_korean_with_a_syllable_that_only_cp949_has() -> None:
    text = s.KOREAN + "펲시콜라와 똠방각하"
    assert decode(text.encode("cp949"), "x").text == text


def test_thai_is_left_to_statistics() -> None:
    decoded = decode((s.THAI * 4).encode("cp874"), "x")
    assert decoded.text == s.THAI * 4
    assert decoded.guessed == "charset-normalizer"
    assert "statistics" in decoded.notes()[0]


@pytest.mark.parametrize(
    "data",
    [b"hello \xff world", b"abc\xffdef", b"abc\xc3", b"\xff" * 50, b"x" * 5000 + b"\x81", bytes(range(128, 256)) * 10],
)
def test_stray_bytes_are_no_evidence(data: bytes) -> None:
    assert guessing.guess(data) is None


class TestSample:
    def test_takes_lines_with_high_bytes_only(self) -> None:
        assert guessing.sample(b"one\ntw\xe9\nthree\nfo\xe9r\n") == b"tw\xe9\nfo\xe9r\n"

    def test_is_bounded(self) -> None:
        assert len(guessing.sample(b"\xe9 word\n" * 10_000)) == guessing.SAMPLE_BYTES
        assert len(guessing.sample(b"\xe9" * 100_000)) == guessing.SAMPLE_BYTES

    def test_reaches_a_high_byte_far_behind_in_a_line(self) -> None:
        assert b"\xe9" in guessing.sample(b"word " * 20_000 + b"caf\xe9")

    @pytest.mark.parametrize("data", [b"", b"plain\n", b"\n\n\n"])
    def test_of_ascii_is_empty(self, data: bytes) -> None:
        assert guessing.sample(data) == b""


class TestLooksLikeUtf8:
    @pytest.mark.parametrize("text", [s.KOREAN, s.RUSSIAN, s.FRENCH, s.JAPANESE, "한글", "naïve"])
    def test_with_one_bad_byte(self, text: str) -> None:
        data = text.encode()
        assert guessing.looks_like_utf8(data + b"\xff")
        assert guessing.looks_like_utf8(b"\x80" + data)

    def test_cut_in_a_character(self) -> None:
        assert guessing.looks_like_utf8("한글".encode()[:-1])

    @pytest.mark.parametrize(("encoding", "text"), READABLE, ids=lambda value: value[:12])
    def test_not_in_another_encoding(self, encoding: str, text: str) -> None:
        assert not guessing.looks_like_utf8(text.encode(encoding))


class TestWithoutMark:
    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
    @pytest.mark.parametrize("text", [s.KOREAN, s.ENGLISH, s.RUSSIAN, s.JAPANESE, "ab\n"], ids=lambda text: text[:8])
    def test_wide_text(self, encoding: str, text: str) -> None:
        assert guessing.without_mark(text.encode(encoding)) == encoding

    @pytest.mark.parametrize(
        "data",
        [
            b"\x00",
            b"\x00\x00\x00\x00",
            bytes(range(256)) * 8,
            b"".join(number.to_bytes(4, "little") for number in range(2000)),
            b"".join((number * 37 % 65_536).to_bytes(2, "little") for number in range(2000)),
            b"plain text with one \x00 in it, of even length",
            b"\x7fELF\x02\x01\x01" + bytes(9),
        ],
    )
    def test_not_text(self, data: bytes) -> None:
        assert guessing.without_mark(data) is None


def test_candidates_can_write_their_own_languages() -> None:
    """A table entry in the wrong code page would never be found: each character must exist in its encoding."""
    for candidate in CANDIDATES:
        letters = [each for each in candidate.common if each.isalpha()]
        written = sum(1 for each in letters if each.encode(candidate.encoding, "ignore"))
        assert written >= 0.85 * len(letters), candidate.encoding
        assert candidate.frequent <= candidate.common
