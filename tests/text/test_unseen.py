"""What an unseen character is read as."""

from __future__ import annotations

import pytest

from chargru.text.unseen import translations


def near(character: str, known: str) -> str:
    return translations([character], known.__contains__)[character]


@pytest.mark.parametrize(
    ("character", "known", "expected"),
    [
        ("A", "abc", "a"),
        ("b", "ABC", "B"),
        ("É", "eé", "é"),  # the case goes before the accent
        ("É", "e", "e"),
        ("é", "e\u0301", "e\u0301"),
        ("é", "E", "E"),
        ("’", "'", "'"),
        ("'", "’", "’"),
        ("“", '"', '"'),
        ('"', "“”", "“"),
        ("«", '"', '"'),
        ("–", "-", "-"),
        ("—", "–", "–"),
        ("-", "—", "—"),
        ("…", ".", "..."),
        ("\u00a0", " ", " "),
        ("\u3000", " ", " "),
        ("\t", " ", " "),
        ("\n", " ", " "),
        ("\r", "\n", "\n"),
        ("。", ".", "."),
        ("，", ",", ","),
        ("！", "!", "!"),
        ("ａ", "a", "a"),
        ("Ａ", "a", "a"),
        ("ß", "s", "ss"),
        ("Æ", "ae", "ae"),
        ("Ł", "l", "l"),
        ("ﬁ", "fi", "fi"),
        ("①", "1", "1"),
        ("²", "2", "2"),
        ("½", "1⁄2", "1⁄2"),
        ("\u2126", "\u03a9", "\u03a9"),  # the ohm sign is the letter
        ("한", "\u1112\u1161\u11ab", "\u1112\u1161\u11ab"),
        ("İ", "i", "i"),
        ("ǆ", "dz", "dz"),
    ],
)
def test_nearest(character: str, known: str, expected: str) -> None:
    assert near(character, known) == expected


@pytest.mark.parametrize("character", ["漢", "🙂", "\u0301", "\x00", "\ue000", "é", "ß", "½"])
def test_nothing_near(character: str) -> None:
    assert near(character, "xyz") == ""


def test_part_of_a_spelling_is_not_enough() -> None:
    assert near("æ", "a") == ""


def test_a_lone_surrogate_is_the_replacement_character_or_nothing() -> None:
    assert near("\ud800", "a\ufffd") == "\ufffd"
    assert near("\udfff", "a") == ""


def test_every_result_is_known() -> None:
    known = set("abcdefghijklmnopqrstuvwxyz .,'\"-")
    every = [chr(point) for point in range(0x3000) if chr(point) not in known]
    found = translations(every, known.__contains__)
    assert set(found) == set(every)
    assert all(set(near) <= known for near in found.values())
    assert sum(1 for near in found.values() if near) > 800
