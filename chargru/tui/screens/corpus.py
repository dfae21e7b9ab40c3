"""The Corpus screen: pick a text, see it, say how long, press Enter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import get_current_worker

from chargru.events import Event
from chargru.tui import byhand, looking, paths
from chargru.tui.formatting import one_line
from chargru.tui.library import learned
from chargru.tui.messages import (
    BudgetChanged,
    ChoiceLearned,
    ChoicesRead,
    ForecastRead,
    PathPasted,
    PreviewRead,
    SettingsWanted,
    StartWanted,
    TextChosen,
    TrainingWanted,
)
from chargru.tui.screens.base import BaseScreen
from chargru.tui.state import TrainingState
from chargru.tui.widgets.budget import TIMES, BudgetPicker
from chargru.tui.widgets.choices import LibraryList, LibraryPanel
from chargru.tui.widgets.forecast import ForecastLine
from chargru.tui.widgets.preview import PreviewPanel
from chargru.tui.widgets.splitter import Splitter
from chargru.tui.widgets.texts import PathInput, TextTree

SETTLE = 0.12  # seconds without a key before a preview is computed
FORESEE = 0.25  # seconds without a change before a forecast is


class CorpusScreen(BaseScreen):
    """Left where texts come from, right the preview, below the forecast, the time and the button."""

    HEADING = "Corpus"
    HELP_TEXT = (
        "Pick a text from the library, or one of your own: from the files (f), by its path, or by dropping it on the "
        "terminal. The model learns to continue it, character by character: any language, any script, code as well. "
        "Choose how long it may learn, and press Enter. The line above the times says how good it may get."
    )
    COMMANDS_HERE = (
        ("Start training", "On the chosen text, for the chosen time (Enter)", "start"),
        ("Find a text", "By a few letters of its name (/)", "find"),
        ("Files", "Pick a text from the file tree (f)", "files"),
        ("Settings of the training", "Every one of them by hand (a)", "settings"),
        ("All settings automatic", "Forget what was set by hand", "automatic"),
        ("Encoding of the text", "Read it in another one (e)", "encoding"),
        ("Replace undecodable bytes", "Read the text with U+FFFD in their place, or strictly again (r)", "replace"),
        *((f"Train for {name}", "Time budget", f"budget({place})") for place, (name, _) in enumerate(TIMES)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "replace", "Replace bytes", tooltip="Read the text with U+FFFD for bytes that do not decode"),
        Binding("slash", "find", "Find", tooltip="Find a text by a few letters of its name"),
        Binding("f", "files", "Files", tooltip="Between the library and the file tree"),
        Binding("a", "settings", "Settings", tooltip="Every setting of the training, by hand"),
        Binding("e", "encoding", "Encoding", tooltip="Read the text in another encoding"),
        Binding("s", "start", "Start", show=False, tooltip="Train on the chosen text"),
        Binding("escape", "leave", "Leave field", tooltip="Out of the field, to where letters are keys"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.spec = ""  # what is chosen, raw: a library name or a path
        self.problem = ""  # why it cannot be read, as far as is known
        self.typed = byhand.Typed()  # settings by hand
        self._bad_bytes = 0  # of the chosen text
        self._turn = self._forecast_turn = 0
        self._settling: Timer | None = None
        self._foreseeing: Timer | None = None
        self._looked_around = False
        self._pilot: tuple[float, ...] | None = None  # on the chosen text
        self._waiting = False  # for the end of a training, with the forecast

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="corpus-columns"):
            with Vertical(id="corpus-sources"):
                yield LibraryPanel(id="library")
                yield TextTree(Path.cwd(), id="files")
                yield PathInput(id="path")
            yield Splitter("#corpus-sources", name="corpus")
            yield PreviewPanel(id="preview")
        yield ForecastLine(id="forecast")
        yield BudgetPicker(self.chargru.remembered.corpus.budget, id="budget")

    def on_mount(self) -> None:
        self.query_one(PreviewPanel).nothing()
        self.query_one(LibraryPanel).border_title = Content.from_markup("library [@click=screen.files]· files (f)[/]")
        self.query_one(TextTree).border_title = Content.from_markup("files [@click=screen.files]· library (f)[/]")
        self.query_one(LibraryPanel).list.focus()
        self._read_choices()

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        if not events:
            self.query_one(ForecastLine).units = self.chargru.remembered.chart.units
            self.query_one(ForecastLine).refresh()
        if self._waiting and not state.active:
            self._foresee_soon()

    @property
    def library(self) -> LibraryList:
        """The table of texts."""
        return self.query_one(LibraryPanel).list

    # -- the table ------------------------------------------------------------------------------------------------

    def _read_choices(self) -> None:
        library, recent = self.chargru.library, self.chargru.remembered.corpus.recent
        self._in_thread("choices", lambda _: (looking.table(library, recent),))

    def _in_thread(self, group: str, ask: Callable[[Callable[[], bool]], Iterable[Message]]) -> None:
        """Post the answers to a question that may take long, until a later one of the group is asked.

        `ask` is given what says whether that has happened.
        """

        def work() -> None:
            worker = get_current_worker()
            for answer in ask(lambda: worker.is_cancelled):
                if worker.is_cancelled:
                    return
                self.post_message(answer)

        self.run_worker(work, thread=True, group=group, exclusive=True, exit_on_error=False)

    @on(ChoicesRead)
    def _choices_read(self, message: ChoicesRead) -> None:
        known = {each.spec: each for each in self.library.choices if each.vocabulary is not None}
        fresh = [known.get(each.spec, each) if not each.problem else each for each in message.choices]
        self.library.fill(fresh)
        if message.problem:
            self.chargru.tell(message.problem, severity="error", title="The library cannot be read")
        if self.spec:
            return  # the list was read again
        if self.chargru.corpus is not None:
            self.choose(self.chargru.corpus)
            if not self.library.spec:
                self.query_one(PathInput).focus()
            return
        last, told = looking.first_choice(message.choices, self.chargru.remembered.corpus.last)
        if told:
            self.chargru.tell(told)
        if last:
            self.choose(last)
        else:
            self.library.restore()

    def _look_around(self) -> None:
        """Find out what is not known cheaply about the texts of the table, one after another in a thread."""
        self._looked_around = True
        library = self.chargru.library
        unknown = [each for each in self.library.choices if each.vocabulary is None and not each.problem]
        self._in_thread("facts", lambda cancelled: looking.facts(library, unknown, cancelled))

    @on(ChoiceLearned)
    def _choice_learned(self, message: ChoiceLearned) -> None:
        self.library.learn(message.choice)

    @on(LibraryList.Forget)
    def _forget(self, message: LibraryList.Forget) -> None:
        recent = tuple(each for each in self.chargru.remembered.corpus.recent if each != message.spec)
        self.chargru.remembered.change("corpus", recent=recent)
        self.library.fill([each for each in self.library.choices if each.spec != message.spec])
        self.chargru.tell(f"{one_line(message.spec, 60)} is taken out of the list; the file stays.")
        if self.spec == message.spec:
            self.library.restore()

    def action_find(self) -> None:
        if not self.query_one(LibraryPanel).display:
            self.action_files()
        self.query_one(LibraryPanel).search()

    def action_files(self) -> None:
        """To the file tree and back; where there is no room for both, one takes the other's place."""
        library, tree = self.query_one(LibraryPanel), self.query_one(TextTree)
        to_tree = not tree.display or (library.display and not tree.has_focus)
        self.query_one("#corpus-sources").set_class(to_tree, "-files")
        self.call_after_refresh((tree if to_tree else self.library).focus)

    # -- the chosen text ------------------------------------------------------------------------------------------

    @on(TextChosen)
    def _text_chosen(self, message: TextChosen) -> None:
        if message.spec:
            self.choose(message.spec)
        elif not self.library.restore():
            self.choose("")

    def choose(self, spec: str) -> None:
        """Choose a text; its preview follows when no further choice comes at once."""
        if not self.library.choose(spec):
            self.library.let_go()
        field = self.query_one(PathInput)
        if not field.has_focus:
            field.mean("" if looking.in_library(self.library.choices, spec) else spec)
        if spec == self.spec:
            return
        self.spec, self.problem = spec, ""
        self._bad_bytes = 0
        self._tell_settings()
        self.refresh_bindings()
        self._forecast_turn += 1  # answers on their way are about another text
        self._pilot = None
        if self._foreseeing is not None:
            self._foreseeing.stop()
        self.query_one(ForecastLine).wait()
        self._ask_soon()

    def _ask_soon(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE, self._ask_preview)

    def _ask_preview(self) -> None:
        self._turn += 1
        panel = self.query_one(PreviewPanel)
        if not self.spec:
            panel.nothing()
            self.query_one(ForecastLine).say("")
            return
        panel.reading(self.spec)
        settings, problems = byhand.judge(self.typed.reading(self.spec))
        if problems:
            panel.problem(self.spec, next(iter(problems.values())), "")
            return
        library, turn, spec = self.chargru.library, self._turn, self.spec
        given = {"encoding": "encoding", "replace_bad_bytes": "replace"}
        reading = {given[name]: value for name, value in settings.items()}
        self._in_thread("preview", lambda _: (looking.preview(library, turn, spec, reading),))

    @on(PreviewRead)
    def _preview_read(self, message: PreviewRead) -> None:
        if message.turn != self._turn or message.spec != self.spec:
            return  # an answer to a question that was asked before
        panel = self.query_one(PreviewPanel)
        self.problem, self._bad_bytes = message.problem, message.bad_bytes
        self.refresh_bindings()
        listed = next((each for each in self.library.choices if each.spec == message.spec), None)
        if message.preview is None:
            panel.problem(message.spec, message.problem, message.hint, message.bad_bytes, typing=self._typing)
            self.query_one(ForecastLine).say("")
        else:
            panel.preview(message.preview, "" if listed is None or listed.recent else listed.description)
            if listed is not None:
                self.library.learn(learned(listed, message.preview))
            self.chargru.remembered.change("corpus", last=looking.lasting(self.library.choices, self.spec))
            self._foresee_soon()
        if not self._looked_around:
            self._look_around()

    # -- a path pasted, an encoding, bad bytes --------------------------------------------------------------------

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.post_message(PathPasted(event.text))

    @on(PathPasted)
    def _take_path(self, message: PathPasted) -> None:
        text = message.text.strip()
        if not text:
            return
        if not paths.looks_like_path(text) and (len(text.splitlines()) > 1 or len(text) > 4096):
            self.chargru.tell("What was pasted is no path; save it to a file to train on it.", severity="warning")
            return
        field = self.query_one(PathInput)
        field.focus()
        notes = field.take(text)
        if notes:
            self.chargru.tell("; ".join(notes), title="The path that was pasted")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "replace":
            return bool(self._bad_bytes) or "replace_bad_bytes" in self.typed.reading(self.spec)
        if action == "encoding":
            panels = self.query(LibraryPanel)  # none when the app is left
            return bool(self.spec and panels) and not looking.in_library(self.library.choices, self.spec)
        if action == "leave":
            return self._typing
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        self.library.focus() if self.library.is_on_screen else self.query_one(TextTree).focus()

    @property
    def _typing(self) -> bool:
        """Whether letters go into a field, and are no keys."""
        return isinstance(self.focused, Input)

    def action_replace(self) -> None:
        """Read undecodable bytes as U+FFFD, or strictly again."""
        self.typed.toggle(self.spec, "replace_bad_bytes")
        self._settings_changed()
        self._ask_preview()

    def action_encoding(self) -> None:
        self.open_settings("encoding")

    # -- time and settings ----------------------------------------------------------------------------------------

    @on(SettingsWanted)
    def action_settings(self) -> None:
        self.open_settings()

    def open_settings(self, field: str = "") -> None:
        """The panel of all settings, at one of them."""
        from chargru.tui.screens.settings import SettingsScreen

        self.app.push_screen(SettingsScreen(self.typed.of(self.spec), field), self._settings_typed)

    def _settings_typed(self, typed: dict[str, str] | None) -> None:
        if self.focused is not None and self.focused.id == "by-hand":
            self.query_one("#start").focus()  # what comes next, rather than the panel again
        if typed is None or typed == self.typed.of(self.spec):
            return
        read_anew = self.typed.put(self.spec, typed)
        self._settings_changed()
        if read_anew:
            self._ask_preview()

    def on_resize(self) -> None:
        self._tell_settings()

    def action_automatic(self) -> None:
        self._settings_typed({})

    def _settings_changed(self) -> None:
        self._tell_settings()
        self.refresh_bindings()
        self._foresee_soon()

    def _tell_settings(self) -> None:
        settings, problems = byhand.judge(self.typed.of(self.spec))
        summary = byhand.summary(self.typed.of(self.spec), short=self.size.width < 100)
        instead = bool(byhand.instead_of_time(settings))
        for picker in self.query(BudgetPicker):  # none yet when the screen gets its size
            picker.by_hand(summary, bool(problems), instead)

    @on(BudgetChanged)
    def _budget_changed(self, message: BudgetChanged) -> None:
        if not self.query_one(BudgetPicker).problem:
            self.chargru.remembered.change("corpus", budget=message.budget)
        self._foresee_soon()

    def action_budget(self, place: int) -> None:
        self.query_one(BudgetPicker).pick(place)

    # -- the forecast ---------------------------------------------------------------------------------------------

    def _foresee_soon(self) -> None:
        if self._foreseeing is not None:
            self._foreseeing.stop()
        self._forecast_turn += 1  # answers on their way are about what was
        self._pilot = None
        if self._say_problem():
            return
        self.query_one(ForecastLine).wait()
        self._foreseeing = self.set_timer(FORESEE, self._foresee)

    def _say_problem(self) -> bool:
        """Say which of the settings or of the times is impossible; whether one is."""
        _, problems = byhand.judge(self.typed.of(self.spec))
        words = next(iter(problems.values()), self.query_one(BudgetPicker).problem)
        if words:
            self.query_one(ForecastLine).say(words, wrong=True)
        return bool(words)

    def _foresee(self) -> None:
        if self._say_problem():  # a time that is being typed, of which nobody has told yet
            return
        line, budget = self.query_one(ForecastLine), self.query_one(BudgetPicker)
        settings, _ = byhand.judge(self.typed.of(self.spec))
        if instead := byhand.instead_of_time(settings):
            line.say(f"{instead}, as set by hand, take the place of the time; no forecast for that")
            return
        self._waiting = self.chargru.training.active
        if self._waiting:  # it needs all cores, and measuring the machine would measure half of it
            line.say("the forecast waits until the training has ended")
            return
        if not self.spec or self.problem:
            line.say("")
            return
        library, turn, spec, seconds = self.chargru.library, self._forecast_turn, self.spec, budget.seconds()
        asked = (library, turn, spec, seconds, settings)
        self._in_thread("forecast", lambda cancelled: looking.forecast(*asked, cancelled))

    @on(ForecastRead)
    def _forecast_read(self, message: ForecastRead) -> None:
        if message.turn == self._forecast_turn:
            self.query_one(ForecastLine).show(message.outlook)
            self._pilot = None if message.outlook is None else message.outlook.pilot

    # -- starting -------------------------------------------------------------------------------------------------

    @on(StartWanted)
    def action_start(self) -> None:
        """Train on what is chosen."""
        tell = self.chargru.tell
        if not self.spec:
            tell("Pick a text first: one of the library, or a path.", severity="warning")
            return
        if self.problem:
            offer = f" {'esc, then r' if self._typing else 'r'} replaces its bad bytes." if self._bad_bytes else ""
            tell(f"{self.problem}.{offer}", severity="warning", title="This text cannot be trained on")
            return
        seconds = self.query_one(BudgetPicker).seconds
        try:
            request = byhand.request(self.spec, self.typed.of(self.spec), seconds, self.chargru.out)
            request = request.with_(pilot=self._pilot)
        except ValueError as error:
            tell(str(error), severity="warning")
            return
        if not self.chargru.training.active:
            self._remember_start()
        self.workers.cancel_group(self, "forecast")  # the training needs the cores
        self.post_message(TrainingWanted(request))

    def _remember_start(self) -> None:
        """A text of one's own comes first in the list of the next time; paths only."""
        if looking.in_library(self.library.choices, self.spec):
            return
        recent = looking.remembered(self.chargru.remembered.corpus.recent, paths.absolute(self.spec))
        self.chargru.remembered.change("corpus", recent=recent)
        self._read_choices()
