"""A stylesheet that remembers: each text is parsed once for each theme, to the rules that Textual's own would have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from textual.css import stylesheet as textual_stylesheet
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet, StylesheetParseError

from chargru.tui import stylesheet
from chargru.tui.stylesheet import KeepingStylesheet
from tests.tui.fakes import FakeRunner, make_app, settle


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, int]]:
    """How often each text was parsed with each rank among its widget's bases, from an empty memory on."""
    counts: Counter[tuple[str, int]] = Counter()
    parse = textual_stylesheet.parse

    def counting(scope: str, css: str, *rest: object, **options: object) -> Iterator[RuleSet]:
        counts[css, options["tie_breaker"]] += 1  # type: ignore[index]
        return parse(scope, css, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(textual_stylesheet, "parse", counting)
    monkeypatch.setattr(stylesheet, "PARSED", type(stylesheet.PARSED)(4))
    return counts


def looks(sheet: Stylesheet) -> list[str]:
    """Every rule as text: layouts have no equality."""
    return [
        repr((rule.selectors, rule.tie_breaker, rule.is_default_rules, rule.styles.get_rules())) for rule in sheet.rules
    ]


async def test_every_text_is_parsed_once_for_each_theme(parsed: Counter[tuple[str, int]]) -> None:
    app = make_app(runner=FakeRunner())
    async with app.run_test() as pilot:
        for mode in ("runs", "corpus"):
            await app.action_show_screen(mode)
            await settle(pilot)
        assert len(parsed) > 20
        assert set(parsed.values()) == {1}
        for theme in ("chargru-light", "chargru", "chargru-light"):
            app.theme = theme
            await settle(pilot)
        assert max(parsed.values()) == 2  # and one where a widget's rank has changed meanwhile
        own = Stylesheet(variables=app.get_css_variables())
        own.source = app.stylesheet.source
        own.parse()
        assert looks(own) == looks(app.stylesheet)


def test_new_variables_are_applied_and_an_error_leaves_the_rules() -> None:
    sheet = KeepingStylesheet(variables={"ink": "#010203"})
    sheet.add_source("Label { color: $ink; }")
    assert "#010203" in sheet.css
    sheet.set_variables({"ink": "#040506"})
    sheet.reparse()
    before = sheet.css
    assert "#040506" in before
    sheet.add_source("Label { colour: red; }")
    with pytest.raises(StylesheetParseError):
        sheet.reparse()
    sheet._require_parse = False
    assert sheet.css == before
