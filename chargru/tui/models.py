"""The models there are, as the Play screen wants them: the door to `chargru.completion`, opened on first use.

Everything here may touch disks and is called from threads, never from the event loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from chargru.config import SamplingConfig
from chargru.tui.formatting import nats, whole


class Reading(Protocol):
    """How the model reads a prompt."""

    @property
    def text(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


class Stream(Protocol):
    """Completions on their way: each item is what every one of them gained."""

    @property
    def reading(self) -> Reading: ...

    def __iter__(self) -> Iterator[list[str]]: ...


class Model(Protocol):
    """A model that completes prompts."""

    def stream(self, prompt: str, sampling: SamplingConfig) -> Stream: ...


class Models(Protocol):
    """The models in runs and files."""

    def newest(self, run: str) -> Path:
        """The checkpoint to play with: of a run's directory the best, of a file the file."""

    def open(self, checkpoint: Path) -> Model: ...

    def describe(self, checkpoint: Path) -> str:
        """The model in one line: 'model at step 1,840 · validation loss 1.71'."""


class HouseModels:
    """`chargru.storage.runs` and `chargru.completion`, as the Play screen wants them."""

    def __init__(self, out: str | None = None) -> None:
        self._out = out

    def newest(self, run: str) -> Path:
        from chargru.storage.runs import find_model, runs_root

        return find_model(str(Path(run).absolute()), runs_root(self._out))

    def open(self, checkpoint: Path) -> Model:
        from chargru.completion.completer import Completer

        return Completer.from_checkpoint(checkpoint)

    def describe(self, checkpoint: Path) -> str:
        from chargru.storage.checkpoint import peek

        told = peek(checkpoint)
        loss = f" · validation loss {nats(told.val_loss)}" if told.val_loss is not None else ""
        return f"model at step {whole(told.step)}{loss}"
