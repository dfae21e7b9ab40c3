"""No text may act on a terminal, whatever it holds, and harmless text stays as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.text.display import safe_display

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
DANGEROUS = (
    [chr(point) for point in (*range(0x20), *range(0x7F, 0xA0)) if point != 0x0A]
    + list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
    + [
        "\ud800",
        "\udbff",
        "\udc00",
        "\udcff",
        "\udfff",
        "\ufdd0",
        "\ufdef",
        "\ufffe",
        "\uffff",
        "\U0010ffff",
        "\U0001fffe",
    ]
)


def dangerous(character: str) -> bool:
    """An independent statement of what must not come out: by category, not by list."""
    point = ord(character)
    return (
        (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character != "\n")
        or unicodedata.bidirectional(character) in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
        or point in (0x61C, 0x200E, 0x200F)
        or point & 0xFFFE == 0xFFFE
        or 0xFDD0 <= point <= 0xFDEF
    )


@pytest.mark.parametrize("character", DANGEROUS, ids=lambda character: f"U+{ord(character):04X}")
@pytest.mark.parametrize("newlines", [True, False])
def test_a_dangerous_character_becomes_visible(character: str, newlines: bool) -> None:
    shown = safe_display(f"a{character}b", newlines)
    assert shown[0] == "a"
    assert shown[-1] == "b"
    assert shown[1:-1]
    assert not any(map(dangerous, shown))


def test_every_code_point_is_harmless_afterwards() -> None:
    everything = "".join(map(chr, range(0x110000)))
    shown = safe_display(everything, newlines=False)
    assert not any(map(dangerous, shown))
    assert "\n" not in shown
    assert len(shown.splitlines()) == 1
    shown.encode("utf-8")


@given(ANY_TEXT, st.booleans())
def test_any_text_is_harmless_and_encodable_and_stays_so(text: str, newlines: bool) -> None:
    shown = safe_display(text, newlines)
    assert not any(map(dangerous, shown))
    shown.encode("utf-8")
    assert safe_display(shown, newlines) == shown


@given(ANY_TEXT)
def test_one_line_means_one_line(text: str) -> None:
    assert len(safe_display(text + "x", newlines=False).splitlines()) == 1


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=60))
def test_harmless_text_is_unchanged(text: str) -> None:
    assert safe_display(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\x00b\x7f", "a␀b␡"),
        ("\x9b31m", "␦31m"),
        ("\u202egnp.exe", "⇄gnp.exe"),
        ("tab\there", "tab    here"),
        ("a\r\nb", "a␍\nb"),
        ("\x07\x08\x0b\x0c", "␇␈␋␌"),
        ("x\u2028y", "x⏎y"),
        ("\udc80", "\ufffd"),
        ("", ""),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert safe_display(text) == shown


def test_newlines_are_kept_or_shown() -> None:
    assert safe_display("a\nb\n") == "a\nb\n"
    assert safe_display("a\nb\n", newlines=False) == "a⏎b⏎"


@pytest.mark.parametrize("text", ["👩\u200d👩\u200d👧", "e\u0301", "क\u094dष", "❤\ufe0f", "한글", "나\u0301"])
def test_joiners_and_marks_are_kept(text: str) -> None:
    assert safe_display(text) == text


def test_ascii_symbols() -> None:
    assert safe_display("\x1b[0m\tx\u202e\ny é", newlines=False, ascii_symbols=True) == "?[0m    x??y é"
