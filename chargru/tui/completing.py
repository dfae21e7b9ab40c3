"""From a prompt to messages: a completion as the Play screen hears of it. Runs in a thread and knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chargru.config import SamplingConfig
from chargru.errors import ChargruError
from chargru.tui.messages import CompletionBegun, CompletionEnded, CompletionGrew
from chargru.tui.models import Model

FRAME = 1 / 30  # seconds between two messages; a model may write faster than any screen

CompletionMessage = CompletionBegun | CompletionGrew | CompletionEnded


def complete(
    turn: int,
    load: Callable[[], tuple[Model, str]],
    prompt: str,
    sampling: SamplingConfig,
    clock: Callable[[], float],
    cancelled: Callable[[], bool],
) -> Iterator[CompletionMessage]:
    """The messages of one completion, of which the last is a CompletionEnded unless it was cancelled.

    `load` gives the model and its one-line description; `clock` counts seconds; `cancelled` is asked between pieces.
    """
    try:
        model, told = load()
        if cancelled():
            return
        stream = model.stream(prompt, sampling)
        yield CompletionBegun(turn, told, stream.reading.text, tuple(stream.reading.notes))
        pending = [""] * sampling.count
        last = float("-inf")
        for gained in stream:
            if cancelled():
                return
            pending = [have + more for have, more in zip(pending, gained, strict=True)]
            if (now := clock()) - last >= FRAME:
                yield CompletionGrew(turn, tuple(pending))
                pending, last = [""] * sampling.count, now
        if any(pending):
            yield CompletionGrew(turn, tuple(pending))
        yield CompletionEnded(turn)
    except ChargruError as error:
        yield CompletionEnded(turn, error.message, error.hint)
    except OSError as error:
        yield CompletionEnded(turn, error.strerror or str(error))
    except MemoryError:
        yield CompletionEnded(turn, "out of memory", "take a shorter length or a smaller model")
