"""Names, samples, notices and completions are data: whatever they hold, nothing acts, raises or passes raw."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargru.config import SamplingConfig, TrainRequest
from chargru.events import Failed, Notice, Recovered
from chargru.tui.archive import RunRow
from chargru.tui.library import TextPreview
from chargru.tui.messages import TrainingEvents, TrainingWanted
from chargru.tui.widgets.completion import CompletionCard
from chargru.tui.widgets.prompt import PromptArea
from chargru.tui.widgets.texts import TextTree
from tests.tui.fakes import (
    HOSTILE,
    NASTY,
    FakeLibrary,
    FakeModel,
    FakeModels,
    FakeRunner,
    assert_sound,
    evaluated,
    hear,
    make_app,
    press,
    progress,
    sampled,
    saved,
    settle,
    started,
    until,
    words_on,
)


class HostileLibrary(FakeLibrary):
    def preview(self, spec: str) -> TextPreview:
        return TextPreview(spec, HOSTILE, 10, 5, NASTY, (NASTY,), (NASTY, "last note"), False)


class HostileModels(FakeModels):
    def runs(self) -> list[RunRow]:
        rows = [RunRow(name, f"runs/{name}", name, name, 1, 1.0, name) for name in HOSTILE]
        return [*rows, RunRow(NASTY, "runs/broken", "", "", None, None, NASTY, NASTY)]

    def describe(self, checkpoint: Path) -> str:
        return NASTY


def hostile_files(directory: Path) -> None:
    for number, name in enumerate(HOSTILE):
        try:
            (directory / f"{number} {name.replace('/', '∕').replace(chr(0), '')}").write_text("text")
        except (OSError, UnicodeEncodeError):  # this disk does not take such a name, so none can be met
            continue


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_hostile_text_everywhere(size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    runner = FakeRunner()
    model = FakeModel(pieces=HOSTILE, notes=HOSTILE)
    app = make_app(NASTY, runner=runner, library=HostileLibrary(*HOSTILE), models=HostileModels(model=model))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "last note" in words_on(app))
        assert_sound(app)
        if size[0] >= 100:
            app.screen.query_one(TextTree).focus()
            await press(pilot, *["down"] * len(HOSTILE))
            await until(pilot, lambda: "last note" in words_on(app))
            assert_sound(app)

        app.post_message(TrainingWanted(TrainRequest(corpus=NASTY, time=30)))
        await until(pilot, lambda: app.current_mode == "train")
        assert_sound(app)
        await hear(pilot, app, Notice(NASTY))
        assert_sound(app)
        await hear(
            pilot,
            app,
            started(corpus=NASTY, run=NASTY, path=NASTY, device=NASTY, backend=NASTY),
            *(Notice(text) for text in HOSTILE),
            progress(20),
            evaluated(20),
            Recovered(30, 20, 1, 1e-3, NASTY),
            saved(30, path=NASTY),
        )
        assert_sound(app)
        for text in HOSTILE:
            app.post_message(TrainingEvents((sampled(30, text),)))
            await settle(pilot)
            assert_sound(app)

        await press(pilot, "f4")
        await until(pilot, lambda: app.current_mode == "play")
        area = app.screen.query_one(PromptArea)
        area.insert(NASTY)
        await press(pilot, "enter")
        await until(pilot, lambda: any(card.text and not card.writing for card in app.screen.query(CompletionCard)))
        assert_sound(app)
        assert model.asked[0][1].with_(seed=None) == SamplingConfig(count=3, length=200)
        await press(pilot, "f5")
        await settle(pilot)
        assert_sound(app)
        assert "\x1b" not in area.text

        await press(pilot, "f6")
        await until(pilot, lambda: "steps" in words_on(app) and "[red" in words_on(app))
        assert_sound(app)
        await hear(pilot, app, Failed(NASTY, NASTY))
        assert_sound(app)
        await press(pilot, "f3", "f1")
        await settle(pilot)
        assert_sound(app)
        assert app.is_running
