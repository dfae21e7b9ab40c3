"""The Play screen: write a beginning, read three ways in which the model would go on. Works while it still learns."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.widgets import Label, Select, Static
from textual.worker import get_current_worker

from chargru.config import SamplingConfig
from chargru.errors import ConfigError
from chargru.events import Event, Finished, Saved, Started
from chargru.tui.archive import RunRow
from chargru.tui.completing import complete
from chargru.tui.formatting import one_line
from chargru.tui.messages import (
    CompletionAccepted,
    CompletionBegun,
    CompletionEnded,
    CompletionGrew,
    CompletionWanted,
    RunsRead,
)
from chargru.tui.models import Model
from chargru.tui.screens.base import BaseScreen
from chargru.tui.state import TrainingState
from chargru.tui.widgets.completion import TAKE_KEYS, CompletionCard
from chargru.tui.widgets.empty import Empty
from chargru.tui.widgets.prompt import PromptArea
from chargru.tui.widgets.sampling import SamplingBar

COUNT = 3
LIVE = "live"  # the value of the choice that follows the training; a run's value is "run " and its directory


class PlayScreen(BaseScreen):
    """Chooses the model, runs the completion in a thread, and shows what it tells."""

    HEADING = "Play"
    HELP_TEXT = (
        "Write how a text begins and press Enter: the model writes on, three times, each time by chance. A lower "
        "temperature is safer and duller, a higher one bolder. While a training runs, its newest saved model answers."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "reroll", "Again", priority=True),
        Binding("escape", "cancel", "Cancel"),
        Binding("f5", "accept(0)", "Take", key_display="F5 F7 F9", tooltip="Take completion 1", priority=True),
        Binding("f7", "accept(1)", "Take", show=False, tooltip="Take completion 2", priority=True),
        Binding("f9", "accept(2)", "Take", show=False, tooltip="Take completion 3", priority=True),
        *(Binding(str(n), f"accept({n - 1})", f"Take completion {n}", show=False) for n in range(1, COUNT + 1)),
    ]
    COMMANDS_HERE = (
        ("Complete", "Three continuations of the prompt (Enter)", "complete"),
        ("Re-roll", "Again, with other draws (ctrl+r)", "reroll"),
        *(
            (f"Take completion {n}", f"Into the prompt ({TAKE_KEYS[n - 1]})", f"accept({n - 1})")
            for n in range(1, COUNT + 1)
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0  # answers of an earlier turn are dropped
        self._prompt = ""  # what this turn's completions continue, as the model read it
        self._writing = False
        self._wanted = ""  # a run to select as soon as the list of runs is there
        self._runs: tuple[RunRow, ...] = ()
        self._live_run = ""  # the run that LIVE stood for when the list was made
        self._waiting_for_save = False
        self._loaded: tuple[str, Model] | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="play-top"):
            yield Label("model", id="play-label")
            yield Select[str]([], id="play-model", prompt="no model yet", compact=True)
            yield Static(id="play-about", markup=False)
        yield Empty(id="play-empty")
        with Container(id="completions"):
            for index in range(COUNT):
                yield CompletionCard(index)
        yield Static(id="play-notes", markup=False)
        yield PromptArea(id="prompt")
        yield SamplingBar(id="sampling")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(PromptArea).focus()
        self._show_cards(False)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.is_mounted:
            self._fill_models()
        self.ask_for_runs()

    # -- which model --------------------------------------------------------------------------------------------

    def choose(self, run: str) -> None:
        """Select this run (its directory), now or as soon as it is in the list."""
        self._wanted = f"run {run}"
        self._select_wanted()

    @on(RunsRead)
    def _runs_read(self, message: RunsRead) -> None:
        self._runs = message.runs
        self._fill_models()

    def _fill_models(self) -> None:
        """The choices: the training's own model first, then the runs as they were last read."""
        state = self.chargru.training
        options: list[tuple[Content, str]] = []
        live = state.started.path if state.started is not None else None
        if live is not None:
            word = "live" if state.active else "just trained"
            options.append((Content(f"{one_line(state.corpus, 24)} · {word}"), LIVE))
        options.extend(
            (Content(one_line(run.name, 32)), f"run {run.path}")
            for run in self._runs
            if run.path != live and not run.problem and run.step is not None
        )
        select = self.query_one(Select)
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
        self._tell_model()

    def _select_wanted(self) -> None:
        select = self.query_one(Select)
        if self._wanted and any(value == self._wanted for _, value in select._options):
            select.value = self._wanted
            self._wanted = ""

    @on(Select.Changed)
    def _model_changed(self) -> None:
        self._tell_model()

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        if any(isinstance(event, Started | Finished) for event in events):
            self._fill_models()
        if any(isinstance(event, Saved) for event in events) and self._waiting_for_save:
            self._waiting_for_save = False
            self.action_complete()
        self._tell_model()

    def _tell_model(self) -> None:
        state, choice = self.chargru.training, self.query_one(Select).selection
        empty, about = self.query_one(Empty), ""
        if choice == LIVE and state.saved is not None:
            about = f"model at step {state.saved.step:,}"
        elif choice == LIVE:
            about = "nothing saved yet"
        self.query_one("#play-about", Static).update(about)
        if choice is None and state.active:
            empty.say("The first model comes in a moment", "Training saves one every now and then; s on F3 saves now.")
        elif choice is None:
            empty.say(
                "No model yet", "F2 picks a text, and Enter there starts.\nA few seconds later you can play here."
            )
        else:
            empty.say("Write a beginning below", "Enter completes it three times.")

    # -- completing ---------------------------------------------------------------------------------------------

    @on(CompletionWanted)
    def action_complete(self) -> None:
        """Continue the prompt with the chosen model."""
        choice = self.query_one(Select).selection
        if choice is None:
            self.chargru.tell("There is no model yet: F2 picks a text, Enter there starts.", severity="warning")
            return
        try:
            sampling = self.query_one(SamplingBar).sampling(COUNT)
        except ConfigError as error:
            self.chargru.tell(error.message, severity="warning")
            return
        if choice == LIVE and self.chargru.training.checkpoint is None:
            self._waiting_for_save = True
            self.chargru.say("save")
            self._note("asking the training for a model…")
            return
        self._turn += 1
        self._begin_cards()
        prompt, turn = self.query_one(PromptArea).text, self._turn
        self.run_worker(
            lambda: self._complete(turn, choice, prompt, sampling), thread=True, group="completion", exclusive=True
        )

    def _complete(self, turn: int, choice: str, prompt: str, sampling: SamplingConfig) -> None:
        """In a thread: find the model, load it unless it is the one at hand, and stream."""
        worker = get_current_worker()
        chargru = self.chargru

        def load() -> tuple[Model, str]:
            path = chargru.training.checkpoint if choice == LIVE else None
            checkpoint = chargru.models.newest(path or choice.removeprefix("run "))
            if self._loaded is None or self._loaded[0] != str(checkpoint):
                self._loaded = (str(checkpoint), chargru.models.open(checkpoint))
            return self._loaded[1], chargru.models.describe(checkpoint)

        for message in complete(turn, load, prompt, sampling, monotonic, lambda: worker.is_cancelled):
            self.post_message(message)

    @on(CompletionBegun)
    def _begun(self, message: CompletionBegun) -> None:
        if message.turn != self._turn:
            return
        self._prompt = message.prompt
        for card in self.query(CompletionCard):
            card.begin(message.prompt)
        self.query_one("#play-about", Static).update(one_line(message.model, 80))
        self._note("; ".join(message.notes))

    @on(CompletionGrew)
    def _grew(self, message: CompletionGrew) -> None:
        if message.turn == self._turn:
            for card, gained in zip(self.query(CompletionCard), message.gained, strict=True):
                card.grow(gained)

    @on(CompletionEnded)
    def _ended(self, message: CompletionEnded) -> None:
        if message.turn != self._turn:
            return
        self._end_cards()
        if message.problem:
            hint = f" — {message.hint}" if message.hint else ""
            self._note(f"{message.problem}{hint}", problem=True)

    def action_reroll(self) -> None:
        """The same prompt, other draws."""
        self.query_one(SamplingBar).next_seed()
        self.action_complete()

    def action_cancel(self) -> None:
        """Cut the completions off where they are."""
        self._turn += 1
        self.workers.cancel_group(self, "completion")
        self._end_cards()

    @on(CompletionAccepted)
    def _accepted(self, message: CompletionAccepted) -> None:
        self.action_accept(message.index)

    def action_accept(self, index: int) -> None:
        """Take a completion into the prompt; ctrl+z there takes it back."""
        card = self.query_one(f"#completion-{index}", CompletionCard)
        if not card.text:
            return
        self.action_cancel()
        prompt = self.query_one(PromptArea)
        prompt.rewrite(self._prompt + card.text)
        prompt.focus()

    @on(SamplingBar.Judged)
    def _judged(self, message: SamplingBar.Judged) -> None:
        self._note(message.problem, problem=bool(message.problem))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel":
            return self._writing
        if action == "accept":
            return self._turn > 0
        return super().check_action(action, parameters)

    # -- what is shown ------------------------------------------------------------------------------------------

    def _begin_cards(self) -> None:
        self._writing = True
        self._show_cards(True)
        self._note("")
        self.refresh_bindings()

    def _end_cards(self) -> None:
        self._writing = False
        for card in self.query(CompletionCard):
            if card.writing:
                card.end()
        self.refresh_bindings()

    def _show_cards(self, visible: bool) -> None:
        self.query_one("#completions").display = visible
        self.query_one(Empty).display = not visible

    def _note(self, text: str, *, problem: bool = False) -> None:
        notes = self.query_one("#play-notes", Static)
        line = one_line(text, max(self.size.width - 4, 20))
        notes.update(Content.styled(f" {line}", "$error" if problem else "$warning") if line else Content(""))
