"""Rooms and a trainer of paper: what the app's tests put in place of disks, models and processes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot

from chargru.config import SamplingConfig, TrainRequest
from chargru.errors import RunError, TextError
from chargru.events import Evaluated, Event, Progress, Sampled, Saved, Started
from chargru.tui.app import ChargruApp
from chargru.tui.archive import RunCurves, RunRow
from chargru.tui.library import Choice, Outlook, TextPreview
from chargru.tui.models import Model
from chargru.tui.remembered import Remembered

# Everything that has broken a terminal program: markup, live actions, escape sequences, wide and reordering text.
HOSTILE = (
    "[/bold]",
    "[@click=app.quit]leave[/]",
    "[red",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b2J\x00\x7f",
    "한글 텍스트와 日本語",
    "abc\u202etxt.exe\u2066",
    "e\u0301\u0308\u0323" * 3,
    "👩‍👩‍👧‍👦 \ufe0f",
    "\ud800 lone",
    "tab\there\r\nline\u2028line",
)
NASTY = " ".join(HOSTILE)
# C0, DEL, C1, bidirectional controls and lone surrogates: what must never reach a terminal.
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def started(**changes: object) -> Started:
    values: dict[str, object] = {
        "run": "tales",
        "path": "checkpoints/tales",
        "corpus": "tales",
        "characters": 1_115_394,
        "train_chars": 1_003_854,
        "val_chars": 111_540,
        "vocab_size": 65,
        "hidden_size": 256,
        "num_layers": 2,
        "parameters": 1_112_641,
        "batch_size": 32,
        "seq_len": 64,
        "budget": "time",
        "budget_amount": 180.0,
        "device": "CPU",
        "backend": "numpy",
        "threads": 2,
        "seed": 1,
        "step": 0,
        "fraction": 0.0,
    }
    return Started(**{**values, **changes})  # type: ignore[arg-type]


def progress(step: int, total: int = 3000, loss: float | None = None, **changes: object) -> Progress:
    fraction = step / total
    values: dict[str, object] = {
        "step": step,
        "fraction": fraction,
        "epoch": step * 2048 / 1_003_854,
        "loss": 1.3 + 2.9 * math.exp(-step / 250) + 0.05 * math.sin(step) if loss is None else loss,
        "gradient_norm": 0.41,
        "learning_rate": 5.1e-3,
        "chars_per_second": 57_600.0,
        "elapsed": 180 * fraction,
        "remaining": 180 * (1 - fraction),
        "memory": 412_000_000,
    }
    return Progress(**{**values, **changes})  # type: ignore[arg-type]


def evaluated(step: int, total: int = 3000) -> Evaluated:
    loss = 1.42 + 2.7 * math.exp(-step / 260)
    return Evaluated(step, step / total, loss, loss - 0.1, loss, step, 8192, False, 180 * step / total)


def sampled(step: int, text: str = "The king was in his garden, and the rain fell on the walls.") -> Sampled:
    return Sampled(step, "", text, 0.8)


def saved(step: int, path: str = "checkpoints/tales/step-000500.safetensors", best: bool = True) -> Saved:
    return Saved(step, path, best)


def some_training(upto: int = 1840, every: int = 20) -> list[Event]:
    """The events of a training until step `upto`."""
    events: list[Event] = [started()]
    for step in range(every, upto + 1, every):
        events.append(progress(step))
        if step % (5 * every) == 0:
            events.append(evaluated(step))
    return [*events, sampled(upto), saved(upto)]


class FakeRunner:
    """Plays whatever a test puts in its mailbox and remembers what it was told."""

    def __init__(self) -> None:
        self.requests: list[TrainRequest] = []
        self.words: list[str] = []
        self.closed: list[float] = []
        self.mail: list[Event] = []

    def start(self, request: TrainRequest) -> None:
        self.requests.append(request)

    def send(self, word: str) -> None:
        self.words.append(word)

    def drain(self) -> list[Event]:
        events, self.mail = self.mail, []
        return events

    def close(self, grace: float) -> None:
        self.closed.append(grace)


class FakeLibrary:
    """Two texts and whatever a test adds; a spec that is neither is a missing file."""

    def __init__(self, *extra: str) -> None:
        self.names = ("tales", "python-reference", *extra)

    def choices(self) -> list[Choice]:
        return [Choice(name, name, f"a text called {name}", 1_115_394) for name in self.names]

    def recent(self, specs: Sequence[str]) -> list[Choice]:
        return [Choice(spec, Path(spec).name, spec, None, recent=True) for spec in specs]

    def preview(self, spec: str, *, encoding: str | None = None, replace: bool = False) -> TextPreview:
        if spec not in self.names:
            raise TextError(f"there is no text {spec!r}", "chargru corpora lists what there is")
        return TextPreview(
            spec, ("Once upon a time", f"there was {spec}."), 1_115_394, 65, "utf-8", ("Latin",), (), True
        )

    def forecast(self, spec: str, seconds: float, settings: Mapping[str, Any], **_: Any) -> Outlook | None:
        return Outlook(256, 1, 22_000 * seconds, 22_000 * seconds / 1_003_854, 1.55, 1.42, 1.71)


@dataclass
class FakeReading:
    text: str
    notes: tuple[str, ...] = ()


def paper_nats(text: str) -> list[float]:
    """A surprisal for every character: vowels are likely, blanks surest, capitals a surprise, the rest between."""
    likely = dict.fromkeys("aeiou", 0.8) | {" ": 0.1}
    return [likely.get(character, 6.0 if character.isupper() else 2.0) for character in text]


class FakeStream:
    def __init__(
        self, prompt: str, pieces: list[list[str]], notes: tuple[str, ...], scores: Sequence[float] = ()
    ) -> None:
        self.reading = FakeReading(prompt, notes)
        self.pieces: Iterable[list[str]] = pieces
        self.scores = list(scores)
        self.texts: list[str] = []
        self.surprisals: list[list[float]] = []

    def __iter__(self) -> Iterator[list[str]]:
        for gained in self.pieces:
            self.texts = self.texts or [""] * len(gained)
            self.texts = [have + more for have, more in zip(self.texts, gained, strict=True)]
            self.surprisals = [paper_nats(text) for text in self.texts]
            self.scores = self.scores or [-1.0 - 0.1 * i for i in range(len(gained))]
            yield gained


@dataclass
class FakeNext:
    character: str
    probability: float


@dataclass
class FakeRead:
    reading: FakeReading
    surprisals: list[float]
    next: tuple[FakeNext, ...]

    def likeliest(self, n: int = 5) -> tuple[FakeNext, ...]:
        return self.next[:n]


class FakePromptReader:
    """Goes on with the model's story where the prompt begins it, else with its first piece."""

    def __init__(self, model: FakeModel) -> None:
        self.model = model
        self.texts: list[str] = []  # everything that was read

    def read(self, text: str, *, should_stop: Callable[[], bool] = bool) -> FakeRead:
        self.texts.append(text)
        return FakeRead(FakeReading(text, self.model.notes), paper_nats(text), self.model.next)

    def ghost(self, limit: int = 60, *, newlines: bool = False, should_stop: Callable[[], bool] = bool) -> str:
        text, story = self.texts[-1], self.model.story
        ghost = story[len(text) :] if story.startswith(text) else self.model.pieces[0]
        head, line, _ = ghost.partition("\n")
        return (head + line)[:limit]


@dataclass
class FakeModel:
    """Writes these pieces after every prompt; every completion but the first ends with its number, unless `alike`."""

    pieces: tuple[str, ...] = (" and", " then", " it rained.")
    notes: tuple[str, ...] = ()
    asked: list[tuple[str, SamplingConfig]] = field(default_factory=list)
    alike: bool = False
    scores: tuple[float, ...] = ()
    story: str = "Once upon a time there was a king. He slept.\nThen it rained."
    next: tuple[FakeNext, ...] = (
        FakeNext("e", 0.62),
        FakeNext(" ", 0.2),
        FakeNext("\n", 0.1),
        FakeNext("[", 0.05),
        FakeNext("한", 0.001),
    )
    readers: list[FakePromptReader] = field(default_factory=list)

    def stream(self, prompt: str, sampling: SamplingConfig, *, chunk: int = 8, reader: object = None) -> FakeStream:
        self.asked.append((prompt, sampling))
        rows = [[piece] * sampling.count for piece in self.pieces]
        if not self.alike:
            rows[-1] = [piece + (f" {i + 1}" if i else "") for i, piece in enumerate(rows[-1])]
        return FakeStream(prompt, rows, self.notes, self.scores)

    def reader(self) -> FakePromptReader:
        self.readers.append(FakePromptReader(self))
        return self.readers[-1]


@dataclass
class FakeSpan:
    start: int
    end: int
    position: int


@dataclass
class FakeCopies:
    """A training text of paper: this stretch stands in it."""

    stretch: str = " then it rained"

    def spans(self, text: str, least: int = 20) -> list[FakeSpan]:
        at = text.find(self.stretch)
        return [] if at < 0 else [FakeSpan(at, at + len(self.stretch), 430)]

    def new_fraction(self, text: str) -> float:
        return 1 - sum(span.end - span.start for span in self.spans(text)) / len(text)

    def place(self, span: FakeSpan) -> str:
        return "stand at 43%, line 1,204: …and then it rained all night…"


class FakeModels:
    """Runs of paper, all with the same model."""

    def __init__(self, *names: str, model: FakeModel | None = None) -> None:
        self.names = names
        self.model = model or FakeModel()
        self.opened: list[Path] = []

    def runs(self) -> list[RunRow]:
        return [
            RunRow(name, f"checkpoints/{name}", "tales", "GRU 2×256", 3000, 1.52, "2026-01-01T12:00:00+00:00")
            for name in self.names
        ]

    def newest(self, run: str) -> Path:
        if not run:
            raise RunError("there is no such run")
        return Path(run)

    def open(self, checkpoint: Path) -> Model:
        self.opened.append(checkpoint)
        return self.model

    def describe(self, checkpoint: Path) -> str:
        return "model at step 3,000 · validation loss 1.520"

    def copies(self, checkpoint: Path) -> FakeCopies:
        return FakeCopies()

    def going_on(self, run: str, out: str | None) -> TrainRequest:
        return TrainRequest(resume=run, out=out)

    def history(self, run: str) -> list[Event]:
        return []

    def curves(self, runs: Sequence[str]) -> list[RunCurves]:
        return [RunCurves(run) for run in runs]

    def differences(self, runs: Sequence[str]) -> list[str]:
        return []

    def name_for(self, typed: str) -> str:
        return typed

    def rename(self, run: str, new: str) -> str:
        return f"checkpoints/{new}"

    def delete(self, run: str) -> list[str]:
        return []

    def export(self, runs: Sequence[str]) -> str:
        return "metrics.csv"


def make_app(corpus: str | None = None, **rooms: object) -> ChargruApp:
    """An app on paper rooms; give those that the test cares about."""
    models = rooms.get("models") or FakeModels()
    app = ChargruApp(
        corpus,
        runner=rooms.get("runner") or FakeRunner(),  # type: ignore[arg-type]
        library=rooms.get("library") or FakeLibrary(),  # type: ignore[arg-type]
        models=models,  # type: ignore[arg-type]
        archive=rooms.get("archive") or models,  # type: ignore[arg-type]
        remembered=rooms.get("remembered") or Remembered(None),  # type: ignore[arg-type]
    )
    app.animation_level = "none"
    return app


def painted(app: ChargruApp) -> list[str]:
    """The screen's lines as a terminal would get them, without styles."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def words_on(app: ChargruApp) -> str:
    """What stands on the screen as running text: frames and line breaks left out."""
    return re.sub(r"[\s│█▌▐╭╮╰╯─]+", " ", "\n".join(painted(app)))


def at_rest(app: ChargruApp) -> bool:
    """Whether no widget has a message to take in or a call to make, and the screen in front has its size.

    A screen that was just put in front may still be composing itself; it paints no lines before.
    """
    front = app.screen
    if front._compositor.size != app.size or front._callbacks:
        return False
    return not any(pump.message_queue_size or pump._next_callbacks for pump in (app, *front.walk_children()))


async def settle(pilot: Pilot[int]) -> None:
    """Let every widget take in the messages that wait for it; unlike Pilot.pause it needs no idle processor.

    What comes of a key may take several turns, more of them on a slow machine; what never rests, like a chart that a
    training moves, is not waited for.
    """
    app: ChargruApp = pilot.app  # type: ignore[assignment]
    for turn in range(40):
        await pilot.pause(0)
        if not app.is_running or (turn and at_rest(app)):
            return


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press keys one after another; Pilot.press would wait for an idle processor after each."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(pilot)


async def until(pilot: Pilot[int], condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Let the app work until the condition holds: threads answer when they do."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "the app did not get there"
        await pilot.pause(0.01)
    await settle(pilot)


async def hear(pilot: Pilot[int], app: ChargruApp, *events: Event) -> None:
    """The worker tells these events; the app has taken them in and painted them."""
    assert isinstance(app.runner, FakeRunner)
    app.runner.mail += events
    app._pump.tick()
    await settle(pilot)
    app.tell_screens()
    await settle(pilot)
    for chart in app.screen.query(".loss-chart"):
        chart.redraw()  # type: ignore[attr-defined]
    await settle(pilot)


def assert_sound(app: ChargruApp) -> None:
    """Nothing on the screen is wider than it, and nothing in it would be obeyed by a terminal."""
    width, height = app.size
    lines = painted(app)
    assert len(lines) == height
    for line in lines:
        assert cell_len(line) <= width, line
        assert not FORBIDDEN.search(line), ascii(line)
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            actions = [value for key, value in (segment.style.meta if segment.style else {}).items() if "@" in key]
            assert not any("quit" in str(action) for action in actions)
