"""One line of small words that can be clicked: a chart's legend on the left, its switches on the right."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.widget import Widget

from chargru.tui.crosshair import Crosshair
from chargru.tui.formatting import pad, whole
from chargru.tui.glyphs import Glyphs
from chargru.tui.remembered import ChartChoices
from chargru.tui.scales import Scale
from chargru.tui.state import TrainingState

Part = tuple[str, str] | str
DIM = "$foreground 62%"
SERIES = ("train", "raw", "validation")


@dataclass(frozen=True)
class Entry:
    """Words with their styles; a click runs `action` of the widget around the line. The highest `rank` is left out
    first where room is scarce.
    """

    parts: tuple[Part, ...]
    action: str = ""
    rank: int = 0
    right: bool = False

    @property
    def content(self) -> Content:
        """The words as they are painted."""
        return Content.assemble(*self.parts)


class LegendLine(Widget):
    """Entries on one line, those that fit."""

    ALLOW_SELECT = False
    GAP = 2

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: tuple[Entry, ...] = ()
        self._spans: list[tuple[int, int, str]] = []  # (first cell, cell behind the last, action)

    def show(self, *entries: Entry) -> None:
        """Show these."""
        if entries != self._entries:
            self._entries = entries
            self.refresh()

    def render(self) -> Content:
        room = self.size.width
        kept = list(self._entries)
        while len(kept) > 1 and sum(each.content.cell_length + self.GAP for each in kept) - self.GAP > room:
            kept.remove(max(reversed(kept), key=lambda each: each.rank))
        self._spans = []
        line, at = list[Content](), 0
        left = [each for each in kept if not each.right]
        right = [each for each in kept if each.right]
        free = room - sum(each.content.cell_length for each in kept) - self.GAP * max(len(kept) - 1, 0)
        for index, each in enumerate([*left, *right]):
            gap = self.GAP if index else 0
            if index == len(left):
                gap += max(free, 0)
            line.append(Content(pad("", gap)))
            at += gap
            if each.action:
                self._spans.append((at, at + each.content.cell_length, each.action))
            line.append(each.content)
            at += each.content.cell_length
        return Content.assemble(*line)

    def action_under(self, x: int) -> str:
        """The action of what stands in cell `x`; empty if there is none."""
        return next((action for first, end, action in self._spans if first <= x < end), "")

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and (action := self.action_under(offset.x)):
            event.stop()
            await self.app.run_action(action, self.parent)


def names(
    state: TrainingState, scale: Scale, marks: Glyphs, shown: frozenset[str], *, focused: bool = False
) -> list[Entry]:
    """What is drawn: the series (struck out where not `shown`), the best validation, and recoveries."""

    def series(name: str, glyph: str, colour: str, rank: int) -> Entry:
        style = colour if name in shown else "$foreground 38% strike"
        return Entry(((f"{glyph} {name}", style),), f"toggle_series('{name}')", rank)

    entries = [
        Entry((("loss", "bold underline $primary" if focused else "bold"),)),
        series("train", marks.train, "$primary", 1),
        series("raw", marks.raw, "$primary 70%", 6),
        series("validation", marks.validation, "$accent", 1),
    ]
    if (told := state.evaluated) is not None:
        best = f"{marks.best} best {scale.told(told.best_loss, 2)}@{whole(told.best_step)}"
        entries.append(Entry(((best, "$success"),), rank=2))
    if state.marks:
        entries.append(Entry(((f"{marks.recovered} recovered", "$error"),), rank=2))
    return entries


def switches(state: TrainingState, choices: ChartChoices, *, whole: bool) -> list[Entry]:
    """The keys that change how it is drawn, to be clicked too; `whole` while all steps are shown."""

    def switch(key: str, word: str, action: str, rank: int) -> Entry:
        return Entry(((key, "bold $footer-key-foreground"), (f" {word}", DIM)), f"screen.{action}", rank, right=True)

    entries = [] if whole else [switch("0", "all steps", "zoom_all", 3)]
    entries += [switch("b", choices.units, "units", 4), switch("l", choices.axis, "axis", 5)]
    if state.landmarks is not None:
        entries.append(switch("g", "landmarks" if choices.landmarks else "no landmarks", "landmarks", 7))
    return entries


def reading(told: Crosshair, scale: Scale, marks: Glyphs) -> list[Entry]:
    """What the crosshair stands on, in figures."""
    entries = [Entry((("step ", DIM), (whole(told.step), "bold")))]
    if told.smooth is not None:
        entries.append(Entry(((f"{marks.train} ", "$primary"), (scale.told(told.smooth), "bold"))))
        entries.append(Entry(((f"({scale.told(told.raw)} raw)", DIM),), rank=2))
    if told.val_loss is not None and told.val_step is not None:
        at = "" if told.val_step == told.step else f" @{whole(told.val_step)}"
        entries.append(Entry(((f"{marks.validation} ", "$accent"), (scale.told(told.val_loss), "bold"), (at, DIM))))
    if told.gap is not None:
        entries.append(Entry((("apart ", DIM), scale.difference(told.gap)), rank=1))
    entries.append(Entry(((scale.unit, DIM),), rank=4, right=True))
    entries.append(Entry((("esc", "bold $footer-key-foreground"), (" back", DIM)), "uncross", 3, right=True))
    return entries
