"""What is the same on every screen: ASCII, no colours, toasts, maximised panels, and what is kept for the next time."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from chargru.config import TrainRequest
from chargru.tui import shell
from chargru.tui.app import ChargruApp
from chargru.tui.messages import TrainingWanted
from chargru.tui.remembered import Remembered
from chargru.tui.widgets.prompt import PromptArea
from tests.tui.fakes import (
    NASTY,
    FakeModels,
    assert_sound,
    hear,
    make_app,
    painted,
    press,
    settle,
    some_training,
    until,
    words_on,
)


async def tour(pilot: Pilot[int], app: ChargruApp) -> Iterable[str]:
    """Every screen with something on it, and the panels in front of them; yields their names."""
    await until(pilot, lambda: "there was tales." in words_on(app))
    yield "corpus"
    for key, words in (("f1", "On this screen"), ("question_mark", "Everywhere")):
        await press(pilot, key)
        await until(pilot, lambda words=words: words in words_on(app))
        yield key
        await press(pilot, "escape")
    await press(pilot, "ctrl+p")
    await until(pilot, lambda: "Start training" in words_on(app))
    yield "palette"
    await press(pilot, "escape", "escape")
    app.tell("a toast", severity="warning", title="of warning")
    app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
    await until(pilot, lambda: app.current_mode == "train")
    await hear(pilot, app, *some_training())
    yield "train"
    await press(pilot, "f4")
    await until(pilot, lambda: app.current_mode == "play" and app.screen.query(PromptArea))
    await press(pilot, "o", "h", "enter")
    await until(pilot, lambda: "it rained." in words_on(app))
    yield "play"
    await press(pilot, "f6")
    await until(pilot, lambda: "old-run" in words_on(app))
    yield "runs"


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_in_ascii_nothing_else_is_drawn(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file.txt").write_text("text")
    monkeypatch.chdir(tmp_path)
    app = make_app(models=FakeModels("old-run"))
    app.remembered.change("app", characters="ascii")
    async with app.run_test(size=size, notifications=True) as pilot:
        async for name in tour(pilot, app):
            wrong = [line for line in painted(app) if not line.replace("한", "").isascii()]  # which is data
            assert wrong == [], name
            assert_sound(app)
        app.action_characters("unicode")
        await until(pilot, lambda: not all(line.isascii() for line in painted(app)))
        app.action_characters("ascii")
        await until(pilot, lambda: all(line.isascii() for line in painted(app)))


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_no_color_leaves_none_on_any_screen(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(models=FakeModels("old-run"))
    async with app.run_test(size=size, notifications=True) as pilot:
        async for name in tour(pilot, app):
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    style = segment.style
                    assert style is not None
                    for colour in (style.color, style.bgcolor):
                        assert colour is None or colour.is_default, (name, segment)
            assert_sound(app)
            if name == "palette":
                (chosen,) = [line for line in styled(app, "reverse") if "Start training" in line]
                assert chosen
        app.theme = "chargru-light"  # no theme brings colours back
        await settle(pilot)
        assert all(s.style.color is None or s.style.color.is_default for s in segments(app))


def segments(app: ChargruApp) -> list[object]:
    return [segment for strip in app.screen._compositor.render_strips() for segment in strip]


def styled(app: ChargruApp, attribute: str) -> list[str]:
    """What has this attribute, line by line."""
    lines = []
    for strip in app.screen._compositor.render_strips():
        words = "".join(each.text for each in strip if each.style is not None and getattr(each.style, attribute))
        if words.strip():
            lines.append(words)
    return lines


@pytest.mark.long
async def test_focus_shows_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "there was tales." in words_on(app))
        app.screen.query(OptionList).first().focus()
        await settle(pilot)
        assert "┏" in painted(app)[1]
        assert any("tales" in line for line in styled(app, "reverse"))
        app.screen.query_one("#preview").focus()
        await settle(pilot)
        assert painted(app)[1].index("┏") > 20


@pytest.mark.long
async def test_a_panel_takes_the_whole_screen_and_gives_it_back() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "there was tales." in words_on(app))
        preview = app.screen.query_one("#preview")
        preview.focus()
        await until(pilot, lambda: preview.has_focus)
        await press(pilot, "m")
        await until(pilot, lambda: preview.outer_size == (80, 22))
        assert "esc Back" in painted(app)[-1]
        assert "chargru" in painted(app)[0]
        assert "library" not in words_on(app)
        assert_sound(app)
        await press(pilot, "escape")
        await until(pilot, lambda: preview.outer_size.width < 60 and "library" in words_on(app))
        await press(pilot, "m", "m")
        await until(pilot, lambda: preview.outer_size.width < 60)
        await press(pilot, "f4")
        await until(pilot, lambda: app.current_mode == "play" and isinstance(app.focused, PromptArea))
        prompt = app.focused
        assert prompt is not None
        await press(pilot, "m", "ctrl+o")
        await until(pilot, lambda: prompt.outer_size == (80, 22))
        assert isinstance(prompt, PromptArea)
        assert prompt.text == "m"
        commands = {command.title: command.callback for command in app.get_system_commands(app.screen)}
        commands["All panels"]()
        await until(pilot, lambda: prompt.outer_size.height < 10)


async def test_long_and_hostile_toasts() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.tell(NASTY * 40, severity="error", title=NASTY)
        await settle(pilot)
        await until(pilot, lambda: "[/bold]" in words_on(app))
        assert_sound(app)
        (toast,) = app._notifications
        assert len(toast.message) < 2 * shell.TOAST_LIMIT
        assert not toast.markup


@pytest.mark.long
async def test_choices_are_written_after_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "WRITE_AFTER", 0.01)
    path = tmp_path / "config.toml"
    app = make_app(remembered=Remembered(path))
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = "chargru-light"
        await press(pilot, "f6")
        await until(pilot, lambda: path.exists() and tomllib.loads(path.read_text())["app"].get("screen") == "runs")
        await until(pilot, lambda: tomllib.loads(path.read_text())["app"].get("theme") == "chargru-light")
    again = make_app(remembered=Remembered(path))
    async with again.run_test(size=(80, 24)):
        assert (again.current_mode, again.theme) == ("runs", "chargru-light")
    Remembered(path)


async def test_a_corpus_given_or_an_empty_train_screen_opens_corpus() -> None:
    for screen, corpus in (("train", None), ("play", "tales")):
        remembered = Remembered(None)
        remembered.change("app", screen=screen)
        app = make_app(corpus, remembered=remembered)
        async with app.run_test(size=(80, 24)):
            assert app.current_mode == "corpus"


async def test_what_is_wrong_in_the_file_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[play]\ntemperature = -3\n[app]\ntheme = 'mauve'\n")
    app = make_app(remembered=Remembered(path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app._notifications) == 1)
        (toast,) = app._notifications
        assert "config.toml: play.temperature must be at least 0, not -3; using 0.8" in toast.message
        assert "no theme 'mauve'" in toast.message
        app._tell_once(app.remembered.problems)
        await settle(pilot)
        assert len(app._notifications) == 1


async def test_no_color_does_not_change_the_remembered_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    remembered = Remembered(None)
    remembered.change("app", theme="chargru-light")
    app = make_app(remembered=remembered)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert app.theme == "chargru-terminal"
    assert remembered.app.theme == "chargru-light"
