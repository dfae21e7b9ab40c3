"""The Train screen: watch it learn. Chart, figures, a sample that rewrites itself, and what happened."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical

from chargru.events import Event
from chargru.tui.formatting import duration, one_line, quantity, shape
from chargru.tui.screens.base import BaseScreen
from chargru.tui.state import Phase, TrainingState
from chargru.tui.widgets.banner import Banner
from chargru.tui.widgets.chart import LossChart
from chargru.tui.widgets.empty import Empty
from chargru.tui.widgets.numbers import NumbersLine, NumbersPanel, ProgressLine, StateWidget
from chargru.tui.widgets.sample import EventLog, SamplePanel


class TrainScreen(BaseScreen):
    """Shows the app's training state; every key that acts on it is an action of the app."""

    HEADING = "Train"
    HELP_TEXT = (
        "The loss says how surprised the model is by each character, in nats: lower is better. The validation loss is "
        "measured on a part of the text that it never trains on; when it rises while the training loss falls, the "
        "model begins to learn by heart. The best model is kept."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "app.save_now", "Save"),
        Binding("x", "app.stop_training", "Stop"),
        Binding("r", "app.resume_run", "Go on"),
    ]

    COMMANDS_HERE = (("Plain chart", "Dots and letters instead of braille, and back", "toggle_plain"),)

    def __init__(self) -> None:
        super().__init__()
        self._began = monotonic()

    def compose_body(self) -> ComposeResult:
        yield Empty(id="train-empty")
        with Container(id="train-body"):
            yield Banner(id="banner")
            yield NumbersLine(id="numbers-line")
            yield ProgressLine(id="progress-line")
            with Container(id="train-columns"):
                with Vertical(id="train-main"):
                    yield LossChart(id="loss-chart")
                    yield SamplePanel(id="sample-panel")
                with Vertical(id="train-side"):
                    yield NumbersPanel(id="numbers-panel")
                    yield EventLog(id="event-log")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(0.5, self._tell_waiting)

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        nothing = state.progress is None and state.evaluated is None
        waiting = nothing and state.phase in (Phase.IDLE, Phase.STARTING, Phase.TRAINING, Phase.STOPPING)
        self.query_one("#train-empty").display = waiting
        self.query_one("#train-body").display = not waiting
        if waiting:
            if state.phase is Phase.IDLE:
                self._began = monotonic()
            self._tell_waiting()
            return
        for widget in self.query(StateWidget):
            widget.show(state)
        self.query_one(LossChart).show(state)
        self.query_one(SamplePanel).show(state)
        self.query_one("#train-columns").display = not nothing

    def action_toggle_plain(self) -> None:
        """Draw the chart without braille, for terminals or fonts that have none."""
        chart = self.query_one(LossChart)
        chart.ascii = not chart.ascii
        chart.redraw()

    def _tell_waiting(self) -> None:
        """The words before there is anything to see; the clock in them says that something is happening."""
        state, empty = self.chargru.training, self.query_one(Empty)
        if state.phase is Phase.IDLE:
            self._began = monotonic()
            empty.say("Nothing is training yet", "F2 picks a text, and Enter there starts.")
        elif empty.display:
            notes = [one_line(line.text, max(self.size.width - 8, 20)) for line in list(state.log)[-3:]]
            told = f"Reading {one_line(state.corpus, 40)}, measuring this machine and choosing sizes…"
            if (begun := state.started) is not None:
                network = f"{shape(begun.hidden_size, begun.num_layers)}, {quantity(begun.parameters)} weights"
                told = f"{network}: the first numbers come in a moment…"
            title = "Stopping" if state.phase is Phase.STOPPING else "Starting"
            empty.say(title, "\n".join([f"{told} {duration(monotonic() - self._began)}", *notes]))
