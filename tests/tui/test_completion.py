"""Cards: painted bit by bit as wide as they say, marked without colour, laid out so that one can read them."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult

from chargru.config import SamplingConfig
from chargru.tui.continuations import Batch, Continuation
from chargru.tui.models import CopiedSpan, CopiedText, Ranked
from chargru.tui.widgets.completion import MOST, CompletionCard, CompletionGrid, grid
from tests.tui.fakes import FORBIDDEN, HOSTILE, NASTY, paper_nats, settle

FAMILY = "👩‍👩‍👧‍👦"


class CardApp(App[int]):
    CSS_PATH = ["../../chargru/tui/styles/play.tcss"]  # noqa: RUF012  (Textual declares it so)

    def compose(self) -> ComposeResult:
        yield CompletionGrid(id="completions")


def painted(card: CompletionCard) -> list[str]:
    """The card's lines in sight; each is as wide as it says, and nothing in it would be obeyed."""
    strips = [card.render_line(y) for y in range(card.size.height)]
    for strip in strips:
        assert cell_len(strip.text) == strip.cell_length == card.scrollable_content_region.width
        assert not FORBIDDEN.search(strip.text)
    return [strip.text.rstrip() for strip in strips]


def written(card: CompletionCard, pieces: tuple[str, ...], prompt: str = "Once") -> None:
    continuation = Continuation()
    card.show(continuation, prompt, writing=True)
    for piece in pieces:
        continuation.grow(piece, paper_nats(piece))
        card.grow()
    card.end()


async def test_text_that_comes_bit_by_bit_is_painted_as_if_at_once() -> None:
    app = CardApp()
    async with app.run_test(size=(28, 20)) as pilot:
        (card,) = app.query_one(CompletionGrid).use(1)
        await settle(pilot)
        strange = (NASTY, f"{FAMILY * 9} e\u0301\u0308nd", "한글 텍스트와 日本語 " * 5, "\n\na\n\n", *HOSTILE)
        for text in strange:
            written(card, tuple(text))
            bit_by_bit = painted(card)
            written(card, (text,))
            assert painted(card) == bit_by_bit
            assert card.text == text


async def test_only_the_last_line_is_wrapped_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = CardApp()
    async with app.run_test(size=(40, 10)) as pilot:
        (card,) = app.query_one(CompletionGrid).use(1)
        await settle(pilot)
        starts: list[int] = []
        from chargru.tui.widgets import completion

        real = completion.wrap
        monkeypatch.setattr(completion, "wrap", lambda *a: (starts.append(a[2] if len(a) > 2 else 0), real(*a))[1])
        written(card, ("the rain fell on the walls ",) * 200)
        # a long text costs no more than a short one: wrapping begins in the last line
        assert starts[-1] > 27 * 197
        assert len(painted(card)) == card.size.height


async def test_surprise_and_copies_read_without_colour() -> None:
    app = CardApp()
    async with app.run_test(size=(40, 10)) as pilot:
        (card,) = app.query_one(CompletionGrid).use(1)
        await settle(pilot)
        written(card, (" a KING",))

        def style_of(text: str) -> Style:
            return next(s.style for s in card.render_line(0) if text in s.text and s.style)

        assert not style_of("a").underline
        card.use("surprisal")
        assert style_of("KING").reverse
        assert not style_of("Once").reverse
        card.use("copied")
        card.continuation.copied = CopiedText(0.4, (CopiedSpan(1, 3, "somewhere"),))
        assert style_of("a ").underline
        assert not style_of("KING").underline
        unit = card.unit_at(5, 0)
        assert unit is not None
        assert card.continuation.span_at(unit.start) == CopiedSpan(1, 3, "somewhere")
        assert card.unit_at(2, 0) is None  # the prompt
        assert card.unit_at(30, 0) is None
        card.tell()
        assert "new 40%" in str(card.border_subtitle)


@pytest.mark.parametrize(("width", "height"), [(60, 8), (80, 14), (100, 19), (160, 36)])
@pytest.mark.parametrize("count", range(1, MOST + 1))
def test_one_to_eight_cards_fit(count: int, width: int, height: int) -> None:
    columns, rows = grid(count, width, height)
    assert columns * -(-count // columns) >= count
    assert columns * 26 <= max(width, 26)
    assert rows >= min(5, height)
    assert -(-count // columns) * rows <= height or rows == 5
    if count == 3 and width >= 80:
        assert columns == 3


async def test_cards_in_a_narrow_terminal_scroll() -> None:
    app = CardApp()
    async with app.run_test(size=(80, 14)) as pilot:
        panel = app.query_one(CompletionGrid)
        for count in (8, 1, 4):
            cards = panel.use(count)
            await settle(pilot)
            assert [card.display for card in panel.query(CompletionCard)] == [True] * count + [False] * (MOST - count)
            assert all(card.size.width >= 22 and card.size.height >= 3 for card in cards)
        panel.use(8)
        await settle(pilot)
        assert panel.max_scroll_y > 0


def test_a_batch_is_ranked_and_equal_ones_left_out() -> None:
    batch = Batch("Once", "runs/a", SamplingConfig(count=3))
    batch.members = [Continuation() for _ in range(3)]
    batch.grow(("a", "b", "a"), ((1.0,), (2.0,), (1.0,)))
    batch.grow(("c", "", "c"), ((1.0,), (), (1.0,)))
    batch.rank((Ranked(1, -0.5, 1), Ranked(0, -0.9, 2)))
    assert [(member.text, member.nats, member.score) for member in batch.members] == [
        ("b", [2.0], -0.5),
        ("ac", [1.0, 1.0], -0.9),
    ]
    assert (batch.alike, batch.ended) == (1, True)

    fresh = Batch("Once", "runs/b", SamplingConfig(count=3))
    fresh.members = [Continuation(text) for text in "xyz"]
    fresh.rank((Ranked(2, -0.1, 1), Ranked(0, -0.2, 1), Ranked(1, -0.3, 1)), like=batch)
    assert [member.text for member in fresh.members] == ["y", "x", "z"]  # where they were; what is new comes last
