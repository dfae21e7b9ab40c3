"""What the Corpus screen hears of texts, and what it remembers of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chargru.errors import TextError
from chargru.text.decoding import UndecodableTextError
from chargru.tui import looking
from chargru.tui.library import Choice, Outlook, TextPreview, learned
from chargru.tui.messages import ChoicesRead, ForecastRead
from tests.tui.fakes import FakeLibrary


class Broken(FakeLibrary):
    def choices(self) -> list[Choice]:
        raise TextError("nothing there")

    def recent(self, specs: Sequence[str]) -> list[Choice]:
        return []

    def preview(self, spec: str, *, encoding: str | None = None, replace: bool = False) -> TextPreview:
        if spec == "disk":
            raise OSError(5, "input/output error")
        if spec == "huge":
            raise MemoryError
        if not replace:
            raise UndecodableTextError("3 bad bytes", "replace 3 bytes", "utf-8", 3, 17)
        return super().preview("tales")


def test_the_table_and_its_failure() -> None:
    read = looking.table(FakeLibrary(), ("/a/b.txt",))
    assert [each.spec for each in read.choices] == ["tales", "python-reference", "/a/b.txt"]
    failed = looking.table(Broken(), ())
    assert (failed.choices, failed.problem) == ((), "nothing there")
    assert isinstance(failed, ChoicesRead)


def test_facts_come_one_after_another_and_end_when_asked() -> None:
    choices = [Choice(spec, spec, "", None) for spec in ("tales", "damaged", "disk", "python-reference")]
    found = [message.choice for message in looking.facts(FakeLibrary(), choices, lambda: False)]
    assert [(each.spec, each.vocabulary, each.problem) for each in found] == [
        ("tales", 65, ""),
        ("damaged", None, "no text"),
        ("disk", None, "no text"),
        ("python-reference", 65, ""),
    ]
    found = [message.choice for message in looking.facts(Broken(), choices, lambda: False)]
    assert [each.problem for each in found] == ["damaged"] * 3  # the disk's failure may pass: nothing is said of it
    assert list(looking.facts(FakeLibrary(), choices, lambda: True)) == []


def test_a_text_that_was_bad_is_learned_anew() -> None:
    choice = Choice("tales", "Tales", "", None, recent=True, problem="damaged")
    better = learned(choice, FakeLibrary().preview("tales"))
    assert (better.problem, better.vocabulary, better.script, better.recent) == ("", 65, "Latin", True)


def test_previews_and_their_failures() -> None:
    assert looking.preview(Broken(), 7, "x", {}).bad_bytes == 3
    assert looking.preview(Broken(), 7, "x", {"replace": True}).preview is not None
    assert looking.preview(Broken(), 7, "disk", {}).problem == "input/output error"
    assert looking.preview(Broken(), 7, "huge", {}).problem == "out of memory"
    assert looking.preview(FakeLibrary(), 7, "tales", {}).turn == 7


def test_a_forecast_of_what_cannot_be_read_is_none() -> None:
    class Unreadable(FakeLibrary):
        def forecast(self, *_: object, **how: object) -> None:
            raise TextError("gone")

    assert list(looking.forecast(Unreadable(), 3, "x", 30.0, {})) == [ForecastRead(3, None)]
    (found,) = looking.forecast(FakeLibrary(), 3, "x", 30.0, {})
    assert found.outlook is not None


def test_a_glance_is_followed_by_a_closer_look_or_becomes_the_last_word() -> None:
    class Closer(FakeLibrary):
        trouble: Exception | None = None

        def forecast(self, *asked: Any, closely: bool = False, **how: Any) -> Outlook | None:
            found = super().forecast(*asked)
            assert found is not None
            if closely and self.trouble is not None:
                raise self.trouble
            return replace(found, closely=closely, likely=1.48 if closely else 1.55)

    library = Closer()
    glance, close = (each.outlook for each in looking.forecast(library, 3, "x", 30.0, {}))
    assert glance is not None
    assert close is not None
    assert (glance.likely, glance.closely, close.likely, close.closely) == (1.55, False, 1.48, True)
    for library.trouble in (TextError("gone"), OSError(), MemoryError()):
        _, last = (each.outlook for each in looking.forecast(library, 3, "x", 30.0, {}))
        assert last == replace(glance, closely=True)


def test_the_first_choice() -> None:
    choices = [Choice("tales", "", "", 1), Choice("/gone", "", "", None, recent=True, problem="gone")]
    assert looking.first_choice(choices, "") == ("", "")
    assert looking.first_choice(choices, "tales") == ("tales", "")
    assert looking.first_choice(choices, "/a/b") == ("/a/b", "")
    assert looking.first_choice(choices, "/gone") == ("", "/gone, the text of the last time, is gone")
    assert "not in the library any more" in looking.first_choice(choices, "poems")[1]


def test_what_is_remembered() -> None:
    choices = [Choice("tales", "", "", 1), Choice("/mine", "", "", 1, recent=True)]
    assert looking.lasting(choices, "tales") == "tales"
    assert looking.lasting(choices, "/mine/../b") == "/b"
    assert looking.in_library(choices, "tales")
    assert not looking.in_library(choices, "/mine")
    assert looking.remembered(("/a", "/b"), "/b") == ("/b", "/a")
    assert looking.remembered(tuple(f"/{n}" for n in range(12)), "/new") == ("/new", *(f"/{n}" for n in range(11)))
