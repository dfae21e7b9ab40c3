"""Five thousand strings that nobody would write, through every screen and every command: nothing acts or passes raw.

The strings are drawn with a fixed seed from what has broken terminal programs; tests/tui/test_hostile.py tells them
one by one. Each round fills all sinks of a screen at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from chargru.config import TrainRequest
from chargru.errors import ChargruError, TextError
from chargru.events import Failed, Finished, Notice, Recovered, Sampled, Saved
from chargru.tui.app import ChargruApp
from chargru.tui.archive import RunCurves, RunRow
from chargru.tui.library import Choice, TextPreview
from chargru.tui.messages import CompletionEnded, PreviewRead, Problem, RunsChanged, TrainingWanted
from chargru.tui.widgets.completion import CompletionCard
from chargru.tui.widgets.prompt import PromptArea
from chargru.tui.widgets.texts import PathInput
from tests.cli.conftest import Command
from tests.tui.fakes import (
    FORBIDDEN,
    HOSTILE,
    FakeCopies,
    FakeLibrary,
    FakeModel,
    FakeModels,
    FakeNext,
    FakeRunner,
    assert_sound,
    evaluated,
    hear,
    make_app,
    press,
    progress,
    settle,
    started,
    until,
)

SCREENS, COMMANDS = 4_200, 800  # strings

PARTS = (
    *HOSTILE,
    *(chr(point) for point in (*range(0x20), *range(0x7F, 0xA0))),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202d\u202e\u2066\u2069\u200b\u200d\ufeff\ufff9\ufffe\ud83d\udc69\u0300\u20e3",
    *(
        "[",
        "]",
        "[/]",
        "[b]",
        "[/b",
        "[@click=quit]",
        "[link=x]",
        "[$primary]",
        "\\[",
        "[[",
        "[1;31m",
        "\x1b[",
        "\x1b]8;;",
    ),
    *("{}", "{0}", "%s", "$x", "${x}", "&amp;", "<b>", "`", "'", '"', "\\", "/", "//", "..", "~", "-", "--", "*"),
    *("a", "word ", "  ", "\t", "\n", "\r\n", "한", "字", "ÅÅ", "ﷺ", "🇩🇪", "❤️", "x" * 90, "長" * 45, "e\u0301"),
)


def strings(seed: int) -> Iterator[str]:
    """Hostile strings without end, the same for the same seed."""
    draw = random.Random(seed)
    while True:
        yield "".join(draw.choices(PARTS, k=draw.randint(1, 9)))


class Spring:
    """Gives strings and counts them."""

    def __init__(self, seed: int) -> None:
        self._strings = strings(seed)
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        return next(self._strings)

    def many(self, count: int) -> tuple[str, ...]:
        return tuple(self() for _ in range(count))


class Texts(FakeLibrary):
    """Texts of which everything is hostile; every third cannot be read."""

    def __init__(self, spring: Spring) -> None:
        super().__init__()
        self.spring = spring

    def choices(self) -> list[Choice]:
        return [Choice("tales", *self.spring.many(2), 10)] + [Choice(*self.spring.many(3), 10) for _ in range(8)]

    def preview(self, spec: str, *, encoding: str | None = None, replace: bool = False) -> TextPreview:
        if len(spec) % 3 == 0:
            raise TextError(*self.spring.many(2))
        name, encoding = self.spring.many(2)
        return TextPreview(name, self.spring.many(6), 10, 5, encoding, self.spring.many(2), self.spring.many(3), False)


class Copies(FakeCopies):
    def place(self, span: object) -> str:
        return PARTS[12] + "[/b]\x1b[2J"


class Models(FakeModels):
    """Runs of which everything is hostile; the third is broken."""

    def __init__(self, spring: Spring, model: FakeModel) -> None:
        super().__init__(model=model)
        self.spring = spring

    def runs(self) -> list[RunRow]:
        draw, rows = self.spring, []
        for number, state in enumerate(("live", "finished", "broken", "stopped")):
            name, corpus, shape, when, what, told, model = draw.many(7)
            problem = draw() if state == "broken" else ""
            facts, models = ((what, told),), (model,)
            rows.append(
                RunRow(
                    name,
                    f"runs/{number}",
                    corpus,
                    shape,
                    3,
                    1.5,
                    when,
                    problem,
                    state,
                    3.0,
                    (2.0, 1.5),
                    9,
                    facts,
                    models,
                )
            )
        return rows

    def curves(self, runs: object) -> list[RunCurves]:
        points = (((1, 1.0, 2.0), (2, 2.0, 1.5)),)
        draw = self.spring
        return [
            RunCurves(f"runs/{number}", points, sample=(2, *draw.many(2)), notes=draw.many(2), problem=draw())  # type: ignore[arg-type]
            for number in range(4)
        ]

    def differences(self, runs: object) -> list[str]:
        return list(self.spring.many(2))

    def name_for(self, typed: str) -> str:
        return self.spring()

    def describe(self, checkpoint: Path) -> str:
        return self.spring()

    def copies(self, checkpoint: Path) -> FakeCopies:
        return Copies()


async def corpus_round(app: ChargruApp, pilot: Pilot[int], spring: Spring) -> None:
    """Previews, problems, a path typed and one chosen."""
    await app.action_show_screen("corpus")
    screen: Any = app.screen
    screen._read_choices()
    for spec in spring.many(3):
        screen.choose(spec)
        screen.post_message(PreviewRead(spec, app.library.preview("four"), turn=screen._turn))
        await settle(pilot)
        assert_sound(app)
        screen.post_message(PreviewRead(spec, None, *spring.many(2), turn=screen._turn))
        await settle(pilot)
        assert_sound(app)
    screen.query_one(PathInput).value = spring()
    screen.query_one(PathInput).mean(spring())
    await settle(pilot)
    assert_sound(app)


async def train_round(app: ChargruApp, pilot: Pilot[int], spring: Spring) -> None:
    """A training of which everything told is hostile."""
    app.post_message(TrainingWanted(TrainRequest(corpus=spring() or "x", time=30)))
    await until(pilot, lambda: app.current_mode == "train")
    await hear(pilot, app, Notice(spring()))
    assert_sound(app)
    run, path, corpus, device, backend = spring.many(5)
    begun = started(run=run, path=path, corpus=corpus, device=device, backend=backend)
    await hear(pilot, app, begun, *map(Notice, spring.many(4)), progress(20), evaluated(20))
    for step in range(30, 34):
        told = (
            Sampled(step, *spring.many(2), 0.8),
            Recovered(step, 20, 1, 1e-3, spring()),
            Saved(step, spring(), True),
        )
        await hear(pilot, app, *told)
        assert_sound(app)
    ended = Failed(*spring.many(2)) if len(corpus) % 2 else Finished(*spring.many(2), 1.5, 40, 3.0, 9.0)
    await hear(pilot, app, ended)
    assert_sound(app)


async def play_round(app: ChargruApp, pilot: Pilot[int], spring: Spring, model: FakeModel) -> None:
    """A prompt, how it is read, ghosts, next characters, completions, and what is said of all that."""
    model.pieces, model.notes, model.story = spring.many(4), spring.many(2), spring()
    model.next = tuple(FakeNext(text[:1] or " ", 0.2) for text in spring.many(5))
    await app.action_show_screen("play")
    await until(pilot, lambda: app.screen.query(PromptArea))
    prompt = app.screen.query_one(PromptArea)
    prompt.rewrite(spring())
    prompt.show_ghost(spring())
    await settle(pilot)
    assert_sound(app)
    prompt.focus()
    asked = len(model.asked)
    await press(pilot, "enter")
    await until(pilot, lambda: len(model.asked) > asked or app.screen.query_one("#play-model").selection is None)
    await settle(pilot)
    assert_sound(app)
    app.screen.post_message(CompletionEnded(app.screen._turn, *spring.many(2)))  # type: ignore[attr-defined]
    await settle(pilot)
    assert_sound(app)
    for card in app.screen.query(CompletionCard):
        assert not FORBIDDEN.search(str(card.border_title))


async def runs_round(app: ChargruApp, pilot: Pilot[int], spring: Spring) -> None:
    """The table, curves, details, the question before deleting, another name, what was done."""
    await app.action_show_screen("runs")
    screen: Any = app.screen
    screen.look()
    await until(pilot, lambda: screen._asked is None)
    for key in ("down", "space", "down", "space", "i"):
        await press(pilot, key)
        assert_sound(app)
    screen.post_message(RunsChanged(spring()))
    await press(pilot, "up", "d")
    assert_sound(app)
    await press(pilot, *(["n"] if len(app.screen_stack) > 1 else []), "n")
    assert_sound(app)
    await press(pilot, "escape", "escape", "escape")


async def toast_round(app: ChargruApp, pilot: Pilot[int], spring: Spring) -> None:
    """What is told, copied and gone wrong."""
    app.clear_notifications()
    app.tell(spring(), title=spring(), severity="error")
    app.copy(spring(), spring())
    app.post_message(Problem(*spring.many(2)))
    await settle(pilot)
    assert_sound(app)
    await press(pilot, "f1")
    assert_sound(app)
    await press(pilot, "escape")
    app.clear_notifications()


@pytest.mark.long
@pytest.mark.parametrize(("size", "share"), [((80, 24), 0.6), ((160, 48), 0.4)])
async def test_thousands_of_strings_through_every_screen(
    size: tuple[int, int], share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spring, model = Spring(size[0]), FakeModel()
    models = Models(spring, model)
    app = make_app(runner=FakeRunner(), library=Texts(spring), models=models)
    async with app.run_test(size=size) as pilot:
        while spring.given < share * SCREENS:
            await corpus_round(app, pilot, spring)
            await train_round(app, pilot, spring)
            await play_round(app, pilot, spring, model)
            await runs_round(app, pilot, spring)
            await toast_round(app, pilot, spring)
        assert app.is_running
    assert app.return_code in (0, None)


@pytest.mark.long
def test_hundreds_of_strings_through_every_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    chargru, spring = Command(capsys), Spring(7)
    ways = (
        lambda text: ("train", text, "--steps", "1"),
        lambda text: ("train", "tales", "--steps", text),
        lambda text: ("train", "tales", "--time", text),
        lambda text: ("train", "--resume", text),
        lambda text: ("sample", text),
        lambda text: ("eval", text, "tales"),
        lambda text: ("eval", "nothing", text),
        lambda text: ("tui", text),
        lambda text: (text,),
        lambda text: ("sample", "nothing", "--temperature", text),
    )
    while spring.given < COMMANDS:
        for way in ways:
            text = spring()
            if names_something(text):
                continue
            code = chargru(*way(text))
            assert code in (0, 1, 2), text
            for said in (chargru.out, chargru.err):
                assert not FORBIDDEN.search(said.replace("\n", "")), ascii(said)
            assert "Traceback" not in chargru.err
            assert "internal error" not in chargru.err, ascii(text)


def names_something(text: str) -> bool:
    """Whether it is a path that there is, as "/" is: reading everything below that is another test's matter."""
    try:
        return Path(text.strip() or ".").exists()
    except (OSError, ValueError):
        return False


def test_the_strings_are_worth_their_name() -> None:
    spring = Spring(1)
    drawn = spring.many(1_000)
    assert spring.given == 1_000
    assert len(set(drawn)) > 950
    assert sum(bool(FORBIDDEN.search(text)) for text in drawn) > 700
    assert any("[/" in text for text in drawn)
    assert not isinstance(ChargruError("x"), TextError)
