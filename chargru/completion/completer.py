"""A saved model, ready to continue prompts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargru.completion.generate import Completion
from chargru.config import SamplingConfig
from chargru.engine import Parameters
from chargru.storage import checkpoint as checkpoints
from chargru.text.vocabulary import Reading, Vocabulary


@dataclass(frozen=True)
class Stream:
    """A completion under way, and how its prompt was read (with a note for every character that was not known)."""

    reading: Reading
    completion: Completion

    @property
    def texts(self) -> list[str]:
        """Every continuation so far, the prompt not included."""
        return self.completion.texts

    @property
    def stopped(self) -> list[bool]:
        """Which continuations met the stop text."""
        return self.completion.stopped

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self.completion)


class Completer:
    """Weights (the averaged ones) and vocabulary of a saved model.

    Any number of streams may run at once, each with states of its own.
    """

    def __init__(self, parameters: Parameters, vocabulary: Vocabulary, *, step: int = 0, path: Path | None = None):
        self.parameters = parameters
        self.vocabulary = vocabulary
        self.step = step
        self.path = path

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

    def stream(self, prompt: str, sampling: SamplingConfig | None = None, *, chunk: int = 8) -> Stream:
        """Continuations of `prompt` that come `chunk` characters at a time; an empty prompt is fine."""
        reading = self.vocabulary.read(prompt)
        config = sampling or SamplingConfig()
        return Stream(reading, Completion(self.parameters, self.vocabulary, reading.ids, config, chunk=chunk))

    def complete(self, prompt: str, count: int = 1, **settings: Any) -> list[str]:
        """`count` continuations of `prompt`, whole; `settings` are those of `SamplingConfig` (length, temperature, …).

        Raises:
            ConfigError: a setting is out of its range.
        """
        stream = self.stream(prompt, SamplingConfig.from_dict({"count": count, **settings}), chunk=1 << 30)
        for _ in stream:
            pass
        return stream.texts
