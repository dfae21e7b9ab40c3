"""What painting may cost and what it may need: long texts, one colour, no braille, a slow line. See test_traps.py."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable

import pytest
from textual.app import App
from textual.content import Content
from textual.strip import Strip

from chargru.config import TrainRequest
from chargru.events import Notice, Sampled
from chargru.tui.continuations import Continuation
from chargru.tui.messages import TrainingWanted
from chargru.tui.remembered import Remembered
from chargru.tui.units import Unit
from chargru.tui.widgets import completion
from chargru.tui.widgets.completion import CompletionCard, CompletionGrid
from chargru.tui.widgets.log import _rows
from chargru.tui.widgets.sample import SAMPLE_LIMIT
from tests.tui.fakes import (
    FakeModel,
    FakeModels,
    FakeNext,
    FakeRunner,
    assert_sound,
    hear,
    make_app,
    painted,
    press,
    progress,
    settle,
    some_training,
    started,
    until,
)

# -- 8: what is painted does not grow with what was written ------------------------------------------------------------

LIMIT = 4_000  # characters that one update of a completion may look at or paint
PIECES, PIECE = 50, "and then it rained again " * 32


class Work:
    """The characters that a completion's card handles, one number an update: taken apart, wrapped and painted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.updates: list[int] = []
        units, wrap, grow, line = completion.units, completion.wrap, CompletionCard.grow, CompletionCard.render_line

        def counted_units(text: str, offset: int = 0) -> list[Unit]:
            self.add(len(text))
            return units(text, offset)

        def counted_wrap(found: list[Unit], width: int, start: int = 0, **more: int) -> list[tuple[int, int]]:
            self.add(len(found) - start)
            return wrap(found, width, start, **more)

        def counted_grow(card: CompletionCard) -> None:
            self.updates.append(0)
            grow(card)

        def counted_line(card: CompletionCard, y: int) -> Strip:
            strip = line(card, y)
            self.add(strip.cell_length)
            return strip

        monkeypatch.setattr(completion, "units", counted_units)
        monkeypatch.setattr(completion, "wrap", counted_wrap)
        monkeypatch.setattr(CompletionCard, "grow", counted_grow)
        monkeypatch.setattr(CompletionCard, "render_line", counted_line)

    def add(self, characters: int) -> None:
        if self.updates:
            self.updates[-1] += characters


async def write_long(work: Work) -> None:
    """Write 40,000 characters into a completion, piece by piece, painting each."""
    app = make_app(models=FakeModels("tales-1"))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "f4")
        await until(pilot, lambda: app.screen.query(CompletionGrid))
        grid = app.screen.query_one(CompletionGrid)
        grid.display = True
        (card,) = grid.use(1)
        told = Continuation()
        card.show(told, "Once", writing=True)
        await settle(pilot)
        work.updates.clear()
        for _ in range(PIECES):
            told.grow(PIECE, ())
            card.grow()
            await pilot.pause(0)
        assert len(card.text) == PIECES * len(PIECE) == 40_000


@pytest.mark.long
async def test_8_a_long_completion_costs_no_more_to_paint_than_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch)
    await write_long(work)
    assert len(work.updates) == PIECES
    assert statistics.median(work.updates[-20:]) > len(PIECE)  # something was counted
    assert max(work.updates[PIECES // 2 :]) <= LIMIT
    assert max(work.updates) <= 3 * LIMIT  # once, when the scroll bar takes its column


@pytest.mark.long
async def test_8_the_count_notices_a_card_that_is_wrapped_anew_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = CompletionCard._flow
    monkeypatch.setattr(CompletionCard, "_flow", lambda card, *, from_last=False: flow(card))
    work = Work(monkeypatch)
    await write_long(work)
    assert max(work.updates) > 10 * LIMIT


@pytest.mark.long
async def test_8_a_long_sample_is_cut_and_a_new_line_of_a_long_log_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    real = Content.__init__

    def counted(self: Content, text: str = "", *rest: object, **more: object) -> None:
        lengths.append(len(text))
        real(self, text, *rest, **more)  # type: ignore[arg-type]

    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
        await until(pilot, lambda: app.current_mode == "train")
        await hear(pilot, app, started(), progress(20))
        monkeypatch.setattr(Content, "__init__", counted)
        await hear(pilot, app, Sampled(20, "", "rain " * 20_000, 0.8))
        assert 1_000 < max(lengths) <= SAMPLE_LIMIT
        await hear(pilot, app, *(Notice(f"{n} " + "x" * 5_000) for n in range(300)))
        assert max(lengths) < 50_000  # of 1,500,000
        made = _rows.cache_info().misses
        await hear(pilot, app, Notice("one more"))
        assert _rows.cache_info().misses <= made + 2


# -- 11: one colour, no braille, a slow line ---------------------------------------------------------------------------


def colours_on(app: App[int]) -> set[str]:
    """Colours painted, but for greys: without colours there must be none."""
    found = set()
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                if colour is not None and not colour.is_default:
                    red, green, blue = colour.get_truecolor()
                    if not red == green == blue:
                        found.add(colour.name)
    return found


async def tour(app: App[int], pilot: object, look: Callable[[], None]) -> None:
    """Every screen, with something on it, and the panels in front."""
    for mode in ("corpus", "train", "play", "runs"):
        await app.action_show_screen(mode)  # type: ignore[attr-defined]
        await settle(pilot)  # type: ignore[arg-type]
        look()
    await press(pilot, "f1")  # type: ignore[arg-type]
    look()


@pytest.mark.long
async def test_11_no_color_is_honoured_on_every_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(runner=FakeRunner(), models=FakeModels("tales-1"))
    async with app.run_test(size=(100, 30)) as pilot:
        app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
        await until(pilot, lambda: app.current_mode == "train")
        await hear(pilot, app, *some_training())

        def look() -> None:
            assert_sound(app)
            assert colours_on(app) == set()

        await tour(app, pilot, look)
    monkeypatch.delenv("NO_COLOR")
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert colours_on(app) != set()


@pytest.mark.long
async def test_11_plain_terminals_get_ascii_on_every_screen() -> None:
    remembered = Remembered(None)
    model = FakeModel(next=(FakeNext("e", 0.6), FakeNext("\n", 0.2)))
    app = make_app(runner=FakeRunner(), models=FakeModels("tales-1", model=model), remembered=remembered)
    async with app.run_test(size=(100, 30)) as pilot:
        app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
        await until(pilot, lambda: app.current_mode == "train")
        await hear(pilot, app, *some_training())
        assert not "".join(painted(app)).isascii()  # what the check is there to find
        app.action_characters("ascii")
        await hear(pilot, app, progress(1860))

        def look() -> None:
            for line in painted(app):
                assert line.isascii(), line

        await tour(app, pilot, look)


@pytest.mark.parametrize(("line", "seconds"), [("", 0.25), ("10.0.0.1 22", 1.0)])
def test_11_over_ssh_the_chart_is_drawn_once_a_second(line: str, seconds: float) -> None:
    environment = {**os.environ, "SSH_CONNECTION": line}
    if not line:
        del environment["SSH_CONNECTION"]
    code = "from chargru.tui.runner import REDRAW; print(REDRAW)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert float(done.stdout) >= seconds
