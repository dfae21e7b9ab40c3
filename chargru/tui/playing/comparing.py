"""The fourth layer of the Play screen: what of the completions stands verbatim in the training text, and where."""

from __future__ import annotations

from threading import Lock, Thread

from textual import on

from chargru.errors import ChargruError
from chargru.tui.continuations import Batch
from chargru.tui.messages import CopiesFound
from chargru.tui.models import CopiedSpan, CopiedText, copied_in
from chargru.tui.playing.writing import WritingScreen
from chargru.tui.widgets.completion import CompletionCard
from chargru.tui.widgets.info import InfoLine


class ComparingScreen(WritingScreen):
    """Looks finished completions up in a thread, where that is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self._compared = 0  # the turn of the last comparison
        self._comparing: Batch | None = None  # whose completions are looked up
        self._copies_lock = Lock()  # one index is built at a time, and whoever waited finds it built

    def batch_ended(self, batch: Batch) -> None:
        if batch is not self._batch and self.chargru.remembered.play.copied:
            self._look_up(batch)  # a refresh is shown when all of it is there, so that nothing flickers
            return
        super().batch_ended(batch)
        self.compare()

    def compare(self) -> None:
        """Look up the completions on the screen, unless that is not wanted or done."""
        batch = self._batch
        if batch is None or not batch.ended or not self.chargru.remembered.play.copied:
            return
        if all(member.copied is not None for member in batch.members):
            self._tell_copied()
        else:
            self.query_one(InfoLine).say("place", "looking into the training text…", "$foreground 62%")
            self._look_up(batch)

    def _look_up(self, batch: Batch) -> None:
        self._compared += 1
        self._comparing = batch
        texts = [member.text for member in batch.members]
        # a thread of its own: indexing 100 MB takes seconds that nothing can cut short; leaving must not wait for it
        wanted = (self._compared, batch.source, texts)
        Thread(target=self._compare, args=wanted, name="copies", daemon=True).start()

    def _compare(self, turn: int, source: str, texts: list[str]) -> None:
        """In a thread: index the training text unless that is done, and look the texts up."""
        try:
            assert self.shelf is not None
            with self._copies_lock:
                copies = self.chargru.models.copies(self.shelf.open(source).path)
                found: tuple[CopiedText, ...] = tuple(copied_in(copies, text) for text in texts)
            answer = CopiesFound(turn, found)
        except ChargruError as error:
            answer = CopiesFound(turn, problem=error.message, hint=error.hint)
        except OSError as error:
            answer = CopiesFound(turn, problem=error.strerror or str(error))
        except MemoryError:
            answer = CopiesFound(turn, problem="the training text is too large to index in memory")
        self.post_message(answer)

    @on(CopiesFound)
    def _copies_found(self, message: CopiesFound) -> None:
        batch = self._comparing
        if message.turn != self._compared or batch is None:
            return
        self._comparing = None
        if len(message.found) == len(batch.members):
            for member, found in zip(batch.members, message.found, strict=True):
                member.copied = found
        if batch is self._coming:
            super().batch_ended(batch)
        if batch is not self._batch:
            return  # another one was begun meanwhile
        for card in self.grid.cards:
            card.use(self.view)
        if message.problem:
            hint = f" — {message.hint}" if message.hint else ""
            self.query_one(InfoLine).say("place", f"{message.problem}{hint}", "$error")
        else:
            self._tell_copied()

    @property
    def view(self) -> str:
        """How characters are marked: by "surprisal", by what is "copied", or not at all."""
        play = self.chargru.remembered.play
        return "copied" if play.copied else "surprisal" if play.surprisal else ""

    def _tell_copied(self, span: CopiedSpan | None = None) -> None:
        """Say where a copied stretch stands: the given one, else the longest of all."""
        batch = self._batch
        if batch is None or self.view != "copied":
            self.query_one(InfoLine).say("place", "")
            return
        spans = [longest for member in batch.members if (longest := member.longest) is not None]
        span = span or max(spans, key=lambda each: each.end - each.start, default=None)
        if span is None:
            told = "nothing of 20 characters or more stands in the training text"
        else:
            told = f"{span.end - span.start} characters {span.place}"
        self.query_one(InfoLine).say("place", told, "$foreground 62%")

    @on(CompletionCard.Pointed)
    def _pointed(self, message: CompletionCard.Pointed) -> None:
        if self._batch is not None and all(member.copied is not None for member in self._batch.members):
            self._tell_copied(message.span)
