"""How much of the budget of a training is used."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from chargru.tui import formatting as say
from chargru.tui.formatting import fit
from chargru.tui.state import Phase
from chargru.tui.widgets.figures import steps
from chargru.tui.widgets.numbers import DIM, StateWidget

COLOURS = {Phase.PAUSED: "$warning", Phase.FAILED: "$error", Phase.FINISHED: "$success"}


class ProgressLine(StateWidget):
    """A bar that reads without colours, steps, time and speed."""

    def render(self) -> Content:
        state = self.state
        if state.phase is Phase.IDLE:
            return Content("")
        parts: list[tuple[int, str]] = [(0, f"{state.fraction:.0%}"), (2, steps(state))]
        if (progress := state.progress) is not None:
            parts += [(0, say.clock(progress.elapsed, progress.remaining)), (1, say.rate(progress.chars_per_second))]
        kept = "  ".join(fit(parts, max(self.size.width - 14, 4)))
        room = max(self.size.width - cell_len(kept) - 4, 4)
        done = round(room * min(max(state.fraction, 0.0), 1.0))
        colour = COLOURS.get(state.phase, "$primary")
        return Content.assemble(" ", ("━" * done, colour), ("╌" * (room - done), "$foreground 38%"), "  ", (kept, DIM))
