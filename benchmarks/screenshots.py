"""Pictures of the terminal app for the documentation, made by the app itself.

    python benchmarks/screenshots.py [--run RUN ...] [--seconds 30] [--out docs/screenshots]

The real app runs headless and shows real runs: their recorded events, their models, their completions. Without `--run`
three small models are trained on the bundled text first, for `--seconds`, half and a quarter of that, in a directory
that is removed again. Pictures that are no longer made are removed. Prints one line for each picture.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from chargru.config import TrainRequest
from chargru.events import Event, Finished, Notice, Paused, Progress, Resumed, Sampled, Saved, Started
from chargru.storage.runs import Run
from chargru.training.session import open_session
from chargru.tui.app import ChargruApp
from chargru.tui.archive import HouseArchive
from chargru.tui.messages import TrainingWanted
from chargru.tui.models import HouseModels
from chargru.tui.widgets.completion import CompletionGrid

PROMPT = "The boat came in before"
EARLY, SHOWN = 0.12, 0.7  # of the budget that a picture of a training shows
LIGHT = "chargru-light"


class Playback:
    """A runner that plays recorded events instead of training."""

    def __init__(self) -> None:
        self.mail: list[Event] = []

    def start(self, request: TrainRequest) -> None:
        """Nothing trains here."""

    def send(self, word: str) -> None:
        """Nobody listens."""

    def drain(self) -> list[Event]:
        events, self.mail = self.mail, []
        return events

    def close(self, grace: float) -> None:
        """Nothing to close."""


def record(out: Path, name: str, seconds: float, hidden_size: int | None) -> Path:
    """Train a small model for these seconds; the run's directory."""
    request = TrainRequest(
        corpus="tales", time=max(seconds, 2.0), out=str(out), name=name, seed=1, hidden_size=hidden_size
    )
    path = out
    for event in open_session(request).run():
        if isinstance(event, Started):
            path = Path(event.path)
        elif isinstance(event, Finished):
            print(f"trained {event.steps:,} steps in {event.seconds:.0f} s, validation loss {event.val_loss:.3f}")
    return path


@dataclass
class Studio:
    """The app in front of the camera."""

    app: ChargruApp
    pilot: Pilot[int]
    runner: Playback
    archive: HouseArchive
    runs: list[Path]
    told: int = 0  # events of the first run

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until the condition holds, thirty seconds at most, and then a moment more."""
        deadline = monotonic() + 30
        while not condition():
            if monotonic() > deadline:
                raise SystemExit("the app did not get there")
            await self.pilot.pause(0.05)
        await self.pilot.pause(0.6)

    def find(self, selector: str) -> Any:
        """The widget, or None where there is none."""
        return next(iter(self.app.screen.query(selector)), None)

    def recorded(self, upto: float) -> list[Event]:
        """What the first run told since the last call, up to a part of its budget, and what it would have saved."""
        history = self.archive.history(str(self.runs[0]))
        events: list[Event] = []
        for event in history[self.told :]:
            if isinstance(event, Progress) and event.fraction > upto:
                break
            self.told += 1
            if not isinstance(event, Notice | Paused | Resumed):
                events.append(event)
        newest = Run.open(self.runs[0]).checkpoints()[-1]
        last = max((event.step for event in events if isinstance(event, Sampled)), default=0)
        if events and not isinstance(events[-1], Finished):
            events.append(Saved(last, str(newest), True))
        return events

    async def train(self, *events: Event) -> None:
        """The Train screen of a training that has told these events."""
        if not self.app.training.active:
            self.app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=60)))
            await self.until(lambda: self.app.training.active)
        self.runner.mail = list(events)
        await self.until(lambda: self.app.training.progress is not None)
        await self.pilot.pause(1.0)

    async def play(self, *switches: str) -> None:
        """The Play screen with ghost text and these switches on."""
        self.app.remembered.change("play", ghost=True, **{name: name in switches for name in ("surprisal", "copied")})
        await self.pilot.press("f4")
        await self.until(lambda: self.find("#prompt") is not None)
        self.app.screen._show_switches()  # type: ignore[attr-defined]
        self.find("#setting-seed").value = "3"


Step = Callable[[Studio], Awaitable[None]]


async def corpus(studio: Studio) -> None:
    """The library with the first text's preview and what training on it promises."""
    await studio.until(lambda: "distinct" in str(studio.find("#preview-facts").render()))

    def promised() -> bool:
        words = str(studio.find("#forecast").render())
        return "likely" in words and "…" not in words  # which says that a closer look follows

    await studio.until(promised)
    await studio.pilot.pause(0.5)


async def settings(studio: Studio) -> None:
    """Every setting by hand."""
    await studio.pilot.press("a")
    await studio.until(lambda: studio.find("#settings-panel") is not None)


async def early(studio: Studio) -> None:
    """A training after its first seconds."""
    await studio.pilot.press("escape")
    await studio.train(*studio.recorded(EARLY))


async def train(studio: Studio) -> None:
    """A training at two thirds."""
    await studio.pilot.press("escape")
    await studio.train(*studio.recorded(SHOWN))


async def paused(studio: Studio) -> None:
    """The same, paused."""
    assert studio.app.training.progress is not None
    step = studio.app.training.progress.step
    await studio.train(Paused(step))


async def resumed(studio: Studio) -> None:
    """Going on again; no picture."""
    assert studio.app.training.progress is not None
    await studio.train(Resumed(studio.app.training.progress.step))


async def finished(studio: Studio) -> None:
    """The same, at its end."""
    await studio.pilot.press("f3")
    await studio.train(*studio.recorded(1.0))
    await studio.until(lambda: studio.app.training.finished is not None)


async def ghost(studio: Studio) -> None:
    """A prompt with what the model would go on with."""
    await studio.play()
    studio.find("#prompt").focus()
    await studio.pilot.press(*PROMPT)
    await studio.until(lambda: studio.find("#prompt").ghost)


async def play(studio: Studio) -> None:
    """Three completions of a prompt."""
    await studio.play()
    await written(studio)


async def surprisal(studio: Studio) -> None:
    """The same, tinted by how unlikely the model found each character."""
    await studio.play("surprisal")
    await written(studio)
    await studio.until(lambda: studio.find("#prompt")._nats)


async def copied(studio: Studio) -> None:
    """The same, with what stands verbatim in the training text underlined."""
    await studio.play("copied")
    await written(studio)
    await studio.pilot.pause(2.0)


async def written(studio: Studio) -> None:
    prompt = studio.find("#prompt")
    prompt.focus()
    if prompt.text != PROMPT:
        await studio.pilot.press(*PROMPT)
    await studio.pilot.press("enter")
    grid = studio.app.screen.query_one(CompletionGrid)
    await studio.until(lambda: grid.cards and all(card.text and not card.writing for card in grid.cards))


async def runs(studio: Studio) -> None:
    """The table of runs, all of them drawn in one chart."""
    await studio.pilot.press("f6")
    await studio.until(lambda: studio.find("#runs-table") is not None and studio.find("#runs-table").row_count)
    for _ in studio.runs:
        await studio.pilot.press("space", "down")
    await studio.pilot.press("up")
    await studio.pilot.pause(1.5)


async def help_(studio: Studio) -> None:
    """What the Runs screen is for and its keys."""
    await studio.pilot.press("f1")
    await studio.pilot.pause(0.5)


MAIN: tuple[tuple[str, Step], ...] = (("corpus", corpus), ("train", train), ("play", play), ("runs", runs))
EVERY: tuple[tuple[str, Step], ...] = (
    ("corpus", corpus),
    ("settings", settings),
    ("train-early", early),
    ("train", train),
    ("train-paused", paused),
    ("", resumed),
    ("play-ghost", ghost),
    ("play", play),
    ("play-surprisal", surprisal),
    ("play-copied", copied),
    ("train-finished", finished),
    ("runs", runs),
    ("help", help_),
)
SESSIONS: tuple[tuple[tuple[int, int], str, tuple[tuple[str, Step], ...]], ...] = (
    ((100, 30), "", EVERY),
    ((80, 24), "", MAIN),
    ((160, 48), "", MAIN),
    ((100, 30), LIGHT, (("train-light", train), ("play-light", surprisal), ("runs-light", runs))),
)


async def take(
    size: tuple[int, int], theme: str, steps: tuple[tuple[str, Step], ...], made: list[Path], out: Path
) -> list[Path]:
    """All pictures of one size and theme; their files."""
    root = str(made[0].parent)
    archive, runner = HouseArchive(root), Playback()
    app = ChargruApp("tales", runner=runner, models=HouseModels(root), archive=archive)
    app.animation_level = "none"
    saved = []
    async with app.run_test(size=size) as pilot:
        if theme:
            app.theme = theme
        studio = Studio(app, pilot, runner, archive, made)
        for name, step in steps:
            await step(studio)
            for field in [*app.screen.query(Input), *app.screen.query(TextArea)]:
                field.cursor_blink = False
            app.clear_notifications()
            await pilot.pause(0.2)
            if name:
                saved.append(out / f"{name}-{size[0]}x{size[1]}.svg")
                saved[-1].write_text(self_contained(app.export_screenshot(title="chargru")), encoding="utf-8")
                print(saved[-1])
    return saved


def move_in(scratch: Path) -> None:
    """Work in a directory that looks like a writer's, so that no path of this machine is in a picture."""
    texts = scratch / "texts"
    (texts / "poems").mkdir(parents=True)
    for name in ("harbour.txt", "letters.txt", "novel.md", "poems/spring.txt"):
        (texts / name).write_text("The rain fell on the walls.\n", encoding="utf-8")
    os.environ["HOME"] = str(scratch)
    os.chdir(texts)


def self_contained(svg: str) -> str:
    """The picture without the web fonts that it would fetch: whatever monospaced font the reader has will do."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "Fira Code, DejaVu Sans Mono, Menlo, Consolas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--run", type=Path, nargs="+", help="directories of runs to show, the first of them at length")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to train the first one otherwise")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"), help="where the pictures go")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        runs = [run.resolve() for run in options.run or ()]
        if not runs:
            plan = (("tales", 1.0, None), ("tales-small", 0.5, 64), ("tales-tiny", 0.25, 24))
            runs = [record(Path(scratch) / "runs", name, part * options.seconds, size) for name, part, size in plan]
        move_in(Path(scratch))
        pictures = [
            path for size, theme, steps in SESSIONS for path in asyncio.run(take(size, theme, steps, runs, out))
        ]
        os.chdir(out)
    for stranger in sorted(set(out.glob("*.svg")) - set(pictures)):
        stranger.unlink()
        print(f"{stranger} removed: no longer made")


if __name__ == "__main__":
    main()
