"""The models there are, as the Play screen wants them: the door to `chargru.completion`, opened on first use.

Everything here may touch disks and is called from threads, never from the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, cast

from chargru.config import SamplingConfig
from chargru.tui.formatting import nats, whole
from chargru.tui.graphics import Graphics

if TYPE_CHECKING:
    from chargru.completion.completer import Completer
    from chargru.completion.copied import CopyIndex
    from chargru.completion.copied import Span as CopiedPassage
    from chargru.completion.reader import PromptReader as HouseReader

AROUND = 24  # characters of the training text that are shown on either side of a copied stretch


class Reading(Protocol):
    """How the model reads a prompt."""

    @property
    def text(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


class Next(Protocol):
    """A character that may come next, and how likely the model finds it."""

    @property
    def character(self) -> str: ...

    @property
    def probability(self) -> float: ...


class Read(Protocol):
    """What the model makes of a prompt: how it read it, how it was surprised, what it expects next."""

    @property
    def reading(self) -> Reading: ...

    @property
    def surprisals(self) -> Sequence[float]:
        """Nats of each character of `reading.text`."""

    def likeliest(self, n: int = 5) -> Sequence[Next]: ...


class PromptReader(Protocol):
    """Reads a prompt that is being written; remembers states, so only what is new costs. For one thread at a time."""

    def read(self, text: str, *, should_stop: Callable[[], bool] = ...) -> Read:
        """Read this instead of what was read before. Raises ReadingStoppedError where `should_stop` said so."""

    def ghost(self, limit: int = 60, *, newlines: bool = False, should_stop: Callable[[], bool] = ...) -> str:
        """The likeliest continuation of what was read last, up to a newline (which it then ends with) or `limit`."""


class Stream(Protocol):
    """Completions on their way: each item is what every one of them gained."""

    @property
    def reading(self) -> Reading: ...

    @property
    def texts(self) -> list[str]: ...

    @property
    def scores(self) -> Sequence[float]:
        """Mean log-probability per character of each, at temperature 1."""

    @property
    def surprisals(self) -> Sequence[Sequence[float]]:
        """Nats of every character drawn so far, for each."""

    def __iter__(self) -> Iterator[list[str]]: ...


class Model(Protocol):
    """A model that reads and completes prompts."""

    def stream(
        self, prompt: str, sampling: SamplingConfig, *, chunk: int = 8, reader: PromptReader | None = None
    ) -> Stream: ...

    def reader(self) -> PromptReader: ...


class Span(Protocol):
    """A stretch of a completion that stands verbatim in the training text, there at `position`."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...

    @property
    def position(self) -> int: ...


class Copies(Protocol):
    """What stands in the training text."""

    def spans(self, text: str, least: int = 20) -> Sequence[Span]: ...

    def new_fraction(self, text: str) -> float: ...

    def place(self, span: Span) -> str:
        """Where the span stands: "at 43 %, line 1,204", and a few words around it, raw."""


class Models(Protocol):
    """The models in runs and files."""

    def newest(self, run: str) -> Path:
        """The checkpoint to play with: of a run's directory the best, of a file the file."""

    def open(self, checkpoint: Path) -> Model: ...

    def describe(self, checkpoint: Path) -> str:
        """The model in one line: 'model at step 1,840 · validation loss 1.71'."""

    def copies(self, checkpoint: Path) -> Copies:
        """The index of the text that this model was trained on. Slow. Raises ChargruError where the text is gone."""


@dataclass(frozen=True)
class CopiedSpan:
    """A stretch `start` to `end` of a completion that stands in the training text; `place` says where, raw."""

    start: int
    end: int
    place: str


@dataclass(frozen=True)
class CopiedText:
    """How much of a completion is new, 0 to 1, and what is not."""

    new: float
    spans: tuple[CopiedSpan, ...] = ()


def copied_in(copies: Copies, text: str) -> CopiedText:
    """What of `text` stands in the training text."""
    spans = tuple(CopiedSpan(span.start, span.end, copies.place(span)) for span in copies.spans(text))
    return CopiedText(copies.new_fraction(text), spans)


@dataclass(frozen=True)
class Ranked:
    """One of several completions: its place in the batch, its mean log-probability, how many were alike."""

    index: int
    score: float
    copies: int


def rank(texts: Sequence[str], scores: Sequence[float]) -> tuple[Ranked, ...]:
    """Best first, every text once."""
    from chargru.completion.ranking import ranked

    return tuple(Ranked(each.index, each.score, each.copies) for each in ranked(texts, scores))


@dataclass(frozen=True)
class Loaded:
    """A model at hand, and the line that describes it."""

    path: Path
    model: Model
    told: str


class Shelf:
    """The model in use, loaded once for the threads that read prompts and those that complete them."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._lock = Lock()
        self._source = ""
        self._loaded: Loaded | None = None

    def open(self, source: str, *, again: bool = False) -> Loaded:
        """The model of a run or a file; `again` looks whether the run has a newer one.

        Raises:
            ChargruError: there is none, or it cannot be loaded.
        """
        with self._lock:
            if self._loaded is None or source != self._source or again:
                path = self._models.newest(source)
                if self._loaded is None or path != self._loaded.path:
                    self._loaded = Loaded(path, self._models.open(path), self._models.describe(path))
                self._source = source
            return self._loaded


class HouseModels:
    """`chargru.storage.runs` and `chargru.completion`, as the Play screen wants them."""

    def __init__(self, out: str | None = None, graphics: Graphics | None = None) -> None:
        self._out = out
        self._graphics = graphics or Graphics()
        self._indexed: tuple[tuple[str, float], Copies] | None = None

    def newest(self, run: str) -> Path:
        from chargru.storage.runs import find_model, runs_root

        return find_model(str(Path(run).absolute()), runs_root(self._out))

    def open(self, checkpoint: Path) -> Model:
        from chargru.completion.completer import Completer

        return HouseModel(Completer.from_checkpoint(checkpoint), self._graphics)

    def describe(self, checkpoint: Path) -> str:
        from chargru.storage.checkpoint import peek

        told = peek(checkpoint)
        loss = f" · validation loss {nats(told.val_loss)}" if told.val_loss is not None else ""
        return f"model at step {whole(told.step)}{loss}"

    def copies(self, checkpoint: Path) -> Copies:
        from chargru.completion.copied import CopyIndex
        from chargru.completion.source import training_text
        from chargru.storage.checkpoint import peek

        told = peek(checkpoint)
        key = (told.corpus.sha256, told.training.val_fraction)  # every checkpoint of a run has learned the same text
        if self._indexed is None or self._indexed[0] != key:
            self._indexed = None  # two of them are rarely wanted, and one of a large text is large
            self._indexed = key, HouseCopies(CopyIndex.build(training_text(checkpoint)))
        return self._indexed[1]


class HouseModel:
    """A `chargru.completion.completer.Completer`, which leaves what is much work to a GPU that is ready for it."""

    def __init__(self, completer: Completer, graphics: Graphics) -> None:
        self._completer, self._graphics = completer, graphics

    def stream(
        self, prompt: str, sampling: SamplingConfig, *, chunk: int = 8, reader: PromptReader | None = None
    ) -> Stream:
        stream = self._graphics.drawn(self._completer, prompt, sampling)
        if stream is None:
            # a protocol's reader may be anybody's, a Completer's stream takes its own ones only
            own = cast("HouseReader | None", reader)
            stream = self._completer.stream(prompt, sampling, chunk=chunk, reader=own)
        return cast("Stream", stream)

    def reader(self) -> PromptReader:
        return cast("PromptReader", self._completer.reader())


class HouseCopies:
    """A `chargru.completion.copied.CopyIndex`, with places in words."""

    def __init__(self, index: CopyIndex) -> None:
        self._index = index

    def spans(self, text: str, least: int = 20) -> Sequence[Span]:
        return self._index.spans(text, least)

    def new_fraction(self, text: str) -> float:
        return self._index.new_fraction(text)

    def place(self, span: Span) -> str:
        found = cast("CopiedPassage", span)
        place, context = self._index.place(found), self._index.context(found, AROUND)
        return f"stand at {place.fraction:.0%}, line {whole(place.line)}: …{context}…"
