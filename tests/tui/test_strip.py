"""The strip of next characters: everything can be seen, everything fits, numbers and clicks take."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from chargru.tui.glyphs import ASCII
from chargru.tui.messages import NextCharacter
from chargru.tui.widgets.strip import COUNT, NextStrip, arrange, name, percent
from tests.tui.fakes import FORBIDDEN, press, settle

SOME = tuple(NextCharacter(c, p) for c, p in (("e", 0.62), (" ", 0.2), ("\n", 0.1), ("한", 0.05), ("\x1b", 0.001)))


def test_every_character_has_a_name_that_shows() -> None:
    assert [name(c) for c in "e \n\t한"] == ["e", "␣", "⏎", "⇥", "한"]
    assert [name(c, ASCII) for c in " \n\t"] == ["space", "\\n", "tab"]
    assert name("\u0301") == "◌\u0301"
    assert (name("\u200b"), name("\u00a0"), name("\ue000")) == ("U+200B", "nbsp", "U+E000")
    for character in map(chr, range(0x2FFF)):
        shown = name(character)
        assert cell_len(shown) > 0, hex(ord(character))
        assert not FORBIDDEN.search(shown), hex(ord(character))


def test_probabilities_fit_four_cells() -> None:
    assert [percent(p) for p in (1.0, 0.625, 0.006, 0.004, 0.0)] == ["100%", "62%", "1%", "<1%", "<1%"]


@pytest.mark.parametrize("cells", [20, 58, 76, 96, 156])
def test_cells_are_as_wide_as_they_say(cells: int) -> None:
    found = arrange(SOME, cells)
    assert 1 <= len(found) <= COUNT
    assert found[-1].left + found[-1].width <= cells
    for cell in found:
        assert cell_len(cell.head + cell.filled + cell.empty + cell.tail) <= cell.width - 1
    if cells >= 76:
        assert len(found) == COUNT
        assert len(found[0].filled) > len(found[1].filled) > 0
    assert arrange((), cells) == []


class StripApp(App[int]):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []
        self.left: list[str | None] = []

    def compose(self) -> ComposeResult:
        yield NextStrip(id="strip")

    def on_next_strip_taken(self, message: NextStrip.Taken) -> None:
        self.taken.append(message.character)

    def on_next_strip_left(self, message: NextStrip.Left) -> None:
        self.left.append(message.key.character if message.key else None)


async def test_numbers_marks_and_clicks_take_and_letters_go_back() -> None:
    app = StripApp()
    async with app.run_test(size=(80, 3)) as pilot:
        strip = app.query_one(NextStrip)
        strip.show(SOME)
        strip.focus()
        await press(pilot, "3", "5", "enter", "right", "enter", "left", "left", "enter", "6", "x", "escape")
        assert app.taken == ["\n", "\x1b", "e", " ", "\x1b"]
        assert app.left == ["6", "x", None]
        await pilot.click(NextStrip, offset=(17, 0))
        await settle(pilot)
        assert app.taken[-1] == " "
        assert app.left == ["6", "x", None, None]  # and back to the prompt
        strip.show(SOME[:1])
        await press(pilot, "4")
        assert len(app.taken) == 6
