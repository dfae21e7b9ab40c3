"""The second layer of the Play screen: the model reads along. Ghost text, next characters, surprisal, how it read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual import on
from textual.events import Key
from textual.widgets import TextArea

from chargru.events import Event, Saved
from chargru.tui.ghosting import Ghostwriter, Question
from chargru.tui.glyphs import glyphs
from chargru.tui.messages import GhostSeen, PromptRead
from chargru.tui.playing.choosing import ChoosingScreen
from chargru.tui.state import TrainingState
from chargru.tui.widgets.info import InfoLine
from chargru.tui.widgets.prompt import PromptArea
from chargru.tui.widgets.strip import NextStrip


class ReadingScreen(ChoosingScreen):
    """Asks whenever the prompt, the cursor or the model changes; answers to older questions are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0  # the turn of the last question
        self._question: Question | None = None
        self._read: PromptRead | None = None  # the last answer
        self._ghostwriter: Ghostwriter | None = None

    @property
    def prompt(self) -> PromptArea:
        """Where one writes."""
        return self.query_one("#prompt", PromptArea)

    def prepare(self) -> None:
        super().prepare()
        assert self.shelf is not None
        self._ghostwriter = Ghostwriter(self.shelf, self.post_message, self._spawn)
        marks = glyphs(self.chargru.plain)
        self.query_one(NextStrip).marks = marks
        self.prompt.use_newline(marks.newline)

    def _spawn(self, work: Callable[[], None]) -> None:
        self.run_worker(work, thread=True, group="reading")

    @on(TextArea.Changed, "#prompt")
    @on(TextArea.SelectionChanged, "#prompt")
    def _prompt_changed(self) -> None:
        self.ask()

    def ask(self) -> None:
        """Have the chosen model read the prompt, unless it has just been asked to."""
        if self._ghostwriter is None:
            return
        source, prompt = self.source, self.prompt
        if not source:
            self._question = None
            self._ghostwriter.ask(None)
            self.query_one(NextStrip).show(())
            if prompt.text:
                self.ask_for_a_model()
            return
        ghost = self.chargru.remembered.play.ghost
        question = Question(self._asked, source, prompt.text, prompt.cursor_index, ghost)
        if question != self._question:
            self._asked += 1
            self._question = replace(question, turn=self._asked)
            self._ghostwriter.ask(self._question)

    def model_changed(self) -> None:
        super().model_changed()
        self.ask()

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        super().show_training(state, events)
        if any(isinstance(event, Saved) for event in events):
            self.ask()  # the newest snapshot reads on

    @on(PromptRead)
    def _prompt_read(self, message: PromptRead) -> None:
        if self._question is None or message.turn != self._question.turn:
            return
        self._read = message
        info = self.query_one(InfoLine)
        if message.problem:
            info.say("reading", f"{message.problem} — {message.hint}" if message.hint else message.problem, "$error")
        else:
            info.say("reading", "; ".join(message.notes), "$warning")
            self.tell_model(message.model, self._question.source)
        self.query_one(NextStrip).show(message.likeliest)
        self.tint_prompt()
        if not self._question.ghost or message.problem:
            self.prompt.show_ghost("")

    @on(GhostSeen)
    def _ghost_seen(self, message: GhostSeen) -> None:
        if self._question is not None and message.turn == self._question.turn:
            self.prompt.show_ghost(message.ghost)
            self.refresh_bindings()

    def tint_prompt(self) -> None:
        """Mark the prompt's characters by their surprisal, where that is wanted."""
        wanted = self.chargru.remembered.play.surprisal and self._read is not None and not self._read.problem
        self.prompt.tint(self._read.nats if wanted and self._read else ())

    # -- next characters ----------------------------------------------------------------------------------------

    @on(NextStrip.Taken)
    def _next_taken(self, message: NextStrip.Taken) -> None:
        prompt = self.prompt
        prompt.replace(message.character, *sorted(prompt.selection), maintain_selection_offset=False)

    @on(NextStrip.Left)
    async def _strip_left(self, message: NextStrip.Left) -> None:
        self.set_focus(self.prompt)
        if message.key is not None:  # a fresh one: that one has been stopped
            self.prompt.post_message(Key(message.key.key, message.key.character))

    def action_next_characters(self) -> None:
        """To the strip of next characters, or back from it."""
        strip = self.query_one(NextStrip)
        self.set_focus(self.prompt if strip.has_focus else strip)  # at once: a number may follow quickly
