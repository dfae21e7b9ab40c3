"""A saved model, ready to continue prompts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chargru.completion.generate import Completion, Texts
from chargru.completion.ranking import Scored, ranked
from chargru.completion.reader import PromptReader
from chargru.config import SamplingConfig
from chargru.engine import Parameters, Stepper
from chargru.errors import RunError
from chargru.storage import checkpoint as checkpoints
from chargru.text.vocabulary import Reading, Vocabulary

if TYPE_CHECKING:
    from chargru.completion.copied import CopyIndex
    from chargru.engine.device import Device

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Stream:
    """A completion under way, and how its prompt was read (with a note for every character that was not known)."""

    reading: Reading
    completion: Texts

    @property
    def texts(self) -> list[str]:
        """Every continuation so far, the prompt not included."""
        return self.completion.texts

    @property
    def stopped(self) -> list[bool]:
        """Which continuations met the stop text."""
        return self.completion.stopped

    @property
    def scores(self) -> list[float]:
        """The mean log-probability of each continuation's characters (nats, at most 0; 0 while it has none).

        Under the model itself, at temperature 1: what was drawn with any setting can be compared.
        """
        return self.completion.scores

    @property
    def surprisals(self) -> list[Array]:
        """For each continuation the nats of each drawn character, (n,) float32, under the model at temperature 1."""
        return self.completion.surprisals

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self.completion)


@dataclass(frozen=True, eq=False)
class Surprisal:
    """How surprised a model is by each character of a text.

    `nats` (n,) float32 stands for the characters of `reading.text`, which is the text as the model reads it; the first
    one is scored as the beginning of a text.
    """

    reading: Reading
    nats: Array

    @property
    def text(self) -> str:
        """The text as the model reads it, one number for each of its characters."""
        return self.reading.text

    @property
    def notes(self) -> tuple[str, ...]:
        """What was mapped or skipped, a line each."""
        return self.reading.notes

    @property
    def mean(self) -> float:
        """Nats per character; 0 for an empty text."""
        return float(self.nats.mean(dtype=np.float64)) if len(self.nats) else 0.0


class Completer:
    """Weights (the averaged ones) and vocabulary of a saved model.

    Any number of streams may run at once, each with states of its own.
    """

    def __init__(self, parameters: Parameters, vocabulary: Vocabulary, *, step: int = 0, path: Path | None = None):
        self.parameters = parameters
        self.vocabulary = vocabulary
        self.step = step
        self.path = path
        self._packing = threading.Lock()
        self._packed: Stepper | None = None

    @classmethod
    def from_checkpoint(cls, path: str | Path) -> Completer:
        """Load a `.safetensors` file.

        Raises:
            CheckpointError: it is unreadable, altered or not one of ours.
        """
        loaded = checkpoints.load(Path(path))
        parameters = Parameters(loaded.model, loaded.averaged.dtype, loaded.averaged)
        return cls(parameters, loaded.vocabulary, step=loaded.step, path=Path(path))

    def describe(self) -> str:
        """The model in one line: "2 × 256 units, 65 characters, step 1,840"."""
        config = self.parameters.config
        layers = f"{config.num_layers} × " if config.num_layers > 1 else ""
        return f"{layers}{config.hidden_size} units, {config.vocab_size} characters, step {self.step:,}"

    def reader(self) -> PromptReader:
        """A reader for a prompt that is being edited; as many as are wanted, each for one thread at a time."""
        return PromptReader(self.parameters, self.vocabulary, like=self._stepper())

    def stream(
        self,
        prompt: str,
        sampling: SamplingConfig | None = None,
        *,
        chunk: int = 8,
        reader: PromptReader | None = None,
    ) -> Stream:
        """Continuations of `prompt` that come `chunk` characters at a time; an empty prompt is fine.

        With a `reader` of this completer only what it has not read of the prompt is read, at once, and the stream needs
        it no more. Without one the prompt is read when the iteration begins.

        Raises:
            ValueError: the reader is another model's.
        """
        config = sampling or SamplingConfig()
        start = None
        if reader is None:
            reading = self.vocabulary.read(prompt)
        elif reader.parameters is self.parameters:
            reading = reader.read(prompt).reading
            start = reader.start()
        else:
            raise ValueError("the reader belongs to another model")
        completion = Completion(
            self.parameters, self.vocabulary, reading.ids, config, chunk=chunk, start=start, like=self._stepper()
        )
        return Stream(reading, completion)

    def stream_on(
        self, device: Device, prompt: str, sampling: SamplingConfig | None = None, *, chunk: int = 32
    ) -> Stream:
        """As `stream`, drawn on a GPU: worth it for many continuations side by side. Its draws are others."""
        from chargru.completion.on_device import DeviceCompletion

        reading = self.vocabulary.read(prompt)
        config = sampling or SamplingConfig()
        return Stream(
            reading, DeviceCompletion(device, self.parameters, self.vocabulary, reading.ids, config, chunk=chunk)
        )

    def complete(self, prompt: str, count: int = 1, **settings: Any) -> list[str]:
        """`count` continuations of `prompt`, whole; `settings` are those of `SamplingConfig` (length, temperature, …).

        Raises:
            ConfigError: a setting is out of its range.
        """
        return self._whole(prompt, count, settings).texts

    def ranked(self, prompt: str, count: int = 5, **settings: Any) -> list[Scored]:
        """As `complete`, but what the model thinks likeliest first, each with its score, and equal texts once."""
        stream = self._whole(prompt, count, settings)
        return ranked(stream.texts, stream.scores)

    def ghost(self, prompt: str, limit: int = 60, *, newlines: bool = False) -> str:
        """The single likeliest continuation up to the end of the line; see `PromptReader.ghost`."""
        reader = self.reader()
        reader.read(prompt)
        return reader.ghost(limit, newlines=newlines)

    def surprisal(self, text: str) -> Surprisal:
        """How surprised the model is by each character of `text`, in nats; read in one pass from the beginning."""
        read = self.reader().read(text)
        return Surprisal(read.reading, read.surprisals)

    def copies(self) -> CopyIndex:
        """An index of the text that the model was trained on, to find what it copied; made anew with every call.

        It takes seconds for a text of many megabytes; keep it.

        Raises:
            RunError: the text is gone or has changed, or the model was not loaded from a file.
            TextError: the text is too long for an index.
        """
        from chargru.completion.copied import CopyIndex
        from chargru.completion.source import training_text

        if self.path is None:
            raise RunError("this model was not loaded from a file, so its text is not known", "build a CopyIndex of it")
        return CopyIndex.build(training_text(self.path))

    def _stepper(self) -> Stepper:
        """Packed weights for everybody who steps through this model, made when the first one asks."""
        with self._packing:
            if self._packed is None:
                self._packed = Stepper(self.parameters)
        return self._packed

    def _whole(self, prompt: str, count: int, settings: dict[str, Any]) -> Stream:
        """A stream that has come to its end."""
        stream = self.stream(prompt, SamplingConfig.from_dict({"count": count, **settings}), chunk=1 << 30)
        for _ in stream:
            pass
        return stream
