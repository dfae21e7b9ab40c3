"""Pictures of the terminal app for the documentation, made by the app itself.

    python benchmarks/screenshots.py [--run RUN] [--seconds 30] [--out docs/screenshots]

The real app runs headless and shows a real run: its recorded events, its model, its completions. Without `--run` a
small model is trained for `--seconds` on the bundled text first, in a directory that is removed again. Prints one line
for each picture.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic

from textual.pilot import Pilot

from chargru.config import TrainRequest
from chargru.events import Event, Finished, Notice, Paused, Progress, Resumed, Sampled, Saved, Started
from chargru.storage.runs import Run
from chargru.training.session import open_session
from chargru.tui.app import ChargruApp
from chargru.tui.archive import HouseArchive
from chargru.tui.messages import TrainingWanted
from chargru.tui.models import HouseModels
from chargru.tui.widgets.completion import CompletionCard
from chargru.tui.widgets.sampling import SettingInput

SIZES = ((100, 30), (80, 24), (160, 48))
PROMPT = "The boat came in before"
SHOWN = 0.7  # of the budget that the picture of a training shows


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


def record(out: Path, seconds: float) -> Path:
    """Train a small model for these seconds; the run's directory."""
    request = TrainRequest(corpus="tales", time=seconds, out=str(out), name="tales", seed=1)
    path = out
    for event in open_session(request).run():
        if isinstance(event, Started):
            path = Path(event.path)
        elif isinstance(event, Finished):
            print(f"trained {event.steps:,} steps in {event.seconds:.0f} s, validation loss {event.val_loss:.3f}")
    return path


def recorded(archive: HouseArchive, run: Path) -> list[Event]:
    """The events of the run up to `SHOWN` of its budget, as a training in progress would have told them."""
    events: list[Event] = []
    for event in archive.history(str(run)):
        if isinstance(event, Progress) and event.fraction > SHOWN:
            break
        if not isinstance(event, Finished | Paused | Resumed | Notice):
            events.append(event)
    newest = Run.open(run).checkpoints()[-1]
    last = max((event.step for event in events if isinstance(event, Sampled)), default=0)
    return [*events, Saved(last, str(newest), True)]


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Let the app work until the condition holds, thirty seconds at most."""
    deadline = monotonic() + 30
    while not condition():
        if monotonic() > deadline:
            raise SystemExit("the app did not get there")
        await pilot.pause(0.05)
    await pilot.pause(0.5)


async def take(size: tuple[int, int], run: Path, out: Path) -> None:
    """All pictures of one size."""
    archive, runner = HouseArchive(str(run.parent)), Playback()
    app = ChargruApp(runner=runner, models=HouseModels(str(run.parent)), archive=archive)

    def save(name: str) -> None:
        path = out / f"{name}-{size[0]}x{size[1]}.svg"
        path.write_text(self_contained(app.export_screenshot(title="chargru")), encoding="utf-8")
        print(path)

    async with app.run_test(size=size) as pilot:
        steps: list[tuple[str, Callable[[Pilot[int]], Awaitable[None]]]] = [
            ("corpus", corpus),
            ("train", train),
            ("play", play),
            ("runs", runs),
        ]
        runner.mail = []
        for name, step in steps:
            if name == "train":
                app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=60)))
                await until(pilot, lambda: app.training.active)
                runner.mail = recorded(archive, run)
            await step(pilot)
            save(name)


async def corpus(pilot: Pilot[int]) -> None:
    """The library with the first text's preview."""
    await until(pilot, lambda: "distinct" in str(pilot.app.screen.query_one("#preview-facts").render()))


async def train(pilot: Pilot[int]) -> None:
    """A training at two thirds."""
    app = pilot.app
    assert isinstance(app, ChargruApp)
    await until(pilot, lambda: app.training.sampled is not None)
    await pilot.pause(1.0)


async def play(pilot: Pilot[int]) -> None:
    """Three completions of a prompt."""
    await pilot.press("f4")
    await until(pilot, lambda: pilot.app.screen.query("#prompt"))
    pilot.app.screen.query_one("#setting-seed", SettingInput).value = "3"
    await pilot.press(*PROMPT, "enter")
    cards = pilot.app.screen.query(CompletionCard)
    await until(pilot, lambda: all(card.text and not card.writing for card in cards))


async def runs(pilot: Pilot[int]) -> None:
    """The table of runs."""
    await pilot.press("f6")
    await until(pilot, lambda: pilot.app.screen.query("#runs-table"))


def self_contained(svg: str) -> str:
    """The picture without the web fonts that it would fetch: whatever monospaced font the reader has will do."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "Fira Code, DejaVu Sans Mono, Menlo, Consolas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--run", type=Path, help="directory of a run to show; a small one is trained otherwise")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to train that small one")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"), help="where the pictures go")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        run = arguments.run or record(Path(scratch), arguments.seconds)
        for size in SIZES:
            asyncio.run(take(size, run.resolve(), arguments.out))


if __name__ == "__main__":
    main()
