"""The Train screen: watch it learn. Chart, figures, a sample that rewrites itself, and what happened."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical

from chargru.events import Event
from chargru.tui.formatting import duration, one_line, pad, plural, quantity, shape
from chargru.tui.screens.base import BaseScreen
from chargru.tui.state import Phase, TrainingState
from chargru.tui.widgets.banner import Banner
from chargru.tui.widgets.chart import LossChart
from chargru.tui.widgets.empty import Empty
from chargru.tui.widgets.log import EventLog
from chargru.tui.widgets.numbers import NumbersLine, NumbersPanel, StateWidget
from chargru.tui.widgets.progress import ProgressLine
from chargru.tui.widgets.sample import SamplePanel
from chargru.tui.widgets.splitter import Splitter


def _quiet(key: str, action: str, told: str, tooltip: str = "") -> Binding:
    return Binding(key, action, told, show=False, tooltip=tooltip or told)


class TrainScreen(BaseScreen):
    """Shows the app's training state; every key that acts on it is an action of the app."""

    HEADING = "Train"
    HELP_TEXT = (
        "The loss says how surprised the model is by each character, in nats or bits: lower is better. The validation "
        "loss is measured on a part of the text that it never trains on; when it rises while the training loss falls, "
        "the model begins to learn by heart. The best model is kept. Dashed lines are what simple models reach on the "
        "same text: guessing evenly, by letter frequencies, by the last two or the last four characters."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "app.save_now", "Save"),
        Binding("x", "app.stop_training", "Stop"),
        Binding("r", "app.resume_run", "Go on"),
        _quiet("right_square_bracket", "app.faster", "Faster", "Learning rate up by a quarter"),
        _quiet("left_square_bracket", "app.slower", "Slower", "Learning rate down by a fifth"),
        _quiet("b", "units", "Nats or bits"),
        _quiet("l", "axis", "Logarithmic or linear axis"),
        _quiet("g", "landmarks", "Landmarks on or off", "Show or hide what simple models reach"),
        _quiet("plus,equals_sign", "zoom(True)", "Zoom in", "Show fewer steps"),
        _quiet("minus", "zoom(False)", "Zoom out", "Show more steps"),
        _quiet("0", "zoom_all", "All steps"),
        _quiet("f", "follow", "Follow the last third", "Follow the last third of the steps, or show all"),
        _quiet("comma", "turn(-1)", "Look back", "The sample before"),
        _quiet("full_stop", "turn(1)", "Look forward", "The sample after"),
    ]

    COMMANDS_HERE = (
        ("Nats or bits", "The unit of all losses (b)", "units"),
        ("Logarithmic or linear axis", "How the chart shows losses (l)", "axis"),
        ("Landmarks on or off", "What simple models reach, in the chart (g)", "landmarks"),
        ("Zoom in", "Show fewer steps (+)", "zoom(True)"),
        ("Zoom out", "Show more steps (-)", "zoom(False)"),
        ("All steps", "Show the whole training (0)", "zoom_all"),
        ("Follow the last third", "The chart moves with the training (f)", "follow"),
        ("Sample before", "Look back at how the text grew up (,)", "turn(-1)"),
        ("Sample after", "Towards the newest sample (.)", "turn(1)"),
        ("Plain chart", "Dots and letters instead of braille, and back", "toggle_plain"),
    )

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
                yield Splitter("#train-side", name="train", side="right")
                with Vertical(id="train-side"):
                    yield NumbersPanel(id="numbers-panel")
                    yield EventLog(id="event-log")

    def on_mount(self) -> None:
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
        self.query_one("#train-columns").display = not nothing
        self._show_all(state)

    def _show_all(self, state: TrainingState) -> None:
        for kind in (Banner, NumbersLine, ProgressLine, NumbersPanel):
            widget: StateWidget = self.query_one(kind)
            widget.show(state)
        self.query_one(LossChart).show(state)
        self.query_one(SamplePanel).show(state)
        self.query_one(EventLog).show(state)

    # -- how it is shown ----------------------------------------------------------------------------------------

    def action_units(self) -> None:
        """Nats or bits, wherever a loss stands."""
        self._choose(units="nats" if self.chargru.remembered.chart.units == "bits" else "bits")

    def action_axis(self) -> None:
        """A logarithmic or a linear axis."""
        self._choose(axis="linear" if self.chargru.remembered.chart.axis == "log" else "log")

    def action_landmarks(self) -> None:
        """Draw what simple models reach, or not."""
        self._choose(landmarks=not self.chargru.remembered.chart.landmarks)

    def action_zoom(self, closer: bool) -> None:
        """Show fewer steps, or more."""
        self.query_one(LossChart).zoom(closer)

    def action_zoom_all(self) -> None:
        """Show all steps."""
        self.query_one(LossChart).show_all()

    def action_follow(self) -> None:
        """Follow the last third of the steps."""
        self.query_one(LossChart).follow()

    def action_turn(self, samples: int) -> None:
        """Look back at an earlier sample, or forward."""
        self.query_one(SamplePanel).turn(samples)

    def action_toggle_plain(self) -> None:
        """Draw without braille, for terminals or fonts that have none, or with it again."""
        self.chargru.action_characters("unicode" if self.chargru.plain else "ascii")
        self._show_all(self.chargru.training)
        self.query_one(LossChart).redraw()

    def _choose(self, **choices: str | bool) -> None:
        self.chargru.remembered.change("chart", **choices)
        self._show_all(self.chargru.training)
        self.query_one(LossChart).redraw()

    def _tell_waiting(self) -> None:
        """The words before there is anything to see; the clock in them says that something is happening."""
        state, empty = self.chargru.training, self.query_one(Empty)
        if state.phase is Phase.IDLE:
            self._began = monotonic()
            empty.say("Nothing is training yet", "F2 picks a text, and Enter there starts.")
        elif empty.display:
            title = "Stopping" if state.phase is Phase.STOPPING else "Starting"
            notes = [f"· {one_line(note, max(self.size.width - 10, 20))}" for note in state.notes[-3:]]
            lines = [*waiting_for(state, monotonic() - self._began), *notes]
            width = max(map(cell_len, lines))
            empty.say(title, "\n".join(pad(line, width) for line in lines))  # a block, not ragged at the left


def waiting_for(state: TrainingState, seconds: float) -> list[str]:
    """What has been done and what is being done before the first figures come, a line each; `seconds` so far."""
    name, begun = one_line(state.corpus, 40), state.started
    if begun is None:
        return [f"Reading {name}, measuring this machine and choosing sizes… {duration(seconds)}"]
    device = one_line(begun.device, 30)
    done = [
        f"✓ {quantity(begun.characters)} characters of {name}, {begun.vocab_size} distinct",
        f"✓ {shape(begun.hidden_size, begun.num_layers)}, {quantity(begun.parameters)} weights, on {device}"
        + (f", {plural(begun.threads, 'thread')}" if begun.backend == "numpy" else ""),
    ]
    if begun.backend == "numpy":
        return [*done, f"◌ the first numbers come in a moment… {duration(seconds)}"]
    return [*done, f"◌ compiling kernels, which takes long only the first time; {duration(seconds)}"]
