"""F1 says what this is, `?` which keys there are; both from what really works at the moment."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual import events

from chargru.tui.screens.help import EVERYWHERE, HERE, SCREEN, KeyRow, key_groups, key_name, tables
from chargru.tui.widgets.prompt import PromptArea
from tests.tui.fakes import assert_sound, make_app, press, until, words_on


def test_keys_as_people_write_them() -> None:
    keys = {"f8": "F8", "question_mark": "?", "ctrl+q": "ctrl+q", "escape": "esc", "f": "f", "less_than_sign": "<"}
    assert {key: key_name(key) for key in keys} == keys


def test_a_table_keeps_its_columns() -> None:
    groups = [("Here", [KeyRow("a", "word " * 12), KeyRow("ctrl+x", "short")])]
    lines = tables(groups, 40).plain.split("\n")
    assert lines[0] == "Here"
    assert all(cell_len(line) <= 40 for line in lines)
    assert lines[1].startswith("     a  word")
    assert lines[2].startswith(" " * 8 + "word")
    assert lines[-1] == "ctrl+x  short"


@pytest.mark.long
async def test_groups_and_the_way_between_help_and_all_keys() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "there was tales." in words_on(app))
        groups = {name: {row.keys: row.told for row in rows} for name, rows in key_groups(app.screen)}
        assert {HERE, SCREEN, EVERYWHERE} <= set(groups)
        assert groups[EVERYWHERE]["F2"] == "Corpus"
        assert groups[EVERYWHERE]["m ctrl+o"] == "Give the focused panel the whole screen"
        assert groups[EVERYWHERE]["ctrl+q F10"] == "Quit"
        assert "ctrl+s" not in groups[EVERYWHERE]
        app.copy("text", "it")
        assert "ctrl+s" in {row.keys for _, rows in key_groups(app.screen) for row in rows}

        await press(pilot, "f1")
        await until(pilot, lambda: "This panel:" in words_on(app))
        assert_sound(app)
        assert "Everywhere" not in words_on(app)
        await press(pilot, "question_mark")
        await until(pilot, lambda: "Everywhere" in words_on(app) or "all keys" in words_on(app))
        assert "This panel:" not in words_on(app)
        assert_sound(app)
        await press(pilot, "question_mark")
        await until(pilot, lambda: len(app.screen_stack) == 1)


@pytest.mark.long
async def test_a_question_mark_can_be_typed() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f4")
        await until(pilot, lambda: app.current_mode == "play" and isinstance(app.focused, PromptArea))
        app.post_message(events.Key("question_mark", "?"))
        app.post_message(events.Key("m", "m"))
        prompt = app.screen.query_one(PromptArea)
        await until(pilot, lambda: prompt.text == "?m")
        assert len(app.screen_stack) == 1
        assert app.screen.maximized is None
