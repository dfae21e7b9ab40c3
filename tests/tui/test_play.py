"""The Play screen: which model answers, what happens to the prompt, and what is said when something cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargru.config import SamplingConfig, TrainRequest
from chargru.errors import ConfigError
from chargru.events import Saved
from chargru.tui.app import ChargruApp
from chargru.tui.messages import TrainingWanted
from chargru.tui.widgets.completion import CompletionCard
from chargru.tui.widgets.prompt import PromptArea
from chargru.tui.widgets.sampling import FIELDS, SettingInput, sampling_from
from tests.tui.fakes import (
    FakeModel,
    FakeModels,
    FakeRunner,
    assert_sound,
    hear,
    make_app,
    press,
    progress,
    saved,
    started,
    until,
    words_on,
)

DEFAULTS = {field.name: field.default for field in FIELDS}


def texts(app: ChargruApp) -> list[str]:
    return [card.text for card in app.screen.query(CompletionCard) if not card.writing]


async def test_prompt_completions_reroll_accept_and_undo() -> None:
    model = FakeModel(notes=("™ is read as TM",))
    app = make_app(models=FakeModels("tales-1", model=model))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "f4")
        await until(pilot, lambda: "model tales-1" in words_on(app))
        await press(pilot, *"Once", "ctrl+j", *"upon", "enter")
        await until(pilot, lambda: texts(app) == [" and then it rained."] * 3)
        assert model.asked == [("Once\nupon", SamplingConfig(count=3, length=200))]
        for words in ("upon and then it rained.", "™ is read as TM", "model at step 3,000", "F7 takes it"):
            assert words in words_on(app), words
        assert_sound(app)

        seed = app.screen.query_one("#setting-seed", SettingInput)
        seed.value = "7"
        await press(pilot, "ctrl+r")
        await until(pilot, lambda: len(model.asked) == 2)
        assert (seed.value, model.asked[1][1].seed) == ("8", 8)
        await until(pilot, lambda: texts(app) == [" and then it rained."] * 3)

        await press(pilot, "f7")
        area = app.screen.query_one(PromptArea)
        assert area.text == "Once\nupon and then it rained."
        assert area.has_focus
        await press(pilot, "ctrl+z")
        assert area.text == "Once\nupon"

        field = app.screen.query_one("#setting-temperature", SettingInput)
        field.focus()
        field.value = "hot"
        await until(pilot, lambda: "temp must be a number, not hot" in words_on(app))
        assert field.has_class("-invalid")
        await press(pilot, "enter")
        assert len(model.asked) == 2
        field.value = "0.8"
        await press(pilot, "up", "up", "down")
        assert field.value == "0.9"
        assert not field.has_class("-invalid")
        assert_sound(app)


async def test_during_a_training_the_newest_saved_model_answers() -> None:
    runner, models = FakeRunner(), FakeModels("tales-1")
    app = make_app(runner=runner, models=models)
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
        await until(pilot, lambda: app.training.active)
        await hear(pilot, app, started(), progress(20))
        await press(pilot, "f4")
        await until(pilot, lambda: "model tales · live" in words_on(app))
        await press(pilot, "enter")
        await until(pilot, lambda: runner.words)
        assert runner.words == ["save"]
        assert "asking the training for a model" in words_on(app)
        await hear(pilot, app, saved(20, "runs/tales/step-000020.safetensors"))
        await until(pilot, lambda: len(texts(app)) == 3 and all(texts(app)))
        assert models.opened == [Path("runs/tales/step-000020.safetensors")]
        await press(pilot, "enter")
        await until(pilot, lambda: len(models.model.asked) == 2)
        assert len(models.opened) == 1  # the model at hand is still the newest
        await hear(pilot, app, Saved(40, "runs/tales/step-000040.safetensors", True))
        await press(pilot, "enter")
        await until(pilot, lambda: len(models.opened) == 2)


def test_the_fields_make_the_settings() -> None:
    assert sampling_from(DEFAULTS, 3) == SamplingConfig(count=3, length=200)
    typed = {**DEFAULTS, "temperature": "1,2", "top_k": "40", "seed": " 9 "}
    assert sampling_from(typed, 1) == SamplingConfig(length=200, temperature=1.2, top_k=40, seed=9)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("temperature", "-1", "temperature must be at least 0"),
        ("temperature", "", "temp must be a number, not empty"),
        ("temperature", "nan", "finite"),
        ("top_k", "2.5", "top-k must be a whole number, not 2.5"),
        ("top_p", "1.5", "top_p must be at most 1"),
        ("length", "1000000", "length must be at most 20,000 here"),
        ("seed", "x", "seed must be a whole number"),
    ],
)
def test_fields_that_make_none(name: str, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        sampling_from({**DEFAULTS, name: text}, 1)
