"""The word of the hour above the chart: nothing yet, starting, paused, recovered, failed, finished and what is next."""

from __future__ import annotations

from textual.content import Content

from chargru.tui.formatting import duration, shown, small, whole
from chargru.tui.state import Phase, TrainingState
from chargru.tui.widgets.numbers import StateWidget


class Banner(StateWidget):
    """Hidden while training simply goes on. Its class (-failed, -paused, …) gives the colour of its edge."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words: tuple[str, str] | None = None

    def show(self, state: TrainingState) -> None:
        """Say what this state needs said."""
        words = words_for(state)
        if words == self._words and state.phase is self.state.phase:
            return  # figures come five times a second, and a new layout is dear
        self.state, self._words = state, words
        self.display = words is not None
        for phase in Phase:
            self.set_class(state.phase is phase, f"-{phase.value}")
        self.refresh(layout=True)

    def render(self) -> Content:
        if self._words is None:
            return Content("")
        title, text = self._words
        # One paragraph each: a message from outside may hold newlines, and the banner is small.
        return Content.assemble((title, "bold"), "  ", shown(text, newlines=False))


def words_for(state: TrainingState) -> tuple[str, str] | None:
    """(title, text) for the banner, the text raw; None when there is nothing to say."""
    match state.phase:
        case Phase.PAUSED:
            return "Paused", "F8 goes on. F4 plays with the model as it is; x stops and saves."
        case Phase.STOPPING:
            return "Stopping", "the step is finished and the model saved…"
        case Phase.FAILED if state.failed is not None:
            hint = f" — {state.failed.hint}" if state.failed.hint else ""
            onwards = " r goes on from there." if state.can_go_on else ""
            return "Training ended", f"{state.failed.message}{hint}.{onwards}"
        case Phase.FINISHED if state.finished is not None:
            told = f"{state.ending()}, in {duration(state.finished.seconds)}."
            return "Finished", f"{told} F4 plays with it, r trains on, F2 picks another text."
        case Phase.TRAINING if state.recoveries and _recently(state):
            last = state.recoveries[-1]
            return (
                "Recovered",
                f"{last.reason} at step {whole(last.step)}; on from step {whole(last.back_to)} "
                f"with learning rate {small(last.learning_rate)}",
            )
        case _:
            return None


def _recently(state: TrainingState) -> bool:
    """Until training has passed the place where it had to go back."""
    return state.progress is None or state.progress.step < state.recoveries[-1].step + 50
