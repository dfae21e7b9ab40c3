"""A tour through every screen and every state, at the smallest and the largest size that the app is designed for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargru.config import TrainRequest
from chargru.events import Failed, Finished, Paused, Recovered, Resumed
from chargru.tui.messages import TrainingWanted
from chargru.tui.state import Phase
from chargru.tui.widgets.texts import PathInput
from tests.tui.fakes import (
    FakeRunner,
    assert_sound,
    hear,
    make_app,
    painted,
    press,
    progress,
    saved,
    settle,
    some_training,
    started,
    until,
    words_on,
)


def wanted() -> TrainingWanted:
    return TrainingWanted(TrainRequest(corpus="tales", time=30))


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), pytest.param((160, 48), marks=pytest.mark.long)])
async def test_every_screen_and_every_state(size: tuple[int, int]) -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "there was tales." in words_on(app))
        assert "1.1 M characters · 65 distinct" in words_on(app)
        assert "utf-8 · Latin" in words_on(app)
        assert_sound(app)
        for key, words in (
            ("f3", "Nothing is training yet"),
            ("f4", "No model yet"),
            ("f6", "Nothing was trained yet"),
        ):
            await press(pilot, key)
            await until(pilot, lambda words=words: words in words_on(app))
            assert_sound(app)

        await press(pilot, "f2", "enter")
        await until(pilot, lambda: app.current_mode == "train")
        assert runner.requests == [TrainRequest(corpus="tales", time=180.0)]
        assert "Starting Reading tales" in words_on(app)
        assert_sound(app)
        await hear(pilot, app, started())
        await until(pilot, lambda: "the first numbers come in a moment" in words_on(app))

        await hear(pilot, app, *some_training()[1:])
        await until(pilot, lambda: "The king was in his garden" in words_on(app))
        for words in ("training 61%", "GRU 2×256", "58k ch/s", "1:50<1:09", "◆", "•"):
            assert words in words_on(app), words
        assert_sound(app)

        await hear(pilot, app, Paused(1840))
        assert "F8 goes on" in words_on(app)
        assert_sound(app)
        await hear(pilot, app, Resumed(1840), Recovered(1850, 1800, 1, 3e-3, "the loss was not finite"), progress(1830))
        assert "Recovered the loss was not finite" in words_on(app)
        assert "✗ recovered" in words_on(app)
        assert_sound(app)

        await hear(pilot, app, Finished("done", "checkpoints/tales/best", 1.52, 3000, 180.0, 57_000.0))
        assert "F4 plays with it" in words_on(app)
        assert app.training.phase is Phase.FINISHED
        assert_sound(app)


@pytest.mark.long
async def test_a_worker_that_died_and_one_training_at_a_time() -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=(100, 30)) as pilot:
        app.post_message(wanted())
        await until(pilot, lambda: app.current_mode == "train")
        await hear(pilot, app, Failed("the training process was killed", ""))
        assert "the training process was killed" in words_on(app)
        assert "r goes on" not in words_on(app)
        assert_sound(app)

        app.post_message(wanted())
        await until(pilot, lambda: len(runner.requests) == 2)
        await hear(pilot, app, started(), progress(20), saved(20))
        app.post_message(wanted())
        await until(pilot, lambda: any("x on F3 stops it first" in each.message for each in app._notifications))
        assert len(runner.requests) == 2

        await hear(pilot, app, Failed("the training process was killed again", "resume the run"))
        assert "r goes on from there" in words_on(app)
        await press(pilot, "r")
        await until(pilot, lambda: len(runner.requests) == 3)
        assert runner.requests[2] == TrainRequest(resume="checkpoints/tales")


async def test_a_terminal_that_is_too_small_says_so() -> None:
    app = make_app()
    async with app.run_test(size=(50, 15)) as pilot:
        await settle(pilot)
        assert "at least 60 × 18" in words_on(app)
        assert "library" not in words_on(app)
        await pilot.resize_terminal(60, 18)
        await until(pilot, lambda: "library" in words_on(app) and "Start ⏎" in words_on(app))
        assert "at least 60 × 18" not in words_on(app)
        assert_sound(app)


@pytest.mark.parametrize(
    ("spec", "known"), [pytest.param("python-reference", True, marks=pytest.mark.long), ("notes/own.txt", False)]
)
async def test_a_corpus_of_the_command_line_is_chosen(spec: str, known: bool) -> None:
    runner = FakeRunner()
    app = make_app(spec, runner=runner)
    words = f"there was {spec}." if known else "chargru corpora lists what there is"
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: words in words_on(app))
        assert (app.screen.query_one(PathInput).spec == spec) is not known
        await press(pilot, "enter")
        if known:
            await until(pilot, lambda: runner.requests)
            assert runner.requests[0].corpus == spec
        else:  # what cannot be read is said before a training begins
            await until(pilot, lambda: any("there is no text" in each.message for each in app._notifications))
            assert runner.requests == []


@pytest.mark.long
async def test_without_colours_series_are_told_apart_by_glyph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        app.post_message(wanted())
        await until(pilot, lambda: app.current_mode == "train")
        await hear(pilot, app, *some_training())
        chart = "\n".join(line[:60] for line in painted(app)[3:18])
        assert "•" in chart
        assert any(0x2800 < ord(glyph) < 0x2900 for glyph in chart)
        assert_sound(app)

        await app.run_action("toggle_plain", app.screen)
        await settle(pilot)
        chart = "\n".join(line[:60] for line in painted(app)[3:18])
        assert "o" in chart.split("steps")[0]
        assert not any(0x2800 < ord(glyph) < 0x2900 for glyph in chart)


@pytest.mark.long
async def test_other_themes_paint_the_chart_too() -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        app.post_message(wanted())
        await until(pilot, lambda: app.current_mode == "train")
        for theme in ("textual-light", "ansi-dark", "chargru"):
            app.theme = theme
            await hear(pilot, app, *some_training(400))
            assert "◆" in words_on(app), theme
            assert_sound(app)


@pytest.mark.long
async def test_tasks_do_not_start_before_their_screen_is_on_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual asks for eager tasks from Python 3.12 on; on 3.11 a stand-in takes their place in this test."""

    def eager(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coroutine, loop=loop, **options)

    monkeypatch.setattr(asyncio, "eager_task_factory", eager, raising=False)
    loop, app = asyncio.get_running_loop(), make_app()
    running = asyncio.create_task(app.run_async(headless=True))
    try:
        while not (app.is_running and app.screen_stack and app.screen.query("#preview-facts")):
            assert not running.done()
            await asyncio.sleep(0.01)
        assert loop.get_task_factory() is None
    finally:
        loop.set_task_factory(None)
        app.exit()
        await running
