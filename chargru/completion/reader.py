"""A prompt that is being typed: read as it grows, its likeliest continuation always at hand.

The state after every character is kept, so what a keystroke costs is what it changes: a character typed at the end one
step, a backspace none (the state before it is still there), an edit in the middle the characters from the edit on. What
was read before is compared with what is read now as ids, since a vocabulary may map, skip or compose characters, and
one keystroke may change how earlier ones are read.

Memory is bounded for a prompt of any length: about 1,000 to 2,000 recent states and at most 1,000 older ones, evenly
spaced (`chargru.completion.states`): 12 MB for 2 × 512 units. Of each character its id and its surprisal are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.completion.generate import Start, opening
from chargru.completion.loops import once_round
from chargru.completion.quiet import one_blas_thread
from chargru.completion.states import States
from chargru.engine import WINDOW, Parameters, Stepper, surprisal
from chargru.text.vocabulary import Reading, Vocabulary

Array = npt.NDArray[Any]


class ReadingStoppedError(Exception):
    """`PromptReader.read` was told to stop. What it had read is kept; the next `read` goes on from there."""


@dataclass(frozen=True)
class Next:
    """A character that may come next, and how likely the model thinks it is at temperature 1."""

    character: str
    probability: float


@dataclass(frozen=True, eq=False)
class Read:
    """A prompt as the model read it.

    `surprisals` (n,) float32: nats for each character of `reading.text`, given those before it; the first one is scored
    as the beginning of a text (after a line break, or what stands in for it). `probabilities` (V,) float64: of each
    character of the vocabulary to come next, at temperature 1.
    """

    reading: Reading
    surprisals: Array
    probabilities: Array
    vocabulary: Vocabulary

    @property
    def text(self) -> str:
        """The prompt as the model reads it."""
        return self.reading.text

    @property
    def notes(self) -> tuple[str, ...]:
        """What was mapped or skipped, a line each."""
        return self.reading.notes

    def likeliest(self, n: int = 5) -> tuple[Next, ...]:
        """The `n` likeliest next characters, likeliest first (of equals the lower code point)."""
        order = np.argsort(-self.probabilities, kind="stable")[: max(0, n)]
        points = self.vocabulary.code_points
        return tuple(Next(chr(points[each]), float(self.probabilities[each])) for each in order.tolist())


_AHEADS = 64  # places of the prompt whose likeliest continuation is kept


@dataclass(eq=False)
class _Ahead:
    """A continuation, and the state (L, 1, H) and logits (1, V) after its last character; arrays are never changed."""

    ids: list[int]
    state: Array
    logits: Array


def _never() -> bool:
    return False


class PromptReader:
    """Reads one prompt over and over as it is edited. Not thread-safe: one thread at a time.

    Before the first `read` it stands after the empty prompt.
    """

    def __init__(self, parameters: Parameters, vocabulary: Vocabulary, *, like: Stepper | None = None) -> None:
        """`like`: a stepper of the same parameters, whose packed weights are then shared."""
        self.parameters = parameters
        self.vocabulary = vocabulary
        self._stepper = Stepper(parameters, like=like)
        with one_blas_thread:
            first = self._stepper.read(opening(vocabulary))
        self._opened = self._stepper.h.copy(), first.copy()  # where an empty prompt stands
        self._states = States(self._stepper.h.nbytes)
        self._ids: Array = np.empty(0, vocabulary.dtype)  # what was read
        self._surprisals = np.empty(64, np.float32)  # room for more than was read
        self._after = self._opened  # the state (L, 1, H) and logits (1, V) after it
        self._aheads: dict[int, _Ahead] = {}  # by how many characters stand before the continuation, oldest first

    def read(self, text: str, *, should_stop: Callable[[], bool] = _never) -> Read:
        """Read `text` in place of what was read before; costs what differs from it.

        `should_stop` is asked every 64 characters, for a text that is pasted: 100,000 characters take some seconds.

        Raises:
            ReadingStoppedError: `should_stop` said so before the end.
        """
        reading = self.vocabulary.read(text)
        ids = reading.ids
        known = _common(self._ids, ids)
        if known < len(self._ids) or known < len(ids):
            with one_blas_thread:
                self._read_on(ids, known, should_stop)
        peak = self._after[1][0].astype(np.float64)
        probabilities = np.exp(peak - peak.max())
        probabilities /= probabilities.sum()
        return Read(reading, self._surprisals[: len(ids)].copy(), probabilities, self.vocabulary)

    def ghost(self, limit: int = 60, *, newlines: bool = False, should_stop: Callable[[], bool] = _never) -> str:
        """The likeliest continuation of what was read last, character by character (as at temperature 0).

        Ends after `limit` characters, where it begins to repeat itself or, without `newlines`, with the first line
        break, which is then its last character. `should_stop` is asked before every character that must be computed;
        what there is by then is returned. Nothing of what was read is changed. What was foreseen stays: a character
        typed as foreseen costs one more step, and the ghost at a place that the prompt came back to nothing.
        """
        ahead = self._foreseen()
        end = -1 if newlines or "\n" not in self.vocabulary else int(self.vocabulary.encode("\n")[0])
        if len(ahead.ids) < limit and end not in ahead.ids:
            self._stepper.h[:], logits = ahead.state, ahead.logits
            with one_blas_thread:
                while len(ahead.ids) < limit and end not in ahead.ids[-1:] and not should_stop():
                    ahead.ids.append(int(logits[0].argmax()))
                    logits = self._stepper.step(np.array(ahead.ids[-1:]))
            ahead.state, ahead.logits = self._stepper.h.copy(), logits.copy()
        shown = ahead.ids[: max(0, limit)]
        if end in shown:
            del shown[shown.index(end) + 1 :]
        return once_round(self.vocabulary.decode(np.array(shown, np.intp)))

    def _foreseen(self) -> _Ahead:
        """What is known by now of the likeliest continuation of what was read."""
        here = len(self._ids)
        if here not in self._aheads:
            before = self._aheads.get(here - 1)
            # Not at 1: an empty prompt stands after a line break, a prompt of one character after nothing.
            if here > 1 and before is not None and before.ids[:1] == self._ids[-1:].tolist():
                self._aheads[here] = _Ahead(before.ids[1:], before.state, before.logits)
            else:
                self._aheads[here] = _Ahead([], *self._after)
            while len(self._aheads) > _AHEADS:
                del self._aheads[next(iter(self._aheads))]
        return self._aheads[here]

    def start(self) -> Start:
        """Where a completion of what was read last begins; stays as it is when the reader reads on."""
        state, logits = self._after
        return Start(state.copy(), logits.copy(), self._stepper)

    def _read_on(self, ids: Array, known: int, should_stop: Callable[[], bool]) -> None:
        """Make `ids` what was read, of which the first `known` were before."""
        self._states.truncate(known)
        self._aheads = {place: ahead for place, ahead in self._aheads.items() if place <= known}
        position, state = self._states.nearest(known)
        self._ids, self._after = ids[:known], self._opened
        self._make_room(len(ids))
        self._stepper.h[:] = 0 if state is None else state
        logits = self._opened[1] if state is None else self._stepper.predict().copy()
        while position < len(ids):
            if should_stop():
                # The state after `position` characters is the last one kept: the next reading begins with it.
                self._ids = ids[:position]
                self._after = (self._stepper.h.copy(), logits.copy()) if position else self._opened
                raise ReadingStoppedError
            piece = ids[position : position + WINDOW]
            rows = self._read_piece(position, piece)  # (n, V) logits after each
            before = np.concatenate([logits, rows[:-1]])
            self._surprisals[position : position + len(piece)] = surprisal(before, piece)
            logits = rows[-1:]
            position += len(piece)
        self._ids = ids
        if position:
            self._after = self._stepper.h.copy(), logits.copy()

    def _read_piece(self, position: int, piece: Array) -> Array:
        """Read up to a window of characters after `position`, keep the states; the logits (n, V) after each."""
        if len(piece) == WINDOW:
            states, rows = self._stepper.window(piece)
            for t in range(WINDOW):
                self._states.append(position + t + 1, states[:, t : t + 1])
            return rows
        rows = np.empty((len(piece), self.vocabulary.size), self._stepper.h.dtype)
        for t in range(len(piece)):
            rows[t] = self._stepper.step(piece[t : t + 1])[0]
            self._states.append(position + t + 1, self._stepper.h)
        return rows

    def _make_room(self, characters: int) -> None:
        if characters > len(self._surprisals):
            self._surprisals = np.resize(self._surprisals, 2 * characters)


def _common(first: Array, second: Array) -> int:
    """How many ids the two begin with in common."""
    n = min(len(first), len(second))
    differ = np.flatnonzero(first[:n] != second[:n])
    return int(differ[0]) if len(differ) else n
