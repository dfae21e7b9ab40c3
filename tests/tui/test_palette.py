"""The palette offers what can be done now, in an order that helps, and finds it by what it does."""

from __future__ import annotations

import pytest
from textual.command import CommandList

from chargru.config import TrainRequest
from chargru.tui.messages import TrainingWanted
from chargru.tui.theme import THEMES
from tests.tui.fakes import FakeRunner, assert_sound, hear, make_app, press, some_training, until, words_on


def titles(app: object) -> list[str]:
    return [command.title for command in app.get_system_commands(app.screen)]  # type: ignore[attr-defined]


@pytest.mark.long
async def test_every_screen_has_its_commands_first_and_all_have_words() -> None:
    app = make_app(runner=FakeRunner())
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "there was tales." in words_on(app))
        first = {}
        for key, mode in (("f2", "corpus"), ("f3", "train"), ("f4", "play"), ("f6", "runs")):
            await press(pilot, key)
            await until(pilot, lambda mode=mode: app.current_mode == mode and app.screen.is_mounted)
            found = list(app.get_system_commands(app.screen))
            first[mode] = found[0].title
            names = [command.title for command in found]
            assert len(names) == len(set(names)), mode
            assert all(command.title and command.help for command in found)
            assert {"Corpus", "Train", "Play", "Runs", "Theme", "Help", "All keys", "Quit"} <= set(names)
            assert {"Pause training", "Save now"}.isdisjoint(names)
        assert len(set(first.values())) >= 3
        app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
        await until(pilot, lambda: app.current_mode == "train")
        await hear(pilot, app, *some_training(100))
        assert {"Pause training", "Save now", "Stop training"} <= set(titles(app))
        assert "Go on training" not in titles(app)


@pytest.mark.long
async def test_a_command_is_found_by_its_title_and_by_what_it_does() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "there was tales." in words_on(app))
        await press(pilot, "ctrl+p")
        await until(pilot, lambda: app.screen.query(CommandList) and "Start training" in words_on(app))
        await press(pilot, *"light")
        await until(pilot, lambda: "Theme" in words_on(app) and "Start training" not in words_on(app))
        assert_sound(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "chargru-contrast" in words_on(app))
        lines = words_on(app)
        assert [lines.index(theme.name) for theme in THEMES] == sorted(lines.index(theme.name) for theme in THEMES)
        assert "dark: ink, teal and amber (now)" in lines
        await press(pilot, *"projector")
        await until(pilot, lambda: "chargru-contrast" not in words_on(app) and "chargru-light" in words_on(app))
        await press(pilot, "enter")
        await until(pilot, lambda: app.theme == "chargru-light")
        assert app.remembered.app.theme == "chargru-light"


@pytest.mark.long
async def test_characters_are_a_command() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        assert "Draw with ASCII only" in titles(app)
        commands = {command.title: command.callback for command in app.get_system_commands(app.screen)}
        commands["Draw with ASCII only"]()
        assert app.plain
        assert app.remembered.app.characters == "ascii"
        assert "Draw with ASCII only" not in titles(app)
