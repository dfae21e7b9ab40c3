"""The list of models: filtered as one types, chosen by keys and mouse, names are data."""

from __future__ import annotations

import pytest

from chargru.tui.widgets.picker import ModelSelect, PickerScreen, entry, matching
from tests.tui.fakes import HOSTILE, FakeModels, assert_sound, make_app, press, settle, until, words_on


def test_every_typed_word_has_to_be_there() -> None:
    entries = [entry("a", "tales-1", "tales · GRU 256"), entry("b", "tales-2", "GRU 512"), entry("c", "한글", "notes")]
    assert [each.value for each in matching(entries, "")] == ["a", "b", "c"]
    assert [each.value for each in matching(entries, "TALES gru")] == ["a", "b"]
    assert [each.value for each in matching(entries, "512 ta")] == ["b"]
    assert [each.value for each in matching(entries, "한")] == ["c"]
    assert matching(entries, "x") == []


@pytest.mark.long
async def test_a_model_is_found_among_many_and_chosen() -> None:
    names = [f"run-{number}" for number in range(60)]
    models = FakeModels(*names, *HOSTILE)
    app = make_app(models=models)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f4")
        await until(pilot, lambda: "model run-0" in words_on(app))
        select = app.screen.query_one(ModelSelect)
        select.focus()
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, PickerScreen))
        await settle(pilot)
        assert f"{60 + len(HOSTILE)} of {60 + len(HOSTILE)}" in words_on(app)
        await press(pilot, "pagedown", "down", "up")
        assert_sound(app)
        await press(pilot, *"n-4")
        assert "11 of" in words_on(app)
        await press(pilot, "down", "enter")
        await until(pilot, lambda: "model run-40" in words_on(app))
        assert app.screen.query_one("#prompt").has_focus

        await pilot.click(ModelSelect)
        await until(pilot, lambda: isinstance(app.screen, PickerScreen))
        await press(pilot, *"zzz", "enter", "escape")
        await until(pilot, lambda: not isinstance(app.screen, PickerScreen))
        assert select.value == "run checkpoints/run-40"
        assert app.screen.query_one("#prompt").has_focus
        await pilot.click(ModelSelect)
        await until(pilot, lambda: isinstance(app.screen, PickerScreen))
        for _ in range(4):
            await press(pilot, "pagedown")
            assert_sound(app)
        await pilot.click("#picker-list", offset=(4, 2))
        await until(pilot, lambda: not isinstance(app.screen, PickerScreen))
        assert select.value != "run checkpoints/run-40"
