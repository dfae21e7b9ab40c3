"""The Corpus screen: pick a text, see it, say how long, press Enter."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.worker import get_current_worker

from chargru.config import TrainRequest
from chargru.errors import ChargruError
from chargru.tui.messages import ChoicesRead, PreviewRead, StartWanted, TextChosen, TrainingWanted
from chargru.tui.screens.base import BaseScreen
from chargru.tui.widgets.budget import BudgetPicker
from chargru.tui.widgets.preview import PreviewPanel
from chargru.tui.widgets.texts import LibraryList, PathInput, TextTree

SETTLE = 0.12  # seconds without a key before a preview is computed


class CorpusScreen(BaseScreen):
    """Left where texts come from, right the preview, below the time and the button."""

    HEADING = "Corpus"
    HELP_TEXT = (
        "Pick a text from the library, or type the path of one of your own. The model learns to continue it, character "
        "by character: any language, any script, code as well. Choose how long it may learn, and press Enter."
    )
    COMMANDS_HERE = (("Start training", "On the chosen text, for the chosen time (Enter)", "start"),)

    def __init__(self) -> None:
        super().__init__()
        self.spec = ""  # what is chosen, raw: a library name or a path
        self._settling: Timer | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="corpus-columns"):
            with Vertical(id="corpus-sources"):
                yield LibraryList(id="library")
                yield TextTree(Path.cwd(), id="files")
                yield PathInput(id="path")
            yield PreviewPanel(id="preview")
        yield BudgetPicker(id="budget")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(PreviewPanel).nothing()
        self.run_worker(self._read_choices, thread=True, group="choices", exit_on_error=False)

    def _read_choices(self) -> None:
        try:
            choices = tuple(self.chargru.library.choices())
        except (ChargruError, OSError) as error:
            self.post_message(ChoicesRead((), str(error)))
        else:
            self.post_message(ChoicesRead(choices))

    @on(ChoicesRead)
    def _choices_read(self, message: ChoicesRead) -> None:
        library = self.query_one(LibraryList)
        library.fill(message.choices)
        if message.problem:
            self.chargru.tell(message.problem, severity="error", title="The library cannot be read")
        wanted = self.chargru.corpus
        if wanted is not None and not library.choose(wanted):
            path = self.query_one(PathInput)
            path.mean(wanted)
            path.focus()
            self.choose(wanted)
        elif message.choices:
            library.highlighted = library.highlighted or 0
            if self.focused is None or isinstance(self.focused, LibraryList):
                library.focus()

    @on(TextChosen)
    def _text_chosen(self, message: TextChosen) -> None:
        self.choose(message.spec or self.query_one(LibraryList).spec)

    def choose(self, spec: str) -> None:
        """Choose a text; its preview follows when no further choice comes at once."""
        if spec == self.spec:
            return
        self.spec = spec
        if self._settling is not None:
            self._settling.stop()
        if isinstance(self.focused, TextTree):
            self.query_one(PathInput).mean(spec)
        self._settling = self.set_timer(SETTLE, self._ask_preview)

    def _ask_preview(self) -> None:
        if not self.spec:
            self.query_one(PreviewPanel).nothing()
            return
        self.query_one(PreviewPanel).reading(self.spec)
        spec = self.spec
        self.run_worker(lambda: self._read_preview(spec), thread=True, group="preview", exclusive=True)

    def _read_preview(self, spec: str) -> None:
        """In a thread: the screen stays alive while a large file is looked at."""
        worker = get_current_worker()
        try:
            answer = PreviewRead(spec, self.chargru.library.preview(spec))
        except ChargruError as error:
            answer = PreviewRead(spec, None, error.message, error.hint)
        except OSError as error:
            answer = PreviewRead(spec, None, error.strerror or str(error))
        if not worker.is_cancelled:
            self.post_message(answer)

    @on(PreviewRead)
    def _preview_read(self, message: PreviewRead) -> None:
        if message.spec != self.spec:
            return  # an answer to a question that was asked before
        panel = self.query_one(PreviewPanel)
        if message.preview is None:
            panel.problem(message.spec, message.problem, message.hint)
        else:
            panel.preview(message.preview)

    @on(StartWanted)
    def action_start(self) -> None:
        """Train on what is chosen."""
        budget = self.query_one(BudgetPicker)
        if not self.spec:
            self.chargru.tell("Pick a text first: one of the library, or a path.", severity="warning")
            return
        try:
            seconds = budget.seconds()
        except ValueError as error:
            self.chargru.tell(str(error), severity="warning")
            return
        self.post_message(TrainingWanted(TrainRequest(corpus=self.spec, time=seconds, out=self.chargru.out)))
