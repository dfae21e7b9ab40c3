"""The themes can be read: contrast of what is written to what it is written on, by the rule of WCAG 2."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.color import Color
from textual.theme import Theme

from chargru.tui.remembered import Remembered
from chargru.tui.theme import CONTRAST, DARK, LIGHT, TERMINAL, THEMES
from tests.tui.fakes import make_app

QUIET = 0.62  # how much of the foreground secondary text has
INKS = ("foreground", "primary", "accent", "success", "warning", "error", "secondary", "text-muted")


def luminance(color: Color) -> float:
    parts = [part / 255 for part in (color.r, color.g, color.b)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(ink: Color, paper: Color) -> float:
    light, dark = sorted((luminance(paper.blend(ink, ink.a, 1.0)), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def opaque(variables: dict[str, str]) -> dict[str, Color]:
    return {name: Color.parse(text) for name, text in variables.items() if text[:1] == "#" and "%" not in text}


def pairs(theme: Theme) -> Iterator[tuple[str, Color, Color]]:
    """(name, ink, paper) of what stands on what in the app."""
    app = make_app()
    app.theme = theme.name
    colors = opaque(app.get_css_variables())
    papers = {name: colors[name] for name in ("background", "surface")}
    for paper_name, paper in papers.items():
        for ink in INKS:
            yield f"{ink} on {paper_name}", colors[ink], paper
        yield f"secondary text on {paper_name}", colors["foreground"].with_alpha(QUIET), paper
    yield "text on panel", colors["foreground"], colors["panel"]
    for part in ("footer-key-foreground", "footer-description-foreground"):
        yield part, colors[part], colors["footer-background"]
    for cursor in ("block-cursor", "block-cursor-blurred"):
        ink, paper = colors[f"{cursor}-foreground"], colors[f"{cursor}-background"]
        yield cursor, ink, paper
    yield "button", colors["primary"].get_contrast_text(1.0), colors["primary"]


def test_contrast_is_that_of_the_rule() -> None:
    black, white = Color(0, 0, 0), Color(255, 255, 255)
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(white, white) == 1
    assert contrast(Color.parse("#767676"), white) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("theme", "least"), [(DARK, 4.5), (LIGHT, 4.5), (CONTRAST, 7.0)], ids=lambda v: str(v)[:24])
def test_everything_written_can_be_read(theme: Theme, least: float) -> None:
    short = {name: round(ratio, 2) for name, ink, paper in pairs(theme) if (ratio := contrast(ink, paper)) < least}
    assert short == {}


@pytest.mark.parametrize("theme", [DARK, LIGHT, CONTRAST], ids=lambda theme: theme.name)
def test_the_cursor_and_secondary_text_in_it_can_be_seen(theme: Theme) -> None:
    app = make_app()
    app.theme = theme.name
    value = opaque(app.get_css_variables())
    cursor = value["block-cursor-background"]
    assert contrast(value["foreground"].with_alpha(QUIET), cursor) >= 3.0
    assert contrast(cursor, value["background"]) >= 1.25
    assert contrast(value["border"], value["background"]) >= 3.0


def test_the_terminals_theme_names_no_color_of_its_own() -> None:
    app = make_app()
    app.theme = TERMINAL.name
    own = {name: value for name, value in app.get_css_variables().items() if value.startswith(("#", "rgb"))}
    assert own == {}


def test_no_theme_leaves_a_colour_to_the_background() -> None:
    """What paints itself (a chart, a table) has no background to choose black or white by."""
    app = make_app()
    for theme in (*[theme.name for theme in THEMES], "textual-light", "nord", "ansi-dark"):
        app.theme = theme
        variables = app.get_css_variables()
        assert not any("auto" in variables[name] for name in ("text-muted", "text-disabled")), theme


def test_the_theme_is_remembered_and_an_unknown_one_is_told() -> None:
    remembered = Remembered(None)
    remembered.change("app", theme="chargru-light")
    assert make_app(remembered=remembered).theme == "chargru-light"
    remembered.change("app", theme="no-such-theme")
    assert make_app(remembered=remembered).theme == "chargru"
    assert "no-such-theme" in remembered.problems[0]
