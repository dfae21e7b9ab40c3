"""Keys do what the footer says: on every screen, and in every state of a training."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from textual.app import SystemCommand

from chargru.config import TrainRequest
from chargru.events import Paused, Resumed
from chargru.tui import leaving
from chargru.tui.app import SAVE_GRACE, ChargruApp
from chargru.tui.messages import TrainingWanted
from chargru.tui.state import Phase
from chargru.tui.widgets.budget import TimeInput
from chargru.tui.widgets.keybar import Key, KeyBar, arrange
from chargru.tui.widgets.texts import PathInput
from tests.tui.fakes import FakeModels, FakeRunner, hear, make_app, painted, press, progress, started, until, words_on


def footer(app: ChargruApp) -> str:
    return painted(app)[-1].rstrip()


def palette(app: ChargruApp) -> dict[str, SystemCommand]:
    return {command.title: command for command in app.get_system_commands(app.screen)}


async def train(app: ChargruApp) -> None:
    app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))


@pytest.mark.long
async def test_the_keys_of_a_training() -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "F8" not in footer(app)
        assert {"Corpus", "Play", "Start training", "Help", "Quit", "Theme"} <= set(palette(app))
        assert "Pause training" not in palette(app)
        await pilot.click(KeyBar, offset=(footer(app).index("Train"), 0))
        await until(pilot, lambda: app.current_mode == "train")
        await train(app)
        await until(pilot, lambda: "x Stop" in footer(app))
        await hear(pilot, app, started(), progress(20))
        assert footer(app) == "F2 Corpus F3 Train F4 Play F6 Runs F8 Pause s Save x Stop F1 Help ^q Quit"
        await palette(app)["Pause training"].callback()  # type: ignore[misc]
        await press(pilot, "s")
        await hear(pilot, app, Paused(20))
        assert "F8 Go on" in footer(app)
        await press(pilot, "f8")
        await hear(pilot, app, Resumed(20))
        await press(pilot, "x")
        assert runner.words == ["pause", "save", "resume", "stop"]
        assert app.training.phase is Phase.STOPPING
        await press(pilot, "x", "s", "f8")
        assert runner.words[-1] == "stop"
        assert len(runner.words) == 4

        await press(pilot, "f1")
        await until(pilot, lambda: "esc closes" in words_on(app))
        assert "Quit" in words_on(app)
        await press(pilot, "f4")  # a help panel in front is left behind
        await until(pilot, lambda: app.current_mode == "play")
        assert "esc closes" not in words_on(app)


@pytest.mark.long
async def test_the_keys_of_the_corpus_screen() -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "there was tales." in words_on(app))
        assert "⏎ Start" in footer(app)
        await press(pilot, "down")
        await until(pilot, lambda: "there was python-reference." in words_on(app))
        path = app.screen.query_one(PathInput)
        path.focus()
        await press(pilot, *"nowhere")
        await until(pilot, lambda: "there is no text" in words_on(app))
        await press(pilot, *["backspace"] * 7)
        await until(pilot, lambda: "there was python-reference." in words_on(app))
        await press(pilot, "tab", "tab", "right", "right", "right", "enter")
        await until(pilot, lambda: isinstance(app.focused, TimeInput))
        await press(pilot, "ctrl+u", "ctrl+k", *"soon", "enter")
        assert "a time looks like" in words_on(app)
        assert runner.requests == []
        await press(pilot, "ctrl+u", "ctrl+k", *"1:30", "enter")
        await until(pilot, lambda: runner.requests)
        assert runner.requests == [TrainRequest(corpus="python-reference", time=90.0)]


@pytest.mark.long
async def test_the_keys_of_the_runs_screen() -> None:
    runner = FakeRunner()
    app = make_app(runner=runner, models=FakeModels("tales-2", "tales-1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f6")
        await until(pilot, lambda: "tales-1" in words_on(app) and "⏎ Play" in footer(app))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: app.current_mode == "play" and "model tales-1" in words_on(app))
        await press(pilot, "f6")
        await until(pilot, lambda: app.current_mode == "runs")
        await press(pilot, "r")
        await until(pilot, lambda: runner.requests)
        assert runner.requests == [TrainRequest(resume="checkpoints/tales-1")]


def test_the_bar_keeps_a_short_key_where_a_long_one_before_it_has_no_room() -> None:
    keys = [Key("f2", "F2", "Corpus"), Key("x", "x", "Stop"), Key("f5", "F5 F7 F9", "Take"), Key("n", "^n", "Next")]
    assert [key.name for key in arrange(keys, 39)] == ["f2", "x", "f5", "n"]
    assert [key.name for key in arrange(keys, 38)] == ["f2", "x", "f5"]
    assert [key.name for key in arrange(keys, 30)] == ["f2", "x", "n"]


def test_the_bar_drops_the_last_of_the_screens_own_keys() -> None:
    keys = [Key("f1", "F1", "Help"), Key("x", "x", "Stop"), Key("ctrl+r", "^r", "Again"), Key("f2", "F2", "Corpus")]
    assert [key.name for key in arrange(keys, 80)] == ["f2", "x", "ctrl+r", "f1"]
    assert [key.name for key in arrange(keys, 34)] == ["f2", "x", "ctrl+r", "f1"]
    assert [key.name for key in arrange(keys, 33)] == ["f2", "x", "f1"]
    assert [key.name for key in arrange(keys, 5)] == ["f2", "f1"]
    keys += [Key("escape", "esc", "Back"), Key("f8", "F8", "Pause")]
    assert [key.name for key in arrange(keys, 80)] == ["f2", "f8", "escape", "x", "ctrl+r", "f1"]
    assert [key.name for key in arrange(keys, 30)] == ["f2", "escape", "f1"]
    assert [key.name for key in arrange(keys, 10)] == ["escape", "f1"]


@pytest.mark.parametrize("key", ["ctrl+q", pytest.param("f10", marks=pytest.mark.long)])
async def test_leaving_saves_a_training_first(key: str) -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=(80, 24)) as pilot:
        await train(app)
        await until(pilot, lambda: app.training.active)
        await hear(pilot, app, started(), progress(20))
        await press(pilot, key)
        await until(pilot, lambda: runner.closed)
        assert runner.closed == [SAVE_GRACE]
    assert app.return_code == 0


async def test_leaving_without_a_training_closes_nothing() -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=(80, 24)):
        app.leave(143)
    assert app.return_code == 143
    assert runner.closed == []


async def test_signals_come_through_the_loop() -> None:
    codes: list[int] = []
    undo = leaving.catch(codes.append)
    try:
        for each in (signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), each)
            await asyncio.sleep(0.01)
    finally:
        undo()
    assert codes == [143, 129]
