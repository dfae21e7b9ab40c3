"""A text read in passes is the text read at once: the same ids, the same words about it, the same refusals."""

from __future__ import annotations

import codecs
import io
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.errors import TextError
from chargru.text import blocks, large
from chargru.text.large import is_large, open_large
from chargru.text.reader import read_text
from chargru.text.stream import identity
from chargru.text.vocabulary import Vocabulary

from . import samples as s
from .test_decoding import RIGHT

NOISE = random.Random(5).randbytes(3_000)
MIXED = s.KOREAN + s.RUSSIAN + "🙂\r\n" + s.FRENCH + "\r" + "\u0000"[:0] + s.THAI

# Beyond what the tests of decoding read: what is refused, and what the borders of blocks may spoil.
MORE: dict[str, tuple[bytes, dict[str, object]]] = {
    "empty": (b"", {}),
    "only a mark": (codecs.BOM_UTF8, {}),
    "only a carriage return": (b"\r", {}),
    "returns at the end": (b"a\r\n\r", {}),
    "many languages": (MIXED.encode(), {}),
    "many languages in utf-16": (MIXED.encode("utf-16"), {}),
    "many languages in utf-32": (MIXED.encode("utf-32-be"), {"encoding": "utf-32-be"}),
    "utf-16 given, with a mark": (MIXED.encode("utf-16"), {"encoding": "utf-16"}),
    "utf-16 given, without a mark": (MIXED.encode("utf-16-le"), {"encoding": "utf-16"}),
    "utf-16 given, with the mark of utf-8": (codecs.BOM_UTF8 + b"abc", {"encoding": "utf-16"}),
    "utf-16 without a mark, odd": (s.KOREAN.encode("utf-16-le") + b"a", {}),
    "utf-16 with a bad end, replaced": (s.KOREAN.encode("utf-16") + b"\x00\xd8", {"replace": True}),
    "utf-16 with bad places": (codecs.BOM_UTF16_LE + b"a\0\x00\xd8b\0\x00\xd8c\0", {"replace": True}),
    "utf-16 with bad places, refused": (codecs.BOM_UTF16_LE + b"a\0\x00\xd8b\0\x00\xd8c\0", {}),
    "mark of utf-32, odd": (codecs.BOM_UTF32_LE + b"abc", {}),
    "gb18030": ((s.CHINESE + "𠀀€").encode("gb18030"), {"encoding": "gb18030"}),
    "gb18030 for gb2312": ((s.CHINESE + "镕€").encode("gb18030"), {"encoding": "gb2312"}),
    "shift_jis": (s.JAPANESE.encode("shift_jis"), {}),
    "euc_jp": (s.JAPANESE.encode("euc_jp"), {}),
    "iso2022_jp": (s.JAPANESE.replace("、", ",").encode("iso2022_jp"), {"encoding": "iso2022_jp"}),
    "hz": (s.CHINESE.replace(",", " ").encode("hz"), {"encoding": "hz"}),
    "big5": (s.TRADITIONAL.encode("big5", "ignore"), {}),
    "koi8-r": (s.RUSSIAN.encode("koi8-r"), {}),
    "cp1252": ((s.ENGLISH * 3).encode("cp1252"), {}),
    "latin-1 far behind ascii": (b"plain words\n" * 400 + s.FRENCH.encode("latin-1"), {}),
    "cp949 with bad bytes": (s.KOREAN.encode("cp949") + b"\xff\xff" + s.KOREAN.encode("cp949"), {"replace": True}),
    "cp949 with bad bytes, refused": (s.KOREAN.encode("cp949") + b"\xff\xff", {"encoding": "cp949"}),
    "utf-8 with bad bytes": (s.KOREAN.encode() + b"\xff\xf0\x9f" + s.KOREAN.encode() + b"\xe2\x82", {"replace": True}),
    "utf-8 with bad bytes, refused": (s.KOREAN.encode() + b"\xff" + s.KOREAN.encode(), {}),
    "lone surrogates": (b"abc \xed\xa0\x80 \xed\xb0\x80", {"replace": True}),
    "lone surrogates, refused": (b"abc \xed\xa0\x80", {}),
    "ascii given": (b"caf\xe9 \xff\xfe", {"encoding": "ascii", "replace": True}),
    "nul": (b"text with a \0 in it", {}),
    "nul after bad bytes": (b"caf\xe9 " * 50 + b"\0", {}),
    "nul, encoding given": (b"text with a \0 in it\0", {"encoding": "latin-1"}),
    "nul in utf-16": ("a\0b".encode("utf-16"), {}),
    "noise": (NOISE, {}),
    "noise, given": (NOISE, {"encoding": "latin-1"}),
    "noise, replaced": (NOISE, {"encoding": "gb18030", "replace": True}),
    "a picture": (b"\x89PNG\r\n\x1a\n" + NOISE, {}),
    "no such encoding": (b"abc", {"encoding": "utf-9"}),
}
CASES: dict[str, tuple[bytes, dict[str, object]]] = {name: case[:2] for name, case in RIGHT.items()} | MORE
CASES = {name: case for name, case in CASES.items() if case[1].get("encoding") != "utf-7" and len(case[0]) < 100_000}


def at_once(path: Path, **how: object) -> tuple[object, ...]:
    try:
        document = read_text(path, **how)  # type: ignore[arg-type]
    except TextError as error:
        return type(error), error.message, error.hint
    vocabulary = Vocabulary.from_text(document.text)
    found = identity(document.text)
    ids = vocabulary.encode(document.text)
    told = (document.name, document.source, document.encoding, document.notes)
    return (*told, found.characters, found.sha256, vocabulary, ids.dtype, ids.tobytes())


def in_passes(path: Path, **how: object) -> tuple[object, ...]:
    try:
        with open_large(path, **how) as file:  # type: ignore[arg-type]
            survey, out = file.survey(), io.BytesIO()
            sha256 = file.write_ids(survey, out)
            assert file.unchanged
    except TextError as error:
        return type(error), error.message, error.hint
    told = (survey.name, file.stamp.source, survey.encoding, survey.notes)
    dtype = survey.vocabulary.dtype
    return (*told, survey.characters, sha256, survey.vocabulary, dtype, out.getvalue())


@pytest.mark.parametrize("block", [1, 3, 7, 1 << 20])
@pytest.mark.parametrize("case", CASES)
def test_passes_give_what_reading_at_once_gives(
    case: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, how = CASES[case]
    if len(data) > 5_000 and block < 7:
        return
    monkeypatch.setattr(blocks, "BLOCK", block)
    path = tmp_path / "a text"
    path.write_bytes(data)
    assert in_passes(path, **how) == at_once(path, **how)


PARTS = st.sampled_from(
    ["a", "b\n", "\r", "\r\n", "é", "한글", "🙂", "\ufeff", "€", "\u0085", "the ", s.FRENCH, s.KOREAN, s.RUSSIAN, "\0"]
)
RAW = st.sampled_from([b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f", b"\x80", b"\r", b"\0"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949", "cp1252", "cp1251"])


@given(
    st.lists(PARTS, max_size=12),
    st.lists(st.tuples(st.integers(0, 400), RAW), max_size=2),
    ENCODINGS,
    st.sampled_from([None, "same", "utf-8"]),
    st.booleans(),
    st.integers(1, 9),
)
def test_passes_equal_reading_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[str],
    damage: list[tuple[int, bytes]],
    codec: str,
    told: str | None,
    replace: bool,
    block: int,
) -> None:
    data = "".join(parts).encode(codec, "ignore")
    for place, raw in damage:
        data = data[:place] + raw + data[place:]
    path = tmp_path_factory.getbasetemp() / "property"
    path.write_bytes(data)
    how: dict[str, object] = {"encoding": codec if told == "same" else told, "replace": replace}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        assert in_passes(path, **how) == at_once(path, **how)


@pytest.mark.parametrize("count", [2, 300, 70_000])
def test_ids_take_as_many_bytes_as_the_vocabulary_needs(count: int, tmp_path: Path) -> None:
    path = tmp_path / "t"
    text = "".join(map(chr, range(0x20, 0x20 + min(count, 0xD000)))) + "".join(
        map(chr, range(0x10000, 0x10000 + count))
    )
    path.write_text(text, encoding="utf-8")
    assert in_passes(path) == at_once(path)


def test_progress_tells_both_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 100)
    path = tmp_path / "t"
    path.write_text("word " * 200)
    told: list[tuple[int, int]] = []
    with open_large(path, progress=lambda done, total: told.append((done, total))) as file:
        file.write_ids(file.survey(), io.BytesIO())
    assert told == [(done, 2_000) for done in range(100, 2_001, 100)]


def test_what_progress_raises_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("word " * 200)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_large(path, progress=stop) as file:
        file.survey()


@pytest.mark.parametrize(
    "after", [b"other characters", b"word " * 199 + b"wor", b"", b"word " * 199 + b"\xff\xff\xff\xff\xff"]
)
def test_a_file_that_changes_between_the_passes_is_refused(after: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("word " * 200)
    with open_large(path) as file:
        survey = file.survey()
        path.write_bytes(after)
        assert not file.unchanged
        with pytest.raises(TextError, match="changes while it is read"):
            file.write_ids(survey, io.BytesIO())


def test_fewer_characters_of_the_same_bytes_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("éa" + "a" * 99)
    with open_large(path) as file:
        survey = file.survey()
        path.write_text("éééa" + "a" * 95)
        with pytest.raises(TextError, match="changes while it is read"):
            file.write_ids(survey, io.BytesIO())


def test_a_file_that_grows_is_read_as_long_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("line\n" * 10)
    out = io.BytesIO()
    with open_large(path) as file:
        survey = file.survey()
        path.write_text("line\n" * 10 + "more\n")
        file.write_ids(survey, out)
        assert not file.unchanged
    assert len(out.getvalue()) == 50


def test_what_is_no_file_is_refused_in_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(TextError), open_large(path):
            pass


def test_large_is_a_question_of_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_large(large.LARGE - 1, None)
    assert is_large(large.LARGE, None)
    assert is_large(large.LARGE, "no such encoding")
    for encoding in ("UTF7", "iso-2022-jp", "iso2022_kr"):  # their decoders are other ones piece by piece
        assert not is_large(large.LARGE, encoding)
