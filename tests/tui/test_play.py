"""The Play screen: which model answers, what happens to the prompt, and what is said when something cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from chargru.config import SamplingConfig, TrainRequest
from chargru.errors import ConfigError, RunError
from chargru.events import Failed, Saved
from chargru.tui.app import ChargruApp
from chargru.tui.messages import CompletionGrew, GhostSeen, PromptRead, TrainingWanted
from chargru.tui.remembered import Remembered
from chargru.tui.screens.play import PlayScreen
from chargru.tui.widgets.completion import CompletionCard, CompletionGrid
from chargru.tui.widgets.info import InfoLine
from chargru.tui.widgets.prompt import PromptArea
from chargru.tui.widgets.sampling import FIELDS, SamplingBar, SettingInput, sampling_from
from chargru.tui.widgets.strip import NextStrip
from tests.tui.fakes import (
    FakeCopies,
    FakeModel,
    FakeModels,
    FakeRunner,
    assert_sound,
    hear,
    make_app,
    painted,
    press,
    progress,
    saved,
    settle,
    started,
    until,
    words_on,
)

DEFAULTS = {field.name: field.default for field in FIELDS}
WRITTEN = [" and then it rained.", " and then it rained. 2", " and then it rained. 3"]


def screen_of(app: ChargruApp) -> PlayScreen:
    assert isinstance(app.screen, PlayScreen)
    return app.screen


def texts(app: ChargruApp) -> list[str]:
    """The texts on the cards in use, once they are written."""
    cards = app.screen.query_one(CompletionGrid).cards
    return [card.text for card in cards] if not any(card.writing for card in cards) else []


def area_of(app: ChargruApp) -> PromptArea:
    return app.screen.query_one(PromptArea)


async def play(pilot: Pilot[int], app: ChargruApp) -> None:
    """To the Play screen with the first run chosen."""
    await press(pilot, "f4")
    await until(pilot, lambda: "model tales-1" in words_on(app))


async def train(pilot: Pilot[int], app: ChargruApp) -> None:
    app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
    await until(pilot, lambda: app.training.active)
    await hear(pilot, app, started(), progress(20))
    await press(pilot, "f4")
    await until(pilot, lambda: "model tales · live" in words_on(app))


@pytest.mark.long
async def test_prompt_completions_reroll_accept_and_undo() -> None:
    model = FakeModel(notes=("™ is read as TM",))
    app = make_app(models=FakeModels("tales-1", model=model))
    async with app.run_test(size=(100, 30)) as pilot:
        await play(pilot, app)
        await press(pilot, *"Once", "ctrl+j", *"upon", "enter")
        await until(pilot, lambda: texts(app) == WRITTEN)
        (asked, sampling) = model.asked[0]
        assert (asked, sampling.with_(seed=None)) == ("Once\nupon", SamplingConfig(count=3, length=200))
        assert sampling.seed is not None  # drawn here, so that a better model can be asked for the same
        for words in ("1 · −1.00", "3 · −1.20", "™ is read as TM", "model at step 3,000", "F7", str(sampling.seed)):
            assert words in words_on(app), words
        assert_sound(app)

        seed = app.screen.query_one("#setting-seed", SettingInput)
        seed.value = "7"
        await press(pilot, "ctrl+r")
        await until(pilot, lambda: len(model.asked) == 2)
        assert (seed.value, model.asked[1][1].seed) == ("8", 8)
        await until(pilot, lambda: texts(app) == WRITTEN)

        await press(pilot, "f7")
        area = area_of(app)
        assert area.text == "Once\nupon" + WRITTEN[1]
        assert area.has_focus
        await press(pilot, "ctrl+z")
        assert area.text == "Once\nupon"


@pytest.mark.long
async def test_cards_take_branch_copy_and_take_back(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    app = make_app(models=FakeModels("tales-1", model=model))
    copied: list[tuple[str, str]] = []
    async with app.run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(app, "copy", lambda text, what: copied.append((text, what)))
        await play(pilot, app)
        await press(pilot, *"Once", "enter")
        await until(pilot, lambda: texts(app) == WRITTEN)
        cards = app.screen.query_one(CompletionGrid).cards
        cards[2].focus()
        await press(pilot, "y")
        assert copied == [("Once" + WRITTEN[2], "the prompt with completion 3")]
        await press(pilot, "2")  # the digit of another card
        assert area_of(app).text == "Once" + WRITTEN[1]
        cards[0].focus()
        await press(pilot, "u")
        assert area_of(app).text == "Once"
        cards[1].focus()
        await press(pilot, "b")
        assert area_of(app).text == "Once" + WRITTEN[1]
        await until(pilot, lambda: len(model.asked) == 2 and len(texts(app)) == 3)
        assert model.asked[1][0] == "Once" + WRITTEN[1]
        cards[0].focus()
        await press(pilot, "u", "u")
        assert (area_of(app).text, texts(app)) == ("Once", WRITTEN)
        await pilot.click(cards[0], offset=(5, 2), times=2)
        await settle(pilot)
        assert area_of(app).text == "Once" + WRITTEN[0]
        area_of(app).text = ""
        await press(pilot, "2", "b", "u", "y")  # in the prompt they are text
        assert area_of(app).text == "2buy"


@pytest.mark.long
async def test_the_best_comes_first_and_equal_ones_once() -> None:
    model = FakeModel(scores=(-2.0, -0.5, -1.0))
    app = make_app(models=FakeModels("tales-1", model=model))
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot, app)
        await press(pilot, "enter")
        await until(pilot, lambda: texts(app) == [WRITTEN[1], WRITTEN[2], WRITTEN[0]])
        assert "1 · −0.50" in words_on(app)
        model.alike = True
        await press(pilot, "ctrl+r")
        await until(pilot, lambda: texts(app) == [WRITTEN[0]])
        assert "2 alike left out" in words_on(app)
        assert_sound(app)


@pytest.mark.long
async def test_a_note_about_a_prompt_goes_with_it() -> None:
    model = FakeModel(notes=("™ is read as TM",))
    app = make_app(models=FakeModels("tales-1", model=model))
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot, app)
        await press(pilot, "™", "enter")
        await until(pilot, lambda: texts(app) == WRITTEN)
        assert "™ is read as TM" in words_on(app)
        model.notes = ()
        await press(pilot, "backspace", "a")
        await until(pilot, lambda: "is read as" not in words_on(app))
        assert texts(app) == WRITTEN


@pytest.mark.long
async def test_a_training_that_failed_is_not_live_any_more() -> None:
    app = make_app(runner=FakeRunner(), models=FakeModels("tales-1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await train(pilot, app)
        await hear(pilot, app, Failed("the training process was killed", ""))
        await until(pilot, lambda: "model tales · just trained" in words_on(app))


@pytest.mark.long
async def test_ghost_strip_and_surprise_while_typing() -> None:
    model = FakeModel()
    app = make_app(models=FakeModels("tales-1", model=model))
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot, app)
        await press(pilot, *"Once up")
        area = area_of(app)
        await until(pilot, lambda: area.ghost.endswith("slept.\n"))
        line = next(line for line in painted(app) if "Once up" in line)
        assert "Once upon a time there was a king. He slept.⏎" in line
        assert area.text == "Once up"
        assert "1 e" in words_on(app)
        assert "62%" in words_on(app)
        assert_sound(app)
        await press(pilot, "ctrl+right")
        assert area.text == "Once upon "
        await press(pilot, "escape")
        assert area.ghost == ""
        await press(pilot, "a")
        await until(pilot, lambda: area.ghost.startswith(" time"))

        await press(pilot, "ctrl+n", "2", "1", "x")  # a space, an e, and back to writing
        assert area.text == "Once upon a ex"
        assert area.has_focus
        for key in ("ctrl+n", "1", "2", "y"):  # faster than anything is painted
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: area.text == "Once upon a exe y")
        await press(pilot, "ctrl+n", "ctrl+n")
        assert area.has_focus
        await pilot.click(NextStrip, offset=(3, 0))
        await until(pilot, lambda: area.text == "Once upon a exe ye")

        await press(pilot, "ctrl+t")
        assert app.remembered.play.surprisal
        assert "likely" in words_on(app)
        await until(pilot, lambda: len(area._nats) == len(area.text))
        await press(pilot, "ctrl+l")  # both underline
        assert (app.remembered.play.surprisal, app.remembered.play.copied) == (False, True)
        assert not area._nats
        await press(pilot, "ctrl+l", "ctrl+g", "y")
        assert not app.remembered.play.ghost
        await until(pilot, lambda: model.readers[0].texts[-1] == area.text)
        await settle(pilot)
        assert area.ghost == ""
        await pilot.click("#prompt", offset=(32, 4))  # the switch on the frame
        assert app.remembered.play.ghost


@pytest.mark.long
async def test_stale_answers_change_nothing() -> None:
    app = make_app(models=FakeModels("tales-1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot, app)
        await press(pilot, *"Once")
        await until(pilot, lambda: area_of(app).ghost.endswith("\n"))
        turn = screen_of(app)._asked
        before = painted(app)
        for stale in (
            GhostSeen(turn - 1, "stale"),
            PromptRead(turn - 1, "On", ("stale",), (9.0, 9.0)),
            CompletionGrew(screen_of(app)._turn - 1, ("stale",) * 3),
        ):
            app.screen.post_message(stale)
        await settle(pilot)
        assert painted(app) == before


@pytest.mark.long
async def test_a_model_that_cannot_be_read_is_told() -> None:
    class Gone(FakeModels):
        def newest(self, run: str) -> Path:
            raise RunError("the run is gone", "F6 lists what there is")

    app = make_app(models=Gone("tales-1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot, app)
        await press(pilot, "a")
        await until(pilot, lambda: "the run is gone — F6 lists" in words_on(app))
        await press(pilot, "enter")
        await until(pilot, lambda: not screen_of(app).writing)
        assert "the run is gone — F6 lists" in words_on(app)
        assert "Write a beginning" in words_on(app)
        assert_sound(app)


@pytest.mark.long
async def test_copied_stretches_are_underlined_and_placed() -> None:
    app = make_app(models=FakeModels("tales-1"))
    async with app.run_test(size=(100, 30)) as pilot:
        await play(pilot, app)
        await press(pilot, *"Once", "enter")
        await until(pilot, lambda: texts(app) == WRITTEN)
        await press(pilot, "ctrl+l")
        await until(pilot, lambda: "new 25%" in words_on(app))
        assert "15 characters stand at 43%, line 1,204" in words_on(app)
        card = app.screen.query_one(CompletionGrid).cards[0]
        inked = "".join(s.text for s in card.render_line(0) if s.style and s.style.underline)
        assert inked == FakeCopies().stretch
        await pilot.hover(CompletionCard, offset=(4, 2))
        await press(pilot, "tab")
        assert "15 characters stand at 43%, line 1,204" in words_on(app)
        await press(pilot, "ctrl+l")
        assert "1,204" not in words_on(app)


@pytest.mark.long
async def test_a_training_text_that_is_gone_is_told() -> None:
    class NoText(FakeModels):
        def copies(self, checkpoint: Path) -> FakeCopies:
            raise RunError("the text of this model has changed since", "put the old text back")

    app = make_app(models=NoText("tales-1"), remembered=Remembered(None))
    app.remembered.change("play", copied=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await play(pilot, app)
        await press(pilot, "enter")
        await until(pilot, lambda: "changed since — put the old text back" in words_on(app))
        assert texts(app) == WRITTEN


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 8])
async def test_as_many_completions_as_wanted(count: int) -> None:
    model = FakeModel()
    app = make_app(models=FakeModels("tales-1", model=model))
    app.remembered.change("play", count=count)
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot, app)
        await press(pilot, "enter")
        await until(pilot, lambda: len(texts(app)) == count)
        assert model.asked[0][1].count == count
        assert_sound(app)
        assert len([line for line in painted(app) if "F5" in line]) == 1
        cards = app.screen.query_one(CompletionGrid).cards
        cards[-1].focus()
        await settle(pilot)
        await press(pilot, "enter")
        assert area_of(app).text == texts(app)[-1]


@pytest.mark.long
async def test_settings_are_checked_stepped_and_remembered() -> None:
    model = FakeModel()
    app = make_app(models=FakeModels("tales-1", model=model))
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot, app)
        field = app.screen.query_one("#setting-temperature", SettingInput)
        field.focus()
        field.value = "hot"
        await until(pilot, lambda: "temp must be a number, not hot" in words_on(app))
        assert field.has_class("-invalid")
        await press(pilot, "enter")
        assert model.asked == []
        field.value = "0.8"
        await press(pilot, "up", "up", "down")
        assert (field.value, app.remembered.play.temperature) == ("0.9", 0.9)
        assert not field.has_class("-invalid")
        app.screen.query_one("#setting-stop", SettingInput).value = "\\n"
        app.screen.query_one("#setting-count", SettingInput).focus()
        await press(pilot, *["up"] * 9)
        assert app.remembered.play.count == 8
        await press(pilot, *["down"] * 9)
        await until(pilot, lambda: app.remembered.play.count == 1)
        assert app.remembered.play.stop == "\n"
        await press(pilot, "enter")
        await until(pilot, lambda: model.asked)
        assert (model.asked[0][1].stop, model.asked[0][1].temperature) == ("\n", 0.9)
        assert_sound(app)


@pytest.mark.long
async def test_during_a_training_the_newest_saved_model_answers() -> None:
    runner, models = FakeRunner(), FakeModels("tales-1")
    app = make_app(runner=runner, models=models)
    async with app.run_test(size=(80, 24)) as pilot:
        await train(pilot, app)
        await press(pilot, "enter")
        await until(pilot, lambda: runner.words)
        await press(pilot, *"On")
        assert runner.words == ["save"]  # once, however much is typed
        assert "asking the training for a model" in words_on(app)
        await hear(pilot, app, saved(20, "runs/tales/step-000020.safetensors"))
        await until(pilot, lambda: texts(app) == WRITTEN)
        await until(pilot, lambda: area_of(app).ghost)
        assert models.opened == [Path("runs/tales/step-000020.safetensors")]
        await press(pilot, "ctrl+r")
        await until(pilot, lambda: len(models.model.asked) == 2)
        assert len(models.opened) == 1  # the model at hand is still the newest
        await hear(pilot, app, Saved(40, "runs/tales/step-000040.safetensors", True))
        await until(pilot, lambda: len(models.opened) == 2)  # and the newer one reads on
        assert "model at step 3,000" in words_on(app)


@pytest.mark.long
async def test_completions_refresh_quietly_as_the_model_learns() -> None:
    runner, model = FakeRunner(), FakeModel()
    app = make_app(runner=runner, models=FakeModels(model=model))
    async with app.run_test(size=(80, 24)) as pilot:
        await train(pilot, app)
        await hear(pilot, app, saved(20, "runs/tales/step-000020.safetensors"))
        await press(pilot, "ctrl+l", *"Once", "enter")
        await until(pilot, lambda: texts(app) == WRITTEN)
        screen, area = screen_of(app), area_of(app)

        await hear(pilot, app, Saved(40, "runs/tales/step-000040.safetensors", True))
        assert len(model.asked) == 1  # somebody has just typed
        screen._typed = screen._refreshed = float("-inf")
        model.pieces = (" and", " the sun shone.")
        await hear(pilot, app, Saved(60, "runs/tales/step-000060.safetensors", True))
        assert not any(card.writing for card in screen.query(CompletionCard))  # nothing flickers meanwhile
        await until(pilot, lambda: texts(app)[:1] == [" and the sun shone."])
        assert model.asked[1] == model.asked[0]  # the same draws: the change is the model's
        assert words_on(app).count("new 100%") == 3  # looked up before it was shown
        assert area.has_focus

        cards = screen.query_one(CompletionGrid).cards
        cards[0].focus()  # being read
        await settle(pilot)
        await hear(pilot, app, Saved(80, "runs/tales/step-000080.safetensors", True))
        area.focus()
        await press(pilot, "ctrl+f")
        screen._typed = screen._refreshed = float("-inf")
        await hear(pilot, app, Saved(100, "runs/tales/step-000100.safetensors", True))
        await settle(pilot)
        assert len(model.asked) == 2
        await press(pilot, "ctrl+f", "x")
        screen._typed = screen._refreshed = float("-inf")
        await hear(pilot, app, Saved(120, "runs/tales/step-000120.safetensors", True))
        await settle(pilot)
        assert len(model.asked) == 2  # the prompt is another one now


def test_the_fields_make_the_settings() -> None:
    assert sampling_from(DEFAULTS) == SamplingConfig(count=3, length=200)
    typed = {**DEFAULTS, "temperature": "1,2", "top_k": "40", "min_p": "0.05", "seed": " 9 ", "stop": ".\\n"}
    expected = SamplingConfig(length=200, temperature=1.2, top_k=40, min_p=0.05, count=3, seed=9, stop=".\n")
    assert sampling_from(typed) == expected


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("temperature", "-1", "temperature must be at least 0"),
        ("temperature", "", "temp must be a number, not empty"),
        ("temperature", "nan", "finite"),
        ("top_k", "2.5", "top-k must be a whole number, not 2.5"),
        ("top_p", "1.5", "top-p must be at most 1"),
        ("length", "1000000", "length must be at most 20,000 here"),
        ("count", "9", "count must be at most 8 here"),
        ("count", "0", "count must be at least 1"),
        ("seed", "x", "seed must be a whole number"),
    ],
)
def test_fields_that_make_none(name: str, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        sampling_from({**DEFAULTS, name: text})


@pytest.mark.long
async def test_what_is_remembered_is_what_the_fields_begin_with() -> None:
    app = make_app()
    app.remembered.change("play", temperature=1.5, min_p=0.05, top_p=1.0, length=50, count=8, stop="\n")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f4")
        sampling = app.screen.query_one(SamplingBar).sampling()
        assert sampling == SamplingConfig(temperature=1.5, min_p=0.05, length=50, count=8, stop="\n")
        info = app.screen.query_one(InfoLine)
        info.say("reading", "[/bold] is read as [@click=app.quit]x")
        await settle(pilot)
        assert_sound(app)
