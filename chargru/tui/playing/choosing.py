"""The first layer of the Play screen: which model answers. During a training its newest snapshot, else a run's best."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Label, Select, Static

from chargru.events import Event, Failed, Finished, Started
from chargru.tui.archive import RunRow
from chargru.tui.formatting import nats, one_line
from chargru.tui.messages import RunsRead
from chargru.tui.models import Shelf
from chargru.tui.screens.base import BaseScreen
from chargru.tui.state import TrainingState
from chargru.tui.widgets.empty import Empty
from chargru.tui.widgets.picker import Entry, ModelSelect, PickerScreen, entry

LIVE = "live"  # the value of the choice that follows the training; a run's value is "run " and its directory
RUN = "run "


class ChoosingScreen(BaseScreen):
    """Fills the choice of models and says what is known of the chosen one."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted = ""  # a run to select as soon as the list of runs is there
        self._runs: tuple[RunRow, ...] = ()
        self._live_run = ""  # the run that LIVE stood for when the list was made
        self._asked_to_save = ""  # the run that was asked to save, so that it is asked once
        self._entries: list[Entry] = []
        self.shelf: Shelf | None = None
        self._about = ""  # what is said of the model
        self._described = ("", "")  # a source and its description

    def compose_choice(self) -> ComposeResult:
        """The line on top: the choice, and what is known of the model."""
        with Horizontal(id="play-top"):
            yield Label("model", id="play-label")
            yield ModelSelect([], id="play-model", prompt="no model yet", compact=True)
            yield Static(id="play-about", markup=False)

    def prepare(self) -> None:
        """Once the widgets are there. Not `on_mount`: Textual calls that of every class, the last one first."""
        self.shelf = Shelf(self.chargru.models)

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self._fill_models()
        self.ask_for_runs()

    def choose(self, run: str) -> None:
        """Select this run (its directory), now or as soon as it is in the list."""
        self._wanted = f"{RUN}{run}"
        self._select_wanted()

    @property
    def choice(self) -> str | None:
        """The chosen value: LIVE, or a run's."""
        return self.query_one("#play-model", Select).selection

    @property
    def live(self) -> bool:
        """A training goes on and its own model is the chosen one."""
        return self.choice == LIVE and self.chargru.training.active

    @property
    def source(self) -> str:
        """The run's directory or the snapshot that answers now; empty where there is none yet."""
        choice = self.choice
        if choice == LIVE:
            return self.chargru.training.checkpoint or ""
        return choice.removeprefix(RUN) if choice else ""

    def ask_for_a_model(self) -> None:
        """Have the training save one, where it has not yet."""
        started = self.chargru.training.started
        another = self.chargru.training.watching  # whose training it is, where it is another process's
        if self.live and not another and started is not None and self._asked_to_save != started.path:
            self._asked_to_save = started.path
            self.chargru.say("save")

    @on(RunsRead)
    def _runs_read(self, message: RunsRead) -> None:
        self._runs = message.runs
        self._fill_models()

    def _fill_models(self) -> None:
        """The choices: the training's own model first, then the runs as they were last read."""
        state = self.chargru.training
        self._entries = []
        live = state.started.path if state.started is not None and not state.recording else None
        if live is not None:
            word = "live" if state.active else "just trained"
            self._entries.append(entry(LIVE, f"{one_line(state.corpus, 24)} · {word}", "the newest snapshot"))
        self._entries.extend(
            entry(
                f"{RUN}{run.path}", one_line(run.name, 32), f"{run.corpus} · {run.shape} · {nats(run.best_loss)} nats"
            )
            for run in self._runs
            if run.path != live and not run.problem and run.step is not None
        )
        options = [(Content(each.name), each.value) for each in self._entries]
        select = self.query_one("#play-model", Select)
        before = select.selection
        with self.prevent(Select.Changed):
            select.set_options(options)
            values = [value for _, value in options]
            fresh = live is not None and live != self._live_run  # who just began a training wants its model
            self._live_run = live or ""
            select.prompt = "choose a model" if values else "no model yet"
            if values:
                select.value = before if before in values and not fresh else values[0]
        self._select_wanted()
        self.tell_model()
        if select.selection != before:
            self.model_changed()

    def _select_wanted(self) -> None:
        select = self.query_one("#play-model", Select)
        if self._wanted and any(value == self._wanted for _, value in select._options):
            select.value = self._wanted
            self._wanted = ""

    @on(ModelSelect.Opened)
    def action_pick_model(self) -> None:
        """Open the list of models, filtered as one types."""
        if not self._entries:
            self.chargru.tell("There is no model yet: F2 picks a text, Enter there starts.", severity="warning")
            return

        def picked(value: str | None) -> None:
            select = self.query_one("#play-model", Select)
            if value is not None and any(value == each for _, each in select._options):  # it may be gone meanwhile
                select.value = value
            self.query_one("#prompt").focus()  # who has looked at models wants to write

        self.app.push_screen(PickerScreen("choose a model", self._entries, self.choice), picked)

    @on(Select.Changed, "#play-model")
    def _model_chosen(self) -> None:
        self.tell_model()
        self.model_changed()

    def model_changed(self) -> None:
        """Another model answers from now on, or the same one has learned more."""

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        if any(isinstance(event, Started | Finished | Failed) for event in events):
            self._fill_models()
        self.tell_model()

    def tell_model(self, told: str = "", source: str = "") -> None:
        """Say what is known of the chosen model, and what to do where there is none.

        `told` describes the model of `source`; it holds until another one is described or chosen.
        """
        state, choice = self.chargru.training, self.choice
        if told:
            self._described = source, told
        about = self._described[1] if self._described[0] == self.source else self._about
        if choice is None or (choice != LIVE and self._described[0] != self.source):
            about = ""
        elif choice == LIVE and not self.source:
            about = "nothing saved yet"
        if about != self._about:  # every update lays out the whole screen
            self._about = about
            self.query_one("#play-about", Static).update(one_line(about, 80))
        empty = self.query_one("#play-empty", Empty)
        if choice is None and state.active and not state.recording:
            empty.say("The first model comes in a moment", "Training saves one every now and then; s on F3 saves now.")
        elif choice is None and state.recording:
            empty.say("A recording has no model", "One of your own plays here: F2 picks a text, Enter there starts.")
        elif choice is None:
            empty.say(
                "No model yet", "F2 picks a text, and Enter there starts.\nA few seconds later you can play here."
            )
        else:
            empty.say(
                "Write a beginning below",
                "Dim text shows how the model would go on: the right arrow takes it.\nEnter writes whole completions.",
            )
