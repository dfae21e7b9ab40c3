"""The Train screen by keyboard and mouse: the chart, the samples, the log, and what they show of hostile texts."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from textual import events
from textual.geometry import Offset
from textual.pilot import Pilot

from chargru.config import TrainRequest
from chargru.events import Event, Finished, Landmarks, Notice, Paused, RateChanged, Recovered
from chargru.tui.app import ChargruApp
from chargru.tui.messages import TrainingWanted
from chargru.tui.widgets.canvas import PlotCanvas, line_dots
from chargru.tui.widgets.chart import LossChart
from chargru.tui.widgets.legend import LegendLine
from chargru.tui.widgets.log import EventLog
from chargru.tui.widgets.numbers import NumbersPanel
from chargru.tui.widgets.plot import LogPlot
from chargru.tui.widgets.sample import SamplePanel
from tests.tui.fakes import (
    HOSTILE,
    NASTY,
    FakeRunner,
    assert_sound,
    evaluated,
    hear,
    make_app,
    painted,
    press,
    progress,
    sampled,
    saved,
    settle,
    some_training,
    started,
    until,
    words_on,
)

LANDMARKS = Landmarks(4.17, 3.05, 2.05, 1.62, 1_003_854)


def grown(upto: int = 1000) -> list[Event]:
    """A training with landmarks and samples."""
    told: list[Event] = [started(), LANDMARKS]
    for step in range(0, upto + 1, 20):
        if step:
            told.append(progress(step))
        if step % 100 == 0:
            told += [evaluated(step), sampled(step, f"text of step {step}")]
    return told


async def begin(pilot: Pilot[int], *told: Event) -> ChargruApp:
    app = pilot.app
    assert isinstance(app, ChargruApp)
    app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
    await until(pilot, lambda: app.current_mode == "train")
    await hear(pilot, app, *told)
    return app


def chart_of(app: ChargruApp) -> LossChart:
    return app.screen.query_one(LossChart)


def legend(app: ChargruApp) -> str:
    line = app.screen.query_one(LegendLine)
    return painted(app)[line.region.y][line.region.x : line.region.right]


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), pytest.param((160, 48), marks=pytest.mark.long)])
async def test_a_tour_of_the_chart(size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await begin(pilot, *grown(), RateChanged(500, 6.4e-3, 1.25), Recovered(1010, 1000, 1, 2e-3, "not finite"))
        chart = chart_of(app)
        assert app.focused is chart
        for words in ("uniform 4.17", "letters 3.05", "3-gram 2.05", "5-gram 1.62", "▲", "✗", "◆", "3.0"):
            assert words in words_on(app), words
        assert_sound(app)

        await press(pilot, "b")
        assert "uniform 6.02" in words_on(app)
        assert app.remembered.chart.units == "bits"
        await press(pilot, "g")
        assert "uniform" not in "".join(painted(app)[5:12])
        await press(pilot, "l")
        assert (app.remembered.chart.axis, app.remembered.chart.landmarks) == ("linear", False)
        assert "l linear" in words_on(app)
        assert_sound(app)

        await press(pilot, "f")
        low, high = chart.viewport.window(*chart.span())
        assert chart.viewport.following
        assert high - low == pytest.approx((chart.span()[1]) / 3)
        assert "0 all steps" in legend(app)
        await press(pilot, "plus", "plus", "minus")
        assert chart.viewport.following
        await press(pilot, "shift+left")
        assert not chart.viewport.following
        await press(pilot, "0")
        assert chart.viewport.whole
        assert_sound(app)


@pytest.mark.long
async def test_the_crosshair_by_keys() -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, *grown())
        chart = chart_of(app)
        assert chart.crosshair is None
        await press(pilot, "left")
        told = chart.crosshair
        assert told is not None
        assert told.step == 1000
        assert told.val_loss == evaluated(1000).val_loss
        assert told.gap is not None
        smooth = app.training.smooth.last
        assert smooth is not None
        for words in ("step 1,000", f"{smooth[1]:.3f}", f"({progress(1000).loss:.3f} raw)", f"• {told.val_loss:.3f}"):
            assert words in legend(app), words
        await press(pilot, "left", "left")
        told = chart.crosshair
        assert told is not None
        assert told.step < 1000
        assert "@900" in legend(app)
        await press(pilot, "b")
        assert f"{progress(told.step).loss / math.log(2):.3f} raw" in legend(app)
        await press(pilot, "home")
        assert "step 20" in legend(app)
        await press(pilot, "f", "right")  # what is shown moves to where the crosshair is
        low, high = chart.viewport.window(*chart.span())
        assert chart.crosshair is not None
        assert low <= chart.crosshair.step <= high
        assert_sound(app)
        await press(pilot, "escape")
        assert chart.crosshair is None
        assert "validation" in legend(app)


@pytest.mark.long
async def test_the_chart_by_mouse() -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, *grown())
        chart, plot = chart_of(app), app.screen.query_one(LogPlot)
        middle = (plot.columns // 2, plot.rows // 2)
        await pilot.hover("#plot", offset=middle)
        assert chart.crosshair is not None
        assert abs(chart.crosshair.step - plot.step_at(middle[0])) <= 20
        await pilot.hover("#sample-panel")
        assert chart.crosshair is None

        await pilot.click("#plot", offset=middle)
        pinned = chart.crosshair
        assert pinned is not None
        await pilot.hover("#plot", offset=(5, 3))
        assert chart.crosshair == pinned
        await pilot.click("#plot", offset=middle)  # once more on it: it is free again
        await pilot.hover("#sample-panel")
        assert chart.crosshair is None

        around = plot.step_at(middle[0])
        canvas = app.screen.query_one("#plot", PlotCanvas)
        at = canvas.region.offset + Offset(*middle)
        wheel = events.MouseScrollUp(canvas, *middle, 0, -1, 0, False, False, False, at.x, at.y)
        app.screen._forward_event(wheel)
        await settle(pilot)
        low, high = chart.viewport.window(*chart.span())
        assert 0 < low < around < high < 1000
        assert plot.step_at(middle[0]) == pytest.approx(around, rel=0.01)

        before = chart.viewport.window(*chart.span())
        await pilot.mouse_down("#plot", offset=(middle[0], 3))
        await pilot.hover("#plot", offset=(middle[0] + 8, 3))
        await pilot.mouse_up("#plot", offset=(middle[0] + 8, 3))
        after = chart.viewport.window(*chart.span())
        assert after[0] < before[0]
        assert after[1] - after[0] == pytest.approx(before[1] - before[0])
        await pilot.hover("#sample-panel")
        assert chart.crosshair is None


@pytest.mark.long
async def test_a_click_on_the_legend_hides_a_series_or_turns_a_switch() -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, *grown())

        def dots() -> int:
            return sum(0x2800 < ord(glyph) < 0x2900 for line in painted(app)[3:16] for glyph in line[:60])

        assert dots() > 30
        for word in ("train", "validation"):
            await pilot.click(LegendLine, offset=(legend(app).index(word), 0))
            await settle(pilot)
        assert dots() < 30
        assert "•" not in "".join(line[:60] for line in painted(app)[4:16])
        await pilot.click(LegendLine, offset=(legend(app).index("nats"), 0))
        await settle(pilot)
        assert app.remembered.chart.units == "bits"
        await pilot.click(LegendLine, offset=(0, 0))  # nothing there
        assert_sound(app)


@pytest.mark.long
async def test_looking_back_at_samples() -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, *grown())
        panel = app.screen.query_one(SamplePanel)
        assert "sample 11 of 11 · step 1,000" in words_on(app)
        for words in ("500 1.81 text of step 500", "0 4.12 text of step 0"):  # how it grew up
            assert words in words_on(app), words
        await press(pilot, "comma", "comma")
        assert not panel.live
        assert "sample 9 of 11 · step 800" in words_on(app)
        await hear(pilot, app, progress(1020), sampled(1020, "newer"))
        assert "sample 9 of 12 · step 800" in words_on(app)
        await press(pilot, "full_stop", "full_stop", "full_stop")
        assert panel.live
        await hear(pilot, app, sampled(1040, "newest"))
        assert "sample 13 of 13 · step 1,040" in words_on(app)

        panel.focus()
        await press(pilot, "home")
        assert "sample 1 of 13 · step 0" in words_on(app)
        await press(pilot, "pagedown", "up")
        assert "sample 10 of 13" in words_on(app)
        await press(pilot, "end")
        assert panel.live
        assert_sound(app)


@pytest.mark.long
async def test_panels_take_the_whole_screen_and_the_log_can_be_scrolled() -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, *grown(400), *(saved(step, best=step % 2 == 0) for step in range(1, 40)))
        log = app.screen.query_one(EventLog)
        assert "39 saved" in words_on(app)
        log.focus()
        await press(pilot, "home")
        await until(pilot, lambda: "0:24 ✓ 1 saved" in words_on(app))
        assert "39 saved" not in words_on(app)
        for kind in (LossChart, SamplePanel, NumbersPanel, EventLog):
            app.screen.query_one(kind).focus()
            await press(pilot, "m")
            await until(pilot, lambda kind=kind: isinstance(app.screen.maximized, kind))
            assert app.screen.query_one(kind).region.height >= 26
            assert_sound(app)
            await press(pilot, "m")
            await until(pilot, lambda: app.screen.maximized is None)


@pytest.mark.long
async def test_the_learning_rate_keys_and_their_marks() -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "f3")
        await press(pilot, "right_square_bracket")
        assert runner.words == []
        await begin(pilot, started(), progress(20))
        await press(pilot, "right_square_bracket", "left_square_bracket")
        assert runner.words == ["faster", "slower"]
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Faster", "Slower", "Nats or bits", "Zoom in", "Sample before"} <= titles
        await hear(pilot, app, RateChanged(20, 6.4e-3, 1.25), progress(40))
        assert "5.1e-3 ×1.25" in words_on(app)
        assert "20 learning rate 6.4e-3" in words_on(app)


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_hostile_samples_and_notices(size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await begin(pilot, started(corpus=NASTY, device=NASTY), *(Notice(text) for text in HOSTILE))
        assert_sound(app)
        await hear(pilot, app, progress(20), evaluated(20), *(sampled(20 + n, text) for n, text in enumerate(HOSTILE)))
        assert_sound(app)
        for _ in HOSTILE:
            await press(pilot, "comma")
            assert_sound(app)
        app.screen.query_one(EventLog).focus()
        await press(pilot, "m", "home")
        assert_sound(app)
        assert app.is_running


@pytest.mark.long
async def test_a_run_that_went_on_and_text_without_validation() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await begin(pilot, started(step=5000, fraction=0.5), *(progress(step, 9000) for step in range(5020, 5400, 20)))
        assert chart_of(app).span()[0] > 4900
        assert "▸" not in "".join(painted(app)[5:12])  # it went on before the first step that is shown
        await press(pilot, "left", "b", "g", "f", "0")
        assert "apart" not in legend(app)
        assert_sound(app)


@pytest.mark.long
async def test_in_ascii_nothing_else_is_drawn() -> None:
    app = make_app()
    app.remembered.change("app", characters="ascii")
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, *some_training(), LANDMARKS, progress(1860))
        await press(pilot, "left")
        assert "## " in legend(app)
        await press(pilot, "escape")
        assert "## train  o validation" in legend(app)
        chart = "".join(line[:66] for line in painted(app)[3:18])
        assert "##" in chart
        assert "o" in chart
        assert chart.isascii()


def test_a_line_has_no_holes() -> None:
    dots = list(line_dots([(0, 0), (7, 3), (7, -4)]))
    assert dots[0] == (0, 0)
    assert dots[-1] == (7, -4)
    assert all(abs(x1 - x0) <= 1 and abs(y1 - y0) <= 1 for (x0, y0), (x1, y1) in pairwise(dots))
    assert list(line_dots([(3, 4)])) == [(3, 4)]


@pytest.mark.long
async def test_the_way_on_can_be_clicked() -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, *grown(200), Paused(200))
        line = next(line for line in painted(app) if "goes on" in line)
        await pilot.click("#banner", offset=(line.index("goes on"), 0))
        assert runner.words == ["resume"]
        await hear(pilot, app, Finished("done", "checkpoints/tales/best", 1.52, 3000, 180.0, 57_000.0))
        row = next(row for row, line in enumerate(painted(app)) if "plays with it" in line)
        column = painted(app)[row].index("plays with it")
        banner = app.screen.query_one("#banner")
        await pilot.click("#banner", offset=(column, row - banner.region.y))
        await until(pilot, lambda: app.current_mode == "play")
