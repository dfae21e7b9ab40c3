"""The third layer of the Play screen: completions. Written in a thread, ranked, taken, taken back, kept fresh."""

from __future__ import annotations

import random
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from textual import on
from textual.widgets import TextArea
from textual.worker import get_current_worker

from chargru.config import SamplingConfig
from chargru.errors import ConfigError
from chargru.events import Event, Saved
from chargru.tui.completing import complete
from chargru.tui.continuations import Batch, Continuation
from chargru.tui.messages import (
    CompletionAccepted,
    CompletionBegun,
    CompletionEnded,
    CompletionGrew,
    CompletionWanted,
)
from chargru.tui.models import Loaded, PromptReader
from chargru.tui.playing.choosing import LIVE
from chargru.tui.playing.reading import ReadingScreen
from chargru.tui.state import TrainingState
from chargru.tui.widgets.completion import CompletionCard, CompletionGrid
from chargru.tui.widgets.empty import Empty
from chargru.tui.widgets.info import InfoLine
from chargru.tui.widgets.sampling import SamplingBar

SEEDS = 10**6  # a seed that people can read and type
QUIET = 2.0  # seconds without a key after which completions may refresh themselves
READABLE = 6.0  # seconds that completions stay before they do
TAKES = 50  # takes that can be taken back


@dataclass(frozen=True)
class Take:
    """The prompt before a completion was taken, and the completions that there were."""

    prompt: str
    batch: Batch


class WritingScreen(ReadingScreen):
    """Runs one batch at a time; what an earlier one still tells is dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0
        self._batch: Batch | None = None  # what the cards show
        self._coming: Batch | None = None  # what is being written; the same, unless it is a quiet refresh
        self._waiting_for_save = False
        self._takes: list[Take] = []
        self._refreshed = 0.0  # when the completions on the screen were written
        self._typed = 0.0  # when the prompt changed last
        self._writer: tuple[object, PromptReader] | None = None  # the reader that completions begin from
        self._writer_lock = Lock()

    @property
    def grid(self) -> CompletionGrid:
        """Where the cards are."""
        return self.query_one(CompletionGrid)

    @property
    def writing(self) -> bool:
        """Completions are being written before the user's eyes."""
        return self._batch is not None and not self._batch.ended

    def prepare(self) -> None:
        super().prepare()
        self._show_cards(False)

    # -- asking -------------------------------------------------------------------------------------------------

    @on(CompletionWanted)
    def action_complete(self) -> None:
        """Continue the prompt with the chosen model."""
        if self.choice is None:
            self.chargru.tell("There is no model yet: F2 picks a text, Enter there starts.", severity="warning")
            return
        try:
            sampling = self.query_one(SamplingBar).sampling()
        except ConfigError as error:
            self.chargru.tell(error.message, severity="warning")
            return
        if self.choice == LIVE and not self.source:
            self._waiting_for_save = True
            self.ask_for_a_model()
            asked = not self.chargru.training.watching
            told = "asking the training for a model…" if asked else "waiting for the training to save a model…"
            self.query_one(InfoLine).say("note", told)
            return
        if sampling.seed is None:  # a seed of our own, so that a better model can be asked for the same
            sampling = sampling.with_(seed=random.randrange(SEEDS))
            self.query_one(SamplingBar).show_seed(sampling.seed or 0)
        batch = Batch(self.prompt.text, self.source, sampling)
        batch.members = [Continuation() for _ in range(sampling.count)]
        self._batch = batch
        self._show_cards(True)
        self._show_batch()
        for source in ("note", "problem", "place"):
            self.query_one(InfoLine).say(source, "")
        self._start(batch)

    def _start(self, batch: Batch) -> None:
        self._coming = batch
        self._turn += 1
        turn = self._turn
        self.run_worker(lambda: self._write(turn, batch), thread=True, group="completion", exclusive=True)
        self.refresh_bindings()

    def _write(self, turn: int, batch: Batch) -> None:
        """In a thread: find the model, load it unless it is at hand, and tell what it writes."""
        worker = get_current_worker()
        shelf = self.shelf
        assert shelf is not None

        def load() -> tuple[Loaded, PromptReader]:
            loaded = shelf.open(batch.source, again=True)
            if self._writer is None or self._writer[0] is not loaded.model:
                self._writer = loaded.model, loaded.model.reader()
            return loaded, self._writer[1]

        with self._writer_lock:  # a batch that was cut off may still be at its last character
            for message in complete(turn, load, batch.asked, batch.sampling, monotonic, lambda: worker.is_cancelled):
                self.post_message(message)

    @on(CompletionBegun)
    def _begun(self, message: CompletionBegun) -> None:
        if message.turn == self._turn and (batch := self._coming) is not None:
            batch.prompt, batch.model, batch.notes = message.prompt, message.model, message.notes
            if batch is self._batch:
                self.tell_model(message.model, batch.source)
                self._show_batch()
                self.query_one(InfoLine).say("note", "; ".join(message.notes))

    @on(CompletionGrew)
    def _grew(self, message: CompletionGrew) -> None:
        if message.turn == self._turn and (batch := self._coming) is not None:
            batch.grow(message.gained, message.nats)
            if batch is self._batch:
                for card, gained in zip(self.grid.cards, message.gained, strict=True):
                    if gained:
                        card.grow()

    @on(CompletionEnded)
    def _ended(self, message: CompletionEnded) -> None:
        if message.turn != self._turn or (batch := self._coming) is None:
            return
        quiet = batch is not self._batch
        if message.problem:
            if not quiet:  # a refresh that failed leaves what there is
                self._cut_off()
                hint = f" — {message.hint}" if message.hint else ""
                self.query_one(InfoLine).say("problem", f"{message.problem}{hint}", "$error")
            return
        batch.rank(message.ranking, self._batch if quiet else None)
        self.batch_ended(batch)

    def batch_ended(self, batch: Batch) -> None:
        """A whole batch is written: show it, be it the one that is looked at or a fresh one in its place."""
        self._refreshed = monotonic()
        self._batch = batch
        self._coming = None
        self._show_batch()
        self.tell_model(batch.model, batch.source)
        self._tell_notes(batch)
        self.refresh_bindings()

    def _tell_notes(self, batch: Batch) -> None:
        """What is to be said of the completions, and of their prompt as long as it is the one that stands there."""
        notes = batch.notes if batch.asked == self.prompt.text else ()
        certain = batch.sampling.temperature == 0 or batch.sampling.top_k == 1
        why = ": nothing is left to chance" if certain else ""
        alike = [f"{batch.alike} alike left out{why}"] if batch.alike else []
        self.query_one(InfoLine).say("note", "; ".join([*notes, *alike]))

    # -- what is shown ------------------------------------------------------------------------------------------

    def _show_batch(self) -> None:
        """The cards show the batch as it stands."""
        if (batch := self._batch) is None:
            return
        for card, member in zip(self.grid.use(len(batch.members)), batch.members, strict=True):
            card.show(member, batch.prompt or batch.asked, writing=not batch.ended)

    def _show_cards(self, visible: bool) -> None:
        self.grid.display = visible
        self.query_one("#play-empty", Empty).display = not visible

    def _cut_off(self) -> None:
        """End the batch where it is."""
        if self._batch is not None and not self._batch.ended:
            self._batch.ended = True
            for card in self.grid.cards:
                card.end()
            if not any(card.text for card in self.grid.cards):
                self._batch = None
                self._show_cards(False)
        self.refresh_bindings()

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_reroll(self) -> None:
        """The same prompt, other draws."""
        self.query_one(SamplingBar).next_seed()
        self.action_complete()

    def action_cancel(self) -> None:
        """Cut the completions off where they are; else hide the ghost until the next key."""
        if self.writing:
            self._stop_writing()
        else:
            self.prompt.hide_ghost()
            self.refresh_bindings()

    def _stop_writing(self) -> None:
        self._turn += 1
        self.workers.cancel_group(self, "completion")
        self._coming = None
        self._cut_off()

    @on(CompletionAccepted)
    def _accepted(self, message: CompletionAccepted) -> None:
        if message.go_on:
            self.action_branch(message.index)
        else:
            self.action_accept(message.index)

    def action_accept(self, index: int) -> None:
        """Take a completion into the prompt; ctrl+z there takes it back."""
        batch = self._batch
        if batch is None or index >= len(batch.members) or not (text := batch.members[index].text):
            return
        self._stop_writing()
        self._takes = [*self._takes[-TAKES + 1 :], Take(self.prompt.text, batch)]
        self.prompt.rewrite(batch.asked + text)
        self.prompt.focus()
        self.refresh_bindings()

    def action_branch(self, index: int) -> None:
        """Take a completion and go on from there at once."""
        if self._batch is not None and index < len(self._batch.members):
            self.action_accept(index)
            self.action_complete()

    def action_take_back(self) -> None:
        """The prompt as it was before the last take, and the completions that there were."""
        if not self._takes:
            return
        self._stop_writing()
        take = self._takes.pop()
        self.prompt.rewrite(take.prompt)
        self._batch = take.batch
        self._show_cards(True)
        self._show_batch()
        self.refresh_bindings()

    @on(CompletionCard.CopyWanted)
    def _copy_wanted(self, message: CompletionCard.CopyWanted) -> None:
        if self._batch is not None and message.index < len(self._batch.members):
            text = self._batch.asked + self._batch.members[message.index].text
            self.chargru.copy(text, f"the prompt with completion {message.index + 1}")

    @on(SamplingBar.Judged)
    def _judged(self, message: SamplingBar.Judged) -> None:
        self.query_one(InfoLine).say("problem", message.problem, "$error")
        if message.sampling is not None:
            self._remember(message.sampling)

    def _remember(self, sampling: SamplingConfig) -> None:
        values = {name: value for name, value in sampling.to_dict().items() if name != "seed"}
        values["stop"] = sampling.stop or ""
        play = self.chargru.remembered.play
        if changed := {name: value for name, value in values.items() if getattr(play, name) != value}:
            self.chargru.remembered.change("play", **changed)

    # -- with the training --------------------------------------------------------------------------------------

    @on(TextArea.Changed, "#prompt")
    def _edited(self) -> None:
        self._typed = monotonic()
        if (batch := self._batch) is not None and batch.ended and not self._waiting_for_save:
            self._tell_notes(batch)

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        super().show_training(state, events)
        if any(isinstance(event, Saved) for event in events):
            if self._waiting_for_save:
                self._waiting_for_save = False
                self.action_complete()
            else:
                self._refresh_quietly()

    def _refresh_quietly(self) -> None:
        """The same prompt and the same draws by the newest snapshot: what changes is what was learned meanwhile.

        Only where nobody is in the middle of something: nothing typed lately, time to read, no card in focus.
        """
        batch = self._batch
        if batch is None or not batch.ended or not self.live or not self.chargru.remembered.play.follow:
            return
        now = monotonic()
        busy = now - self._typed < QUIET or now - self._refreshed < READABLE
        busy = busy or self._coming is not None or any(card.has_focus for card in self.grid.cards)
        if busy or batch.asked != self.prompt.text or batch.source == self.source:
            return
        fresh = Batch(batch.asked, self.source, batch.sampling)
        fresh.members = [Continuation() for _ in range(batch.sampling.count)]
        self._start(fresh)
