"""Settings by hand: every field of TrainRequest has its place, and says what it may be."""

from __future__ import annotations

import dataclasses

import pytest

from chargru.config import TrainRequest
from chargru.errors import ChargruError
from chargru.tui import byhand
from chargru.tui.byhand import Option, Typed, judge, options, parse, summary

OPTIONS = options()


def possible(option: Option) -> str:
    """Something that may be typed into the field and is not its default."""
    if option.choices:
        return next(choice for choice in option.choices if choice != option.default)
    if option.kind is bool:
        return "no" if option.default else "yes"
    if option.name == "encoding":
        return "cp949"
    if option.kind is str:
        return "some words"
    assert option.low is not None
    return f"{option.low:g}" if option.low != option.default else f"{option.low + 1:g}"


def test_every_field_of_a_request_is_here_or_elsewhere() -> None:
    fields = {each.name for each in dataclasses.fields(TrainRequest)}
    assert {option.name for option in OPTIONS} | set(byhand.ELSEWHERE) == fields
    assert not {option.name for option in OPTIONS} & set(byhand.ELSEWHERE)
    assert len(OPTIONS) == len({option.name for option in OPTIONS})
    assert set(byhand.OF_TEXT) | set(byhand.BUDGETS) <= fields
    for option in OPTIONS:
        assert option.help
        assert option.group != "more", "a place among the groups reads better"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_field_takes_what_is_possible_and_refuses_the_rest(option: Option) -> None:
    assert parse(option, "") == parse(option, "  ") == option.default or option.name == "sample_prompt"
    settings, problems = judge({option.name: possible(option)})
    assert problems == {}
    assert list(settings) == [option.name]
    assert getattr(TrainRequest(corpus="x", **settings), option.name) == settings[option.name]
    wrong = ["\x1b[31m", "nowhere-codec"] if option.name == "encoding" else []
    if option.kind in (int, float):
        wrong += ["x", "nan", "1e400", "9" * 5000, "-1", "0x10", "[/bold]"]
        wrong += [f"{option.high * 10:g}"] if option.high is not None else []
    if option.kind is bool or option.choices:
        wrong += ["maybe"]
    for text in wrong:
        with pytest.raises(ChargruError) as caught:
            parse(option, text)
        assert caught.value.message
        assert judge({option.name: text}) == ({}, {option.name: judge({option.name: text})[1][option.name]})


def test_the_messages_are_those_of_the_settings() -> None:
    assert judge({"hidden_size": "0"})[1] == {"hidden_size": "hidden_size must be at least 1, not 0"}
    assert judge({"dropout": "0,99"})[1] == {"dropout": "dropout must be at most 0.95, not 0.99"}
    assert judge({"seed": "1.5"})[1] == {"seed": "seed must be a whole number, not '1.5'"}
    assert "did you mean" in judge({"encoding": "uft-8"})[1]["encoding"]


def test_two_budgets_are_at_odds() -> None:
    settings, problems = judge({"steps": "10", "epochs": "2", "dropout": "0.1"})
    assert set(problems) == {"steps", "epochs"}
    assert "only one budget" in problems["steps"]
    assert settings["dropout"] == 0.1


def test_the_summary_counts() -> None:
    assert summary({}) == summary({"backend": "auto", "replace_bad_bytes": "no", "steps": " "}) == ""
    assert summary({"steps": "10"}) == "1 setting by hand"
    assert summary({"steps": "10", "seed": "3"}) == "2 settings by hand"
    assert summary({"steps": "10", "seed": "3"}, short=True) == "2 by hand"
    assert summary({"steps": "0", "seed": "3"}) == "1 setting that cannot be"


def test_the_range_is_told() -> None:
    told = {option.name: option.told for option in OPTIONS}
    assert told["dropout"].endswith("0 to 0.95")
    assert told["steps"].endswith("1 to 1e9")
    assert "numpy" in told["backend"]


def test_an_encoding_is_for_one_text() -> None:
    typed = Typed()
    assert typed.put("a", {"encoding": "cp949", "steps": "10"})
    assert not typed.put("a", {"encoding": "cp949", "steps": "20"})
    assert typed.of("a") == {"encoding": "cp949", "steps": "20"}
    assert typed.of("b") == {"steps": "20"}
    typed.toggle("b", "replace_bad_bytes")
    assert typed.reading("b") == {"replace_bad_bytes": "yes"}
    assert judge(typed.of("b"))[0] == {"replace_bad_bytes": True, "steps": 20}
    typed.toggle("b", "replace_bad_bytes")
    assert typed.reading("b") == {}
    assert typed.reading("a") == {"encoding": "cp949"}
