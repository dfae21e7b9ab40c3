"""The states of the app that have pictures in tests/tui/snapshots, and how each is reached from the same fakes."""

from __future__ import annotations

import datetime
import importlib
import math
import pkgutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

import chargru.tui
from chargru.config import TrainRequest
from chargru.events import Event, Failed, Finished, Landmarks, Notice, Paused, Recovered
from chargru.tui.app import ChargruApp
from chargru.tui.archive import RunCurves, RunRow
from chargru.tui.messages import TrainingWanted
from chargru.tui.remembered import Remembered
from chargru.tui.widgets.completion import CompletionGrid
from chargru.tui.widgets.forecast import ForecastLine
from chargru.tui.widgets.prompt import PromptArea
from tests.tui.fakes import (
    FakeModels,
    FakeRunner,
    hear,
    make_app,
    press,
    progress,
    settle,
    some_training,
    started,
    until,
    words_on,
)
from tests.tui.svg import screen_svg

NOW = datetime.datetime(2026, 1, 3, 12, 0, tzinfo=datetime.UTC)
LANDMARKS = Landmarks(4.17, 3.31, 2.05, 1.62, 1_003_854)


class FixedDatetime(datetime.datetime):
    """A calendar that has stopped."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> FixedDatetime:  # type: ignore[override]
        told = NOW if tz is None else NOW.astimezone(tz)
        return cls.fromisoformat((told.replace(tzinfo=None) if tz is None else told).isoformat())


def hold_still(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """No clock goes on, no environment shines through, and the directory holds the same files everywhere."""
    for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "TEXTUAL_COLOR_SYSTEM", "CHARGRU_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("TZ", "UTC"), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")):
        monkeypatch.setenv(name, value)
    for name in ("harbour.txt", "letters.txt"):
        (directory / name).write_text("The rain fell on the walls.\n", encoding="utf-8")
    monkeypatch.chdir(directory)
    monkeypatch.setenv("HOME", str(directory.parent))
    for found in pkgutil.walk_packages(chargru.tui.__path__, "chargru.tui."):
        module = importlib.import_module(found.name)
        if getattr(module, "datetime", None) is datetime.datetime:
            monkeypatch.setattr(module, "datetime", FixedDatetime)
        if "monotonic" in vars(module) and ".screens." in found.name:
            monkeypatch.setattr(module, "monotonic", lambda: 1000.0)
    assert "chargru.tui.screens.play" in sys.modules


@dataclass
class Stage:
    """An app on paper rooms, and what a scene needs to move it."""

    app: ChargruApp
    pilot: Pilot[int]
    runner: FakeRunner

    async def press(self, *keys: str) -> None:
        await press(self.pilot, *keys)

    async def until(self, *words: str) -> None:
        """Wait until all of these words are on the screen."""
        await until(self.pilot, lambda: all(word in words_on(self.app) for word in words))

    async def train(self, *events: Event) -> None:
        """Begin a training and hear these events of it."""
        self.app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=180)))
        await until(self.pilot, lambda: self.app.current_mode == "train" and self.app.training.active)
        await hear(self.pilot, self.app, *events)

    async def picture(self) -> str:
        """The screen, once all is painted that is to be: two pictures in a row are the same. No cursor blinks."""
        last = ""
        for _ in range(40):
            for screen in self.app.screen_stack:  # what lies behind a panel is seen too
                for field_ in [*screen.query(Input), *screen.query(TextArea)]:
                    field_.cursor_blink = False
                for chart in screen.query(".loss-chart"):
                    chart.redraw()  # type: ignore[attr-defined]
                screen.refresh()
            await settle(self.pilot)
            await self.pilot.pause(0.02)
            before, last = last, screen_svg(self.app)
            if before == last:
                return last
        raise AssertionError("the screen does not come to rest")


Play = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Scene:
    """A state of the app: its rooms, and the way there. A scene of one size only names it."""

    name: str
    play: Play
    rooms: Callable[[], dict[str, Any]] = dict
    size: tuple[int, int] | None = None
    quick: bool = False
    environment: dict[str, str] = field(default_factory=dict)


SCENES: dict[str, Scene] = {}


def scene(name: str, **about: Any) -> Callable[[Play], Play]:
    """Register the way to a state under its name."""

    def register(play: Play) -> Play:
        SCENES[name] = Scene(name, play, **about)
        return play

    return register


def stage(found: Scene) -> tuple[ChargruApp, FakeRunner]:
    """The app of a scene, not yet running."""
    rooms = {"runner": FakeRunner(), **found.rooms()}
    return make_app(**rooms), rooms["runner"]


class PaperArchive(FakeModels):
    """Three runs with everything that is known of a run: one in training, one finished, one that cannot be read."""

    def runs(self) -> list[RunRow]:
        about = {"shape": "GRU 256", "window": 2048, "facts": (("learning rate", "6.0e-3"), ("dropout", "0"))}
        losses = tuple(1.42 + 2.7 * math.exp(-step / 260) for step in range(0, 3000, 100))
        files = ("step-002400.safetensors, 4.5 MB", "step-003000.safetensors, 4.5 MB")
        return [
            RunRow("tales-2", "runs/tales-2", "tales", step=1840, best_loss=1.423, when="2026-01-03T11:58:00+00:00",
                   state="live", seconds=110.0, losses=tuple(each + 0.12 for each in losses[:18]), size=4_500_000,
                   holder=4711, models=files[:1], **about),
            RunRow("tales-1", "runs/tales-1", "tales", step=3000, best_loss=1.418, when="2026-01-02T18:30:00+00:00",
                   state="finished", seconds=180.0, losses=losses, size=9_000_000, models=files, **about),
            RunRow("harbour", "runs/harbour", "harbour.txt", step=3000, best_loss=1.91, size=9_000_000, models=files,
                   when="2025-12-24T08:00:00+00:00", seconds=95.0, losses=tuple(each + 0.5 for each in losses[:14]),
                   **about),
            RunRow("novel", "runs/novel", "", "", None, None, "2025-11-30T08:00:00+00:00",
                   "step-000200.safetensors is damaged: its checksum does not match", "broken"),
        ]  # fmt: skip

    def curves(self, runs: Sequence[str]) -> list[RunCurves]:
        rows = {row.path: row for row in self.runs()}
        told = []
        for path in runs:
            points = tuple((100 * i, 6.0 * i, loss) for i, loss in enumerate(rows[path].losses))
            sample = (points[-1][0], "", "The king was in his garden.") if points else None
            told.append(RunCurves(path, (points,), landmarks=(("uniform", 4.17), ("trigram", 2.05)), sample=sample))
        return told

    def differences(self, runs: Sequence[str]) -> list[str]:
        return ["the texts are not the same"] if len({path.split("/")[1][:4] for path in runs}) > 1 else []


def with_runs() -> dict[str, Any]:
    return {"models": FakeModels("tales-3", "tales-2", "harbour")}


def with_archive() -> dict[str, Any]:
    return {"archive": PaperArchive()}


def showing(choice: str) -> Callable[[], dict[str, Any]]:
    """Rooms with runs, and with one of Play's switches on."""

    def rooms() -> dict[str, Any]:
        remembered = Remembered(None)
        remembered.change("play", **{choice: True})
        return {**with_runs(), "remembered": remembered}

    return rooms


# -- Corpus ---------------------------------------------------------------------------------------------------------


@scene("corpus", quick=True)
async def corpus(stage: Stage) -> None:
    await stage.until("there was tales.", "256 units")


@scene("corpus-problem")
async def corpus_problem(stage: Stage) -> None:
    await corpus(stage)
    stage.app.screen.query_one("#path").focus()
    await stage.press(*"nowhere")
    await stage.until("there is no text")


@scene("corpus-filter")
async def corpus_filter(stage: Stage) -> None:
    await corpus(stage)
    await stage.press("slash", *"pyt")
    await stage.until("there was python-reference.")
    line = stage.app.screen.query_one(ForecastLine)
    await until(stage.pilot, lambda: line.render().plain.startswith("  "))  # no forecast of the text before


@scene("corpus-settings")
async def corpus_settings(stage: Stage) -> None:
    await corpus(stage)
    await stage.press("a")
    await stage.until("All automatic")


# -- Train ----------------------------------------------------------------------------------------------------------


@scene("train-empty")
async def train_empty(stage: Stage) -> None:
    await stage.press("f3")
    await stage.until("Nothing is training yet")


@scene("train-starting")
async def train_starting(stage: Stage) -> None:
    await stage.train()
    await stage.until("Starting")


@scene("train", quick=True)
async def train(stage: Stage) -> None:
    await stage.train(started(), LANDMARKS, *some_training()[1:])
    await stage.until("The king was in his garden")


@scene("train-paused")
async def train_paused(stage: Stage) -> None:
    await train(stage)
    await hear(stage.pilot, stage.app, Paused(1840))
    await stage.until("F8 goes on")


@scene("train-recovered")
async def train_recovered(stage: Stage) -> None:
    await train(stage)
    told = (Recovered(1850, 1800, 1, 3e-3, "the loss was not finite"), progress(1830, loss=1.9))
    await hear(stage.pilot, stage.app, *told)
    await stage.until("Recovered")


@scene("train-overfitting")
async def train_overfitting(stage: Stage) -> None:
    await train(stage)
    for turn in range(1, 6):
        step, best = 1840 + 100 * turn, 1.423
        await hear(
            stage.pilot,
            stage.app,
            progress(step, loss=1.2 - 0.05 * turn),
            evaluated_worse(step, best + 0.02 * turn, best, turn),
        )
    await hear(
        stage.pilot,
        stage.app,
        Notice("validation has not improved for 4 evaluations; the best model, of step 1,800, is kept"),
    )


@scene("train-finished")
async def train_finished(stage: Stage) -> None:
    await train(stage)
    await hear(stage.pilot, stage.app, Finished("done", "checkpoints/tales/best", 1.42, 3000, 180.0, 57_000.0))
    await stage.until("Finished")


@scene("train-failed")
async def train_failed(stage: Stage) -> None:
    await train(stage)
    died = Failed("the training process was killed, probably out of memory; saved at step 1840", "resume the run")
    await hear(stage.pilot, stage.app, died)
    await stage.until("Training ended")


@scene("train-without-colour", environment={"NO_COLOR": "1"})
async def train_without_colour(stage: Stage) -> None:
    await train(stage)


def evaluated_worse(step: int, loss: float, best: float, stale: int) -> Event:
    from chargru.events import Evaluated

    elapsed, expected = 180 * step / 3000, best if step >= 300 else None
    return Evaluated(step, step / 3000, loss, loss - 0.3, best, 1800, 8192, False, elapsed, stale, expected)


# -- Play -----------------------------------------------------------------------------------------------------------


@scene("play-empty")
async def play_empty(stage: Stage) -> None:
    await stage.press("f4")
    await stage.until("No model yet")


async def to_play(stage: Stage, *keys: str) -> None:
    await stage.press("f4")
    await stage.until("tales-3", "step 3,000")
    await stage.press(*keys)


@scene("play-ghost", rooms=with_runs)
async def play_ghost(stage: Stage) -> None:
    await to_play(stage, *"Once upon")
    await stage.until("a time there was a king")


@scene("play-completions", rooms=with_runs)
async def play_completions(stage: Stage) -> None:
    stage.app.remembered.change("play", ghost=False)
    await to_play(stage, *"Once upon")
    seed_of(stage).value = "7"
    await stage.press("enter")
    await until(stage.pilot, lambda: written(stage))


@scene("play-surprisal", rooms=showing("surprisal"))
async def play_surprisal(stage: Stage) -> None:
    await play_completions(stage)
    await until(stage.pilot, lambda: stage.app.screen.query_one(PromptArea)._nats)


@scene("play-copied", rooms=showing("copied"))
async def play_copied(stage: Stage) -> None:
    await play_completions(stage)
    await stage.until("line 1,204")


def seed_of(stage: Stage) -> Input:
    return stage.app.screen.query_one("#setting-seed", Input)


def written(stage: Stage) -> bool:
    cards = stage.app.screen.query_one(CompletionGrid).cards
    return bool(cards) and all(card.text and not card.writing and card.continuation.score for card in cards)


# -- Runs -----------------------------------------------------------------------------------------------------------


@scene("runs-empty")
async def runs_empty(stage: Stage) -> None:
    await stage.press("f6")
    await stage.until("Nothing was trained yet")


@scene("runs", rooms=with_archive)
async def runs(stage: Stage) -> None:
    await stage.press("f6")
    await stage.until("harbour", "tales-1")
    await until(stage.pilot, lambda: stage.app.screen._curves)  # type: ignore[attr-defined]


@scene("runs-overlay", rooms=with_archive)
async def runs_overlay(stage: Stage) -> None:
    await runs(stage)
    await stage.press("space", "down", "space", "down", "space")
    await until(stage.pilot, lambda: len(stage.app.screen._curves) >= 3)  # type: ignore[attr-defined]


@scene("runs-delete", rooms=with_archive)
async def runs_delete(stage: Stage) -> None:
    await runs(stage)
    await stage.press("down", "d")
    await stage.until("Keep (n)")


# -- everywhere -----------------------------------------------------------------------------------------------------


@scene("help")
async def help_(stage: Stage) -> None:
    await train(stage)
    await stage.press("f1")
    await until(stage.pilot, lambda: len(stage.app.screen_stack) == 2)


@scene("palette")
async def palette(stage: Stage) -> None:
    await train(stage)
    await stage.press("ctrl+p")
    await until(stage.pilot, lambda: len(stage.app.screen_stack) == 2)
    await stage.press(*"pause")
    await stage.until("Pause training")


@scene("recording", rooms=lambda: {"runner": Told()})
async def recording(stage: Stage) -> None:
    await train(stage)
    await hear(stage.pilot, stage.app, Paused(1840))
    await stage.until("Recording paused")


class Told(FakeRunner):
    """A runner that says it plays a recording."""

    recording = "a recording of 3:02 of training on tales, played 3 times as fast"


@scene("too-small", size=(50, 15))
async def too_small(stage: Stage) -> None:
    await stage.until("at least 60 × 18")
