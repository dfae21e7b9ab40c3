"""Reading along while somebody types: one thread, the latest question, answers that say which question they answer.

A question replaces the one that waits, and cuts the ghost short that is being written: typing never waits for a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from textual.message import Message

from chargru.errors import ChargruError
from chargru.tui.messages import GhostSeen, NextCharacter, PromptRead
from chargru.tui.models import PromptReader, Shelf
from chargru.tui.surprise import spread

# Characters of ghost text in each stage: the first is there before the next key, the last is a line.
STAGES = (12, 64)
NEXT = 5  # likeliest next characters that are told

_WORD = re.compile(r"\s*(?:\w+|[^\w\s]+)[^\S\n]*\n?|\s+", re.UNICODE)
_SENTENCE = re.compile(r".*?(?:[.!?…。！？]+[\"'”’»)\]]*(?=\s|$)|\n|$)", re.UNICODE)


def first_word(ghost: str) -> str:
    """What ctrl+right takes of a ghost: a word or a run of signs with the blanks around it."""
    match = _WORD.match(ghost)
    return match[0] if match else ghost


def first_sentence(ghost: str) -> str:
    """What ctrl+e takes: up to the end of the sentence, or of the line with its line break, or all."""
    match = _SENTENCE.match(ghost)
    return match[0] if match and match[0] else ghost


@dataclass(frozen=True)
class Question:
    """A prompt as it stands: which model is asked, where the cursor is, and what is wanted of it."""

    turn: int
    source: str
    text: str
    cursor: int  # index into the text
    ghost: bool = True


class Ghostwriter:
    """Answers the latest question by `PromptRead` and, at the end of a prompt, `GhostSeen`."""

    def __init__(
        self,
        shelf: Shelf,
        post: Callable[[Message], object],
        spawn: Callable[[Callable[[], None]], object],
    ) -> None:
        """`spawn` runs a function in a thread; it is asked only while no such thread is at work."""
        self._shelf = shelf
        self._post = post
        self._spawn = spawn
        self._lock = Lock()
        self._waiting: Question | None = None
        self._busy = False
        self._readers: tuple[PromptReader, PromptReader] | None = None
        self._path: Path | None = None

    def ask(self, question: Question | None) -> None:
        """Take this question instead of any that waits; None: there is nothing to answer any more."""
        with self._lock:
            self._waiting = question
            if self._busy or question is None:
                return
            self._busy = True
        self._spawn(self._work)

    def _take(self) -> Question | None:
        with self._lock:
            question, self._waiting = self._waiting, None
            self._busy = question is not None
            return question

    def _overtaken(self) -> bool:
        return self._waiting is not None

    def _work(self) -> None:
        try:
            while (question := self._take()) is not None:
                self._try(question)
        except BaseException:
            self._busy = False
            raise

    def _try(self, question: Question) -> None:
        problem = hint = ""
        try:
            self._answer(question)
        except ChargruError as error:
            problem, hint = error.message, error.hint
        except OSError as error:
            problem = error.strerror or str(error)
        except MemoryError:
            problem, hint = "out of memory", "take a smaller model"
        if problem:
            self._readers = self._path = None
            self._post(PromptRead(question.turn, question.text, problem=problem, hint=hint))

    def _answer(self, question: Question) -> None:
        from chargru.completion.reader import ReadingStoppedError  # not before it is needed: it brings NumPy

        loaded = self._shelf.open(question.source)
        if self._readers is None or loaded.path != self._path:
            # one for the whole prompt and one for what stands before the cursor: each reads only what is new to it
            self._readers, self._path = (loaded.model.reader(), loaded.model.reader()), loaded.path
        reader, text = self._readers[0], question.text
        try:
            read = whole = reader.read(text, should_stop=self._overtaken)
            if question.cursor < len(text):
                read = self._readers[1].read(text[: question.cursor], should_stop=self._overtaken)
        except ReadingStoppedError:
            return
        self._post(
            PromptRead(
                question.turn,
                text,
                notes=tuple(whole.reading.notes),
                nats=spread(text, whole.reading.text, whole.surprisals),
                likeliest=tuple(NextCharacter(each.character, each.probability) for each in read.likeliest(NEXT)),
                model=loaded.told,
            )
        )
        if not question.ghost or not text or question.cursor < len(text):
            return
        for limit in STAGES:
            if self._overtaken():
                return
            ghost = reader.ghost(limit, newlines=False, should_stop=self._overtaken)
            if self._overtaken():  # it may have been cut short
                return
            self._post(GhostSeen(question.turn, ghost))
            if len(ghost) < limit:
                return
