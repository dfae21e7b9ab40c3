"""The prompt's ghost: painted where it will stand, taken by keys, never part of the text before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult
from textual.strip import Strip

from chargru.tui.widgets.prompt import PromptArea
from tests.tui.fakes import FORBIDDEN, HOSTILE, press, settle

GHOST = " was a king. He slept.\n"
FAMILY = "👩‍👩‍👧‍👦"


class PromptApp(App[int]):
    CSS_PATH = "../../chargru/tui/styles/play.tcss"

    def compose(self) -> ComposeResult:
        yield PromptArea(id="prompt")


def area_of(app: App[int]) -> PromptArea:
    return app.query_one(PromptArea)


def strips(area: PromptArea) -> list[Strip]:
    return [area.render_line(y) for y in range(area.content_size.height)]


def lines(area: PromptArea) -> list[str]:
    return [strip.text.rstrip() for strip in strips(area)]


@contextmanager
def sound(area: PromptArea) -> Iterator[None]:
    """Every painted line is as wide as it says, and nothing in it would be obeyed."""
    yield
    for strip in strips(area):
        assert cell_len(strip.text) == strip.cell_length <= area.size.width
        assert not FORBIDDEN.search(strip.text)


@pytest.mark.parametrize(
    ("key", "taken", "left"),
    [
        ("right", GHOST, ""),
        ("end", GHOST, ""),
        ("ctrl+right", " was ", "a king. He slept.\n"),
        ("ctrl+e", " was a king.", " He slept.\n"),
    ],
)
async def test_keys_take_parts_of_the_ghost(key: str, taken: str, left: str) -> None:
    app = PromptApp()
    async with app.run_test(size=(60, 6)) as pilot:
        area = area_of(app)
        await press(pilot, *"There")
        area.show_ghost(GHOST)
        assert area.text == "There"
        assert lines(area)[0] == "There was a king. He slept.⏎"
        await press(pilot, key)
        assert (area.text, area.ghost) == ("There" + taken, left)
        assert area.at_end
        await press(pilot, "ctrl+z")
        assert (area.text, area.ghost) == ("There", "")


async def test_without_a_ghost_the_keys_move_the_cursor() -> None:
    app = PromptApp()
    async with app.run_test(size=(60, 6)) as pilot:
        area = area_of(app)
        area.insert("one two\nthree")
        await press(pilot, "up", "ctrl+a")
        area.show_ghost(GHOST)
        assert area.ghost == ""
        assert lines(area)[:2] == ["one two", "three"]
        for key, column in (("right", 1), ("ctrl+right", 3), ("end", 7), ("home", 0), ("ctrl+e", 7)):
            await press(pilot, key)
            assert area.cursor_location == (0, column), key
        assert area.text == "one two\nthree"


async def test_typing_along_keeps_the_ghost_and_typing_otherwise_drops_it() -> None:
    app = PromptApp()
    async with app.run_test(size=(60, 6)) as pilot:
        area = area_of(app)
        await press(pilot, *"There")
        area.show_ghost(GHOST)
        await press(pilot, " ", "w")
        assert (area.text, area.ghost) == ("There w", GHOST[2:])
        await press(pilot, "e")
        assert (area.text, area.ghost) == ("There we", "")
        area.show_ghost("nt")
        await press(pilot, "backspace")
        assert area.ghost == ""
        area.show_ghost("as")
        area.hide_ghost()
        assert (area.ghost, lines(area)[0]) == ("", "There w")
        await press(pilot, "a")
        assert area.ghost == "s"


async def test_a_long_ghost_wraps_below_the_text() -> None:
    app = PromptApp()
    async with app.run_test(size=(20, 6)) as pilot:
        area = area_of(app)
        await press(pilot, *"There was one")
        with sound(area):
            area.show_ghost(" king in the garden")
        shown = lines(area)
        assert shown[:3] == ["There was one", "king in the", "garden"]
        await press(pilot, "right")
        assert lines(area) == shown  # what is taken stands where it was shown
        area.text = "a\nb\nc\nd\ne\nthere was one"  # longer than the prompt: a line for the ghost stays in sight
        area.move_cursor(area.document.end)
        await settle(pilot)
        with sound(area):
            area.show_ghost(" king in the garden")
        assert lines(area)[-2:] == ["there was one", "king in the"]


@pytest.mark.parametrize("text", ["한글 텍스트", FAMILY * 3, "e\u0301" * 5, "日本語\n한"])
async def test_wide_and_hostile_text_keeps_its_columns(text: str) -> None:
    app = PromptApp()
    async with app.run_test(size=(24, 6)):
        area = area_of(app)
        for ghost in ("글과 日本", f" {FAMILY}{FAMILY} end", "\u0301\u0308x\n", *HOSTILE):
            area.text = ""
            area.insert(text)
            plain = [cell_len(line) for line in lines(area)]
            with sound(area):
                area.show_ghost(ghost)
            row = area.cursor_location[0]
            assert cell_len(lines(area)[row]) > plain[row]
            assert area.text == text.replace("e\u0301", "é")
            area.action_take_or("all", "cursor_right")
            assert not FORBIDDEN.search(area.text.replace("\n", ""))
            assert strips(area)[0].cell_length == cell_len(strips(area)[0].text)


def styles_of(area: PromptArea) -> list[tuple[str, Style | None]]:
    return [(segment.text, segment.style) for segment in strips(area)[0] if segment.text.strip()]


async def test_surprise_reads_without_colour_and_survives_editing() -> None:
    app = PromptApp()
    async with app.run_test(size=(40, 5)) as pilot:
        area = area_of(app)
        await press(pilot, *"abcdefg")
        area.tint((0.1, 1.0, 2.0, 4.0, 9.0, None))
        found = {text: style for text, style in styles_of(area) if style is not None}
        assert not found["a"].underline
        assert not found["a"].bold
        assert (found["c"].underline, bool(found["c"].bold)) == (True, False)
        assert (found["d"].underline, found["d"].bold) == (True, True)
        assert found["e"].reverse
        assert found["f"].strike
        assert not found["g"].underline
        await press(pilot, *["backspace"] * 4, "e")
        found = {text: style for text, style in styles_of(area) if style is not None}
        assert found["c"].underline
        assert not found["e"].reverse  # nobody has read this one yet
        area.tint(())
        assert not any(style.underline for _, style in styles_of(area) if style is not None)


async def test_pasted_line_ends_are_newlines() -> None:
    app = PromptApp()
    async with app.run_test(size=(40, 5)):
        area = area_of(app)
        area.insert("one\r\ntwo\rthree")
        assert area.text == "one\ntwo\nthree"
        assert area.cursor_index == len(area.text)
