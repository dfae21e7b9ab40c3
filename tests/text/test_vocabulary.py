"""Characters and ids: exact both ways, strict for training, forgiving and talkative for what a user types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.errors import TextError
from chargru.text import codepoints
from chargru.text.vocabulary import Vocabulary, show

TEXT = st.text(min_size=1, max_size=80)  # without surrogates
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


@given(TEXT)
def test_round_trip(text: str) -> None:
    vocabulary = Vocabulary.from_text(text)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert ids.dtype == vocabulary.dtype
    assert vocabulary.code_points == tuple(sorted(set(map(ord, text))))
    assert ids.tolist() == [vocabulary.code_points.index(ord(character)) for character in text]


@given(TEXT, ANY_TEXT)
def test_reading_never_fails_and_holds_only_known_characters(text: str, prompt: str) -> None:
    vocabulary = Vocabulary.from_text(text)
    reading = vocabulary.read(prompt)
    assert vocabulary.decode(reading.ids) == reading.text
    assert (reading.text == prompt) == (not reading.notes)
    assert all(len(note.splitlines()) == 1 for note in reading.notes)


@given(TEXT)
def test_known_text_is_read_as_it_is(text: str) -> None:
    reading = Vocabulary.from_text(text).read(text)
    assert reading.text == text
    assert reading.notes == ()


@given(st.sets(st.integers(0, 0x10FFFF).filter(lambda point: not 0xD800 <= point <= 0xDFFF), min_size=1, max_size=30))
def test_code_points_round_trip(points: set[int]) -> None:
    vocabulary = Vocabulary.from_code_points(sorted(points))
    assert Vocabulary.from_code_points(vocabulary.code_points) == vocabulary
    assert vocabulary.size == len(vocabulary) == len(points)
    assert vocabulary.decode(np.arange(len(points))) == "".join(map(chr, sorted(points)))


@pytest.mark.parametrize(
    "points",
    [[], [98, 97], [97, 97], [-1, 5], [0x110000], [97, 0xD800], [0xDFFF, 0xE000], [5, 2**40]],
)
def test_impossible_code_points(points: list[int]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Vocabulary.from_code_points(points)


@pytest.mark.parametrize(
    ("size", "dtype"), [(1, np.uint8), (256, np.uint8), (257, np.uint16), (65_536, np.uint16), (65_537, np.int32)]
)
def test_ids_take_the_smallest_type_that_fits(size: int, dtype: type) -> None:
    points = [point for point in range(70_000) if not 0xD800 <= point <= 0xDFFF][:size]
    vocabulary = Vocabulary(points)
    last = chr(points[-1])
    ids = vocabulary.encode(last)
    assert ids.dtype == dtype
    assert ids.tolist() == [size - 1]
    assert vocabulary.decode(ids) == last


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "abc한🙂" * 7
    vocabulary = Vocabulary.from_text(text)
    whole = vocabulary.encode(text)
    monkeypatch.setattr(codepoints, "CHUNK", 4)
    assert Vocabulary.from_text(text) == vocabulary
    assert vocabulary.encode(text).tolist() == whole.tolist()
    assert vocabulary.decode(whole) == text


def test_encoding_into_a_memory_map(tmp_path: Path) -> None:
    text = "to and fro\n" * 30
    vocabulary = Vocabulary.from_text(text)
    out = np.memmap(tmp_path / "ids", dtype=vocabulary.dtype, mode="w+", shape=(len(text),))
    assert vocabulary.encode(text, out=out) is out
    assert vocabulary.decode(out) == text
    with pytest.raises(ValueError, match="shape"):
        vocabulary.encode(text + "t", out=out)


def test_unseen_characters_are_refused_by_name_in_one_line() -> None:
    vocabulary = Vocabulary.from_text("abc")
    with pytest.raises(TextError) as caught:
        vocabulary.encode("abz\x1b漢\nz")
    assert (
        caught.value.message
        == "the model does not know these characters: z (U+007A), U+001B (U+001B), 漢 (U+6F22), newline (U+000A)"
    )
    assert "3 characters" in caught.value.hint
    with pytest.raises(TextError, match="this character: é"):
        vocabulary.encode("é")


def test_many_unseen_characters_are_not_all_listed() -> None:
    with pytest.raises(TextError, match="and 192 more"):
        Vocabulary.from_text("a").encode("".join(map(chr, range(0x4E00, 0x4E00 + 200))))


def test_beyond_the_last_character() -> None:
    vocabulary = Vocabulary([0, 0x10FFFF])
    assert vocabulary.encode("\U0010ffff\0").tolist() == [1, 0]
    with pytest.raises(TextError):
        vocabulary.encode("\U0010fffe")
    with pytest.raises(TextError):
        Vocabulary([0]).encode("\U0010ffff")


def test_surrogates_are_never_part_of_it() -> None:
    vocabulary = Vocabulary.from_text("ab\ud800")
    assert vocabulary.code_points == (97, 98, 0xFFFD)
    assert Vocabulary.from_text("\udfff\ud800").code_points == (0xFFFD,)
    assert Vocabulary.from_text("\ufffd\udfff").code_points == (0xFFFD,)
    assert vocabulary.read("a\udfffb").text == "a\ufffdb"
    assert Vocabulary.from_text("ab").read("a\udfffb").text == "ab"
    with pytest.raises(TextError, match=r"U\+DFFF"):
        vocabulary.encode("\udfff")


def test_an_empty_text_has_no_vocabulary() -> None:
    with pytest.raises(TextError, match="empty"):
        Vocabulary.from_text("")


@pytest.mark.parametrize("ids", [[-1], [3], [0, 1, 300], [0.5], ["a"], [2**63]])
def test_impossible_ids(ids: list[object]) -> None:
    with pytest.raises(ValueError, match="ids must"):
        Vocabulary.from_text("abc").decode(ids)  # type: ignore[arg-type]


def test_decoding_takes_any_shape_and_kind_of_integers() -> None:
    vocabulary = Vocabulary.from_text("abc")
    assert vocabulary.decode(np.array([[0, 1], [2, 0]], np.int64)) == "abca"
    assert vocabulary.decode([2, 1]) == "cb"
    assert vocabulary.decode([]) == ""
    assert vocabulary.decode(np.uint8(1)) == "b"


def test_equality_membership_and_hash() -> None:
    one, two = Vocabulary.from_text("hello"), Vocabulary.from_text("ehllo!"[:-1])
    assert one == two
    assert len({one, two, Vocabulary.from_text("world")}) == 2
    assert one != "ehlo"
    assert "h" in one
    assert "w" not in one
    assert "he" not in one
    assert 104 not in one


class TestReading:
    def test_nothing_is_told_where_nothing_was_done(self) -> None:
        reading = Vocabulary.from_text("hello world").read("hold")
        assert (reading.text, reading.notes) == ("hold", ())
        assert Vocabulary.from_text("a").read("").ids.tolist() == []

    def test_mapping_is_told(self) -> None:
        reading = Vocabulary.from_text("it's cafe time").read("It’s café")
        assert reading.text == "it's cafe"
        assert reading.notes == ("never seen in training, read as the nearest known: I as i, é as e, ’ as '",)

    def test_skipping_is_told(self) -> None:
        reading = Vocabulary.from_text("abc").read("a漢b字字\x1b")
        assert reading.text == "ab"
        assert reading.notes == ("4 characters never seen in training skipped: U+001B, 字, 漢",)

    def test_decomposed_hangul_is_composed(self) -> None:
        reading = Vocabulary.from_text("한글").read("\u1112\u1161\u11ab\u1100\u1173\u11af")
        assert reading.text == "한글"
        assert len(reading.notes) == 1
        assert "NFC" in reading.notes[0]

    def test_hangul_is_taken_apart_for_a_model_of_letters(self) -> None:
        reading = Vocabulary.from_text("\u1112\u1161\u11ab\u1100\u1173\u11af").read("한글")
        assert reading.text == "\u1112\u1161\u11ab\u1100\u1173\u11af"
        assert len(reading.notes) == 1
        assert "NFD" in reading.notes[0]

    def test_windows_line_ends_are_one_line_end(self) -> None:
        assert Vocabulary.from_text("ab\n").read("a\r\nb\rb").text == "a\nb\nb"

    def test_long_lists_are_cut(self) -> None:
        prompt = "".join(map(chr, range(0x4E00, 0x4E00 + 100)))
        (note,) = Vocabulary.from_text("a").read(prompt).notes
        assert note.startswith("100 characters")
        assert note.endswith("and 92 more")

    def test_no_control_character_comes_back_in_a_note(self) -> None:
        notes = Vocabulary.from_text("a").read("\x1b[2J\x9b\u202e\x00\u2028").notes
        assert notes
        assert all(note.isprintable() for note in notes)


def test_advice_for_very_many_characters() -> None:
    assert Vocabulary(range(0xAC00, 0xAC00 + 5_000)).advice() is None
    assert "jamo" in str(Vocabulary(range(0xAC00, 0xAC00 + 5_001)).advice())
    assert "rare" in str(Vocabulary(range(0x4E00, 0x4E00 + 6_000)).advice())


@pytest.mark.parametrize(
    ("text", "shown"),
    [(" ", "space"), ("\n", "newline"), ("    ", "4 spaces"), ("\u2003", "U+2003"), ("\u0301", "U+0301"), ("x", "x")],
)
def test_show(text: str, shown: str) -> None:
    assert show(text) == shown
