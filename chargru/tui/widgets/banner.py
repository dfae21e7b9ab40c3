"""The word of the hour above the chart: starting notes, paused, recovered, no longer better, failed, finished, and what
can be done next.
"""

from __future__ import annotations

from typing import NamedTuple

from textual.content import Content

from chargru.tui.formatting import duration, plural, shown, small, whole
from chargru.tui.landmarks import comparison
from chargru.tui.scales import Scale
from chargru.tui.state import Phase, TrainingState
from chargru.tui.widgets.numbers import StateWidget

NOTE_SECONDS = 20.0  # of training that a note about its beginning stands; the log keeps it


class Way(NamedTuple):
    """What can be done next: its key, in words, and the action that a click on it runs."""

    key: str
    told: str
    action: str


class Words(NamedTuple):
    """What a banner says; `text` is raw. `tone` is the class that colours its edge."""

    title: str
    text: str
    tone: str
    ways: tuple[Way, ...] = ()


PLAY = Way("F4", "plays with it", "app.show_screen('play')")
CORPUS = Way("F2", "picks another text", "app.show_screen('corpus')")
STOP = Way("x", "stops and saves", "app.stop_training")


class Banner(StateWidget):
    """Hidden while training simply goes on. Its class (-failed, -paused, …) gives the colour of its edge."""

    TONES = ("note", "waiting", "warning", "good", "failed")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words: Words | None = None

    def show(self, state: TrainingState) -> None:
        """Say what this state needs said."""
        words = words_for(state, self.scale)
        self.state = state
        if words == self._words:
            return  # figures come five times a second, and a new layout is dear
        self._words = words
        self.display = words is not None
        for tone in self.TONES:
            self.set_class(words is not None and words.tone == tone, f"-{tone}")
        self.refresh(layout=True)

    def render(self) -> Content:
        if self._words is None:
            return Content("")
        # One paragraph each: a message from outside may hold newlines, and the banner is small.
        parts: list[Content | str | tuple[str, str]] = [
            (self._words.title, "bold"),
            "  ",
            shown(self._words.text, newlines=False),
        ]
        for way in self._words.ways:  # the only markup, and none of it is data
            parts += ["  ", Content.from_markup(f"[@click={way.action}][bold $accent]{way.key}[/] {way.told}[/]")]
        return Content.assemble(*parts)


def words_for(state: TrainingState, scale: Scale) -> Words | None:
    """What the banner says of a state; None when there is nothing to say."""
    if state.recording and (words := _of_recording(state)) is not None:
        return words
    if state.watching and state.phase is Phase.TRAINING:
        leave = Way("x", "stops watching", "app.stop_training")
        return Words("Watching", f"{state.watching}.", "note", (leave,))
    match state.phase:
        case Phase.STARTING if state.notes:
            return Words("Starting", f"{state.notes[-1]}…", "waiting")
        case Phase.PAUSED:
            play = Way("F4", "plays with the model as it is", PLAY.action)
            return Words("Paused", "", "waiting", (Way("F8", "goes on", "app.resume"), play, STOP))
        case Phase.STOPPING:
            return Words("Stopping", "the step is finished and the model saved…", "waiting")
        case Phase.FAILED if state.failed is not None:
            hint = f" — {state.failed.hint}" if state.failed.hint else ""
            onwards = Way("r", "goes on from there", "app.resume_run")
            ways = (onwards, CORPUS) if state.can_go_on else (CORPUS,)
            return Words("Training ended", f"{state.failed.message}{hint}.", "failed", ways)
        case Phase.FINISHED if state.finished is not None:
            told = f"{state.ending(scale)}, in {duration(state.finished.seconds)}"
            if beaten := comparison(state.landmarks, state.finished.val_loss, scale, next_too=False):
                told += f": {beaten}"
            return Words("Finished", f"{told}.", "good", (PLAY, Way("r", "trains on", "app.resume_run"), CORPUS))
        case Phase.TRAINING if state.recoveries and _recently(state):
            last = state.recoveries[-1]
            return Words(
                "Recovered",
                f"{last.reason} at step {whole(last.step)}; on from step {whole(last.back_to)} "
                f"with learning rate {small(last.learning_rate)}",
                "warning",
            )
        case Phase.TRAINING if state.unsaved:
            why = state.unsaved.removeprefix("not saved: ")
            return Words("Not saved", f"{why}.", "failed", (Way("s", "tries again", "app.save_now"),))
        case Phase.TRAINING if state.overfitting and state.evaluated is not None:
            return Words(
                "No better",
                f"validation has not improved for {plural(state.overfitting, 'evaluation')}: the model begins to "
                f"learn by heart. The best one, of step {whole(state.evaluated.best_step)}, is kept.",
                "warning",
                (STOP, PLAY),
            )
        case Phase.TRAINING if state.notes and _beginning(state):
            return Words("Note", "; ".join(state.notes), "note")
        case _:
            return None


def _of_recording(state: TrainingState) -> Words | None:
    """The same where nothing was trained: no word of models that are not there."""
    match state.phase:
        case Phase.PAUSED:
            stop = Way("x", "stops it", STOP.action)
            return Words("Recording paused", "", "waiting", (Way("F8", "goes on", "app.resume"), stop))
        case Phase.STOPPING:
            return Words("Stopping", "the recording…", "waiting")
        case Phase.FINISHED if state.finished is not None:
            again = Way("F2", "and Enter plays it again", CORPUS.action)
            return Words("Recording", f"{state.ending()}. It was {state.recording}.", "good", (again,))
        case _:
            return None


def _recently(state: TrainingState) -> bool:
    """Until training has passed the place where it had to go back."""
    return state.progress is None or state.progress.step < state.recoveries[-1].step + 50


def _beginning(state: TrainingState) -> bool:
    """The first seconds of this training, or of what goes on."""
    return state.progress is None or state.progress.elapsed - state.began < NOTE_SECONDS
