"""A text at a glance, however large it is."""

from __future__ import annotations

from chargru.text.preview import describe
from chargru.text.reader import Document, Part

from . import samples as s


def part(text: str, complete: bool = True, bytes_read: int = 0, size: int | None = None) -> Part:
    return Part(Document(text, "t", "/t", "utf-8", ("a note",)), complete, bytes_read or len(text), size)


def test_of_a_whole_text() -> None:
    preview = describe(part("aaabbc\nsecond\n"), lines=5)
    assert (preview.name, preview.source, preview.encoding) == ("t", "/t", "utf-8")
    assert preview.lines == ("aaabbc", "second", "")
    assert preview.characters == preview.characters_read == 14
    assert preview.vocab_size == len(set("aaabbc\nsecond\n"))
    assert preview.complete
    assert preview.notes == ("a note",)


def test_extremes() -> None:
    preview = describe(part("a" * 9 + "b" * 5 + "c" * 7 + "d"), lines=1)
    assert preview.commonest == (("a", 9), ("c", 7), ("b", 5), ("d", 1))
    assert preview.rarest == (("d", 1), ("b", 5), ("c", 7), ("a", 9))
    assert len(describe(part("".join(map(chr, range(97, 123)))), lines=1).rarest) == 8


def test_of_a_beginning() -> None:
    preview = describe(part("한" * 100, False, bytes_read=300, size=3_000), lines=3)
    assert preview.characters == 1_000
    assert preview.characters_read == 100
    assert not preview.complete
    assert preview.notes == ("the first 100 characters were read for this preview", "a note")
    assert describe(part("x" * 100, False), lines=3, estimate=5_000).characters == 5_000
    assert describe(part("x" * 100, False), lines=3, estimate=5).characters == 100
    assert describe(part("x" * 100, False), lines=3).characters == 100


def test_lines_are_bounded() -> None:
    assert describe(part("x" * 10_000), lines=3).lines == ("x" * 600 + "…",)
    assert len(describe(part("x\n" * 10_000), lines=7).lines) == 7
    assert describe(part("\n\n\nfirst\n\nthird"), lines=3).lines == ("first", "", "third")
    assert describe(part("\n\n"), lines=3).lines == ("", "", "")


def test_scripts() -> None:
    assert describe(part(s.KOREAN), lines=1).scripts == ("Hangul",)
    assert describe(part(s.ENGLISH), lines=1).scripts == ("Latin",)
    assert describe(part(s.RUSSIAN + s.GREEK), lines=1).scripts == ("Cyrillic", "Greek")
    assert set(describe(part(s.JAPANESE), lines=1).scripts) == {"Kana", "Han"}
    assert describe(part("123 !?\n"), lines=1).scripts == ()


def test_text_as_it_stands() -> None:
    """A preview is data: making it safe to show is the face's part, and must not happen twice."""
    assert describe(part("\x1b[31m\ud800"), lines=1).lines == ("\x1b[31m\ud800",)


def test_how_it_was_read() -> None:
    document = Document("a\nb\nc\n", "t", "/t", "utf-16", (), "by its mark", crlf=2)
    preview = describe(Part(document, True, 14, 14), lines=1)
    assert (preview.how, preview.line_ends, preview.size) == ("by its mark", "LF and CRLF", 14)
    assert describe(part("one line"), lines=1).line_ends == ""
    assert describe(part("a\nb"), lines=1).line_ends == "LF"
    many = Document("a\n" * 1_000, "t", "/t", "utf-8", (), "", crlf=995, lone_cr=0)
    assert describe(Part(many, True, 9, 9), lines=1).line_ends == "CRLF"  # a few of another kind do not count


def test_characters_that_stand_only_once() -> None:
    assert describe(part("aab" + "c" * 9 + "d"), lines=1).single == 2


def test_warnings() -> None:
    def warnings(text: str, **sizes: int) -> str:
        return "\n".join(describe(part(text, **sizes), lines=1).warnings)  # type: ignore[arg-type]

    sentence = "The rain fell on the walls of the old harbour"
    assert "by heart" in warnings(sentence)
    fresh = "\n".join(f"{sentence} for the {number}th time, and nobody came" for number in range(500))
    assert warnings(fresh) == ""
    assert "stood there before" in warnings(f"{sentence}.\n" * 1_000)
    assert describe(part(f"{sentence}.\n" * 10), lines=1).repeated > 0.85
    assert "2 replacement characters (U+FFFD)" in warnings(fresh + "\ufffd\ufffd")
    assert "1 NUL character" in warnings(fresh + "\0")
    assert "6,000 distinct characters" in warnings("".join(map(chr, range(0x4E00, 0x4E00 + 6_000))) * 5)
    assert warnings("x" * 100 + fresh, complete=False, size=10**9) == ""
