"""The line that says what has to be said now: the most important first, the legend where it has room."""

from __future__ import annotations

from textual.app import App, ComposeResult

from chargru.tui.surprise import LEGEND
from chargru.tui.widgets.info import InfoLine


class InfoApp(App[int]):
    def compose(self) -> ComposeResult:
        yield InfoLine(id="info")


async def test_the_most_important_line_is_said_and_the_legend_gives_way() -> None:
    app = InfoApp()
    async with app.run_test(size=(60, 3)):
        info = app.query_one(InfoLine)
        info.say("reading", "™ as TM")
        info.explain("surprisal")
        told = info.render().plain
        assert told.startswith(" ™ as TM ")
        assert told.endswith(" ".join(LEGEND))
        assert len(told) == 59
        info.say("note", "2 alike left out")
        info.say("problem", "[red]it is gone " * 8)
        line = info.render()
        assert line.plain.startswith(" [red]it is gone")
        assert line.cell_length <= 60
        assert LEGEND[0] not in line.plain  # a long line needs the room
        info.say("problem", "")
        assert info.render().plain.startswith(" 2 alike left out")
        info.say("note", "")
        info.say("reading", "")
        info.explain("copied")
        assert info.render().plain.strip() == "underlined stands in the training text"
        info.explain("")
        assert info.render().plain.strip() == ""
