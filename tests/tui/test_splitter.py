"""The divider between columns: by keys, by the mouse, remembered, and never beyond what there is."""

from __future__ import annotations

import pytest
from textual.widget import Widget

from chargru.tui.remembered import Remembered
from chargru.tui.widgets.splitter import LEAST, STEP, Splitter
from tests.tui.fakes import assert_sound, make_app, press, settle, until, words_on


@pytest.mark.long
async def test_keys_and_the_mouse_move_it_and_it_is_remembered() -> None:
    remembered = Remembered(None)
    app = make_app(remembered=remembered)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "there was tales." in words_on(app))
        sources, preview = app.screen.query_one("#corpus-sources"), app.screen.query_one("#preview")
        splitter = app.screen.query_one(Splitter)
        designed = sources.outer_size.width
        await press(pilot, "greater_than_sign")
        await until(pilot, lambda: sources.outer_size.width == designed + STEP)
        assert sources.outer_size.width + preview.outer_size.width + 1 == 120
        await press(pilot, "less_than_sign", "less_than_sign")
        await until(pilot, lambda: sources.outer_size.width == designed - STEP)
        assert remembered.layout.corpus == pytest.approx((designed - STEP) / 120, abs=0.001)

        await pilot.mouse_down(splitter, offset=(0, 3))
        await pilot.hover(None, offset=(70, 10))
        await pilot.mouse_up(None, offset=(70, 10))
        await until(pilot, lambda: sources.outer_size.width == 70)
        await pilot.mouse_down(splitter, offset=(0, 3))
        await pilot.hover(None, offset=(119, 10))
        await pilot.mouse_up(None, offset=(119, 10))
        await until(pilot, lambda: preview.outer_size.width == LEAST)
        assert_sound(app)

        await pilot.resize_terminal(160, 48)
        await until(pilot, lambda: sources.outer_size.width == round(remembered.layout.corpus * 160))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not splitter.is_on_screen and sources.outer_size.width < 60)
        assert_sound(app)
        await pilot.resize_terminal(120, 30)
        await until(pilot, lambda: sources.outer_size.width == 99)
        await pilot.click(splitter, offset=(0, 3), times=2)
        await until(pilot, lambda: sources.outer_size.width == designed)
        assert remembered.layout.corpus == 0


async def test_it_opens_where_it_was_left() -> None:
    remembered = Remembered(None)
    remembered.change("layout", corpus=0.5)
    app = make_app(remembered=remembered)
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        await until(pilot, lambda: app.screen.query_one("#corpus-sources", Widget).outer_size.width == 60)


def test_a_side_is_left_or_right() -> None:
    with pytest.raises(ValueError, match="left or"):
        Splitter("#preview", name="corpus", side="above")
