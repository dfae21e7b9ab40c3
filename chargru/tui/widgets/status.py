"""The top line of every screen: whose app, which screen, which text and model, and how the training stands."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from chargru.tui.formatting import fit, one_line, quantity, shape
from chargru.tui.state import Phase, TrainingState

# glyph and theme colour; the word beside it says the same, so no colour is needed to read it
MARKS = {
    Phase.IDLE: ("○", "$foreground 62%"),
    Phase.STARTING: ("◌", "$accent"),
    Phase.TRAINING: ("●", "$success"),
    Phase.PAUSED: ("‖", "$warning"),
    Phase.STOPPING: ("◍", "$warning"),
    Phase.FINISHED: ("✓", "$success"),
    Phase.FAILED: ("✗", "$error"),
}


class StatusBar(Widget):
    """One line; `show` gives it the state to tell."""

    def __init__(self, screen_name: str) -> None:
        super().__init__()
        self._screen_name = screen_name
        self._state = TrainingState()

    def show(self, state: TrainingState) -> None:
        """Tell this state."""
        self._state = state
        self.refresh()

    def render(self) -> Content:
        state = self._state
        glyph, colour = MARKS[state.phase]
        word = state.phase.value
        if state.phase in (Phase.TRAINING, Phase.PAUSED) and state.progress is not None:
            word += f" {state.progress.fraction:.0%}"
        if state.recording:
            word = f"recording · {word}"  # nobody shall take it for a training of this machine
        right = f"{glyph} {word} "
        left = f" chargru  {self._screen_name} "
        room = self.size.width - cell_len(left) - cell_len(right) - 4
        parts = fit(self._parts(state, room), room)
        middle = "  ".join(parts)
        gap = self.size.width - cell_len(left) - cell_len(right) - cell_len(middle) - 2
        return Content.assemble(
            (" chargru ", "bold $primary"),
            (f" {self._screen_name} ", "bold $foreground"),
            "  ",
            (middle, "$foreground 62%"),
            " " * max(gap, 0),
            (right, colour),
        )

    def _parts(self, state: TrainingState, room: int) -> list[tuple[int, str]]:
        parts = [(0, one_line(state.corpus, min(max(room, 8), 28)))] if state.corpus else []
        if (started := state.started) is not None:
            parts += [
                (1, shape(started.hidden_size, started.num_layers)),
                (3, f"{quantity(started.parameters)} weights"),
                (2, one_line(started.device, 30)),
            ]
        return [part for part in parts if part[1]]
