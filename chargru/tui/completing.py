"""From a prompt to messages: a completion as the Play screen hears of it. Runs in a thread and knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chargru.config import SamplingConfig
from chargru.errors import ChargruError
from chargru.tui.messages import CompletionBegun, CompletionEnded, CompletionGrew
from chargru.tui.models import Loaded, PromptReader, Ranked, Stream, rank

FRAME = 1 / 30  # seconds between two messages; a model may write faster than any screen

CompletionMessage = CompletionBegun | CompletionGrew | CompletionEnded


def complete(
    turn: int,
    load: Callable[[], tuple[Loaded, PromptReader]],
    prompt: str,
    sampling: SamplingConfig,
    clock: Callable[[], float],
    cancelled: Callable[[], bool],
) -> Iterator[CompletionMessage]:
    """The messages of one completion, of which the last is a CompletionEnded unless it was cancelled.

    `load` gives the model and a reader of its own for the prompt; `clock` counts seconds; `cancelled` is asked between
    pieces.
    """
    try:
        loaded, reader = load()
        if cancelled():
            return
        stream = loaded.model.stream(prompt, sampling, reader=reader)
        yield CompletionBegun(turn, loaded.told, stream.reading.text, tuple(stream.reading.notes))
        pending = [""] * sampling.count
        told = [0] * sampling.count  # characters of each completion whose surprisals were told
        last = float("-inf")
        for gained in stream:
            if cancelled():
                return
            pending = [have + more for have, more in zip(pending, gained, strict=True)]
            if (now := clock()) - last >= FRAME:
                yield _grew(turn, pending, told, stream)
                pending, last = [""] * sampling.count, now
        if any(pending):
            yield _grew(turn, pending, told, stream)
        yield CompletionEnded(turn, ranking=_ranking(stream))
    except ChargruError as error:
        yield CompletionEnded(turn, error.message, error.hint)
    except OSError as error:
        yield CompletionEnded(turn, error.strerror or str(error))
    except MemoryError:
        yield CompletionEnded(turn, "out of memory", "take a shorter length or a smaller model")


def _grew(turn: int, pending: list[str], told: list[int], stream: Stream) -> CompletionGrew:
    """What was gained, with the surprisals that belong to it; moves `told` on."""
    nats = []
    for i, gained in enumerate(pending):
        until = told[i] + len(gained)
        nats.append(tuple(map(float, stream.surprisals[i][told[i] : until])))
        told[i] = until
    return CompletionGrew(turn, tuple(pending), tuple(nats))


def _ranking(stream: Stream) -> tuple[Ranked, ...]:
    return rank(stream.texts, stream.scores)
