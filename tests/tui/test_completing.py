"""A completion as messages: batched in time, cut off when nobody waits, every failure told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chargru.config import SamplingConfig
from chargru.errors import CheckpointError
from chargru.tui.completing import FRAME, CompletionMessage, complete
from chargru.tui.messages import CompletionBegun, CompletionEnded, CompletionGrew
from chargru.tui.models import Loaded, Model, Ranked
from tests.tui.fakes import FakeModel, FakeStream, paper_nats


def run(model: Model, seconds: float, cancelled_after: int = 10**9) -> list[CompletionMessage]:
    """All messages; the clock goes on by `seconds` a piece, and the user leaves after some questions."""
    now, asked = 0.0, 0

    def clock() -> float:
        nonlocal now
        now += seconds
        return now

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > cancelled_after

    loaded = Loaded(Path("step-1"), model, "a model")
    return list(complete(7, lambda: (loaded, model.reader()), "Once", SamplingConfig(count=2), clock, cancelled))


def test_slow_pieces_come_one_by_one() -> None:
    messages = run(FakeModel(("a", "b"), notes=("one note",)), 2 * FRAME)
    begun = messages[0]
    assert isinstance(begun, CompletionBegun)
    assert (begun.turn, begun.model, begun.prompt, begun.notes) == (7, "a model", "Once", ("one note",))
    assert [m.gained for m in messages if isinstance(m, CompletionGrew)] == [("a", "a"), ("b", "b 2")]
    assert messages[-1] == CompletionEnded(7, ranking=(Ranked(0, -1.0, 1), Ranked(1, -1.1, 1)))


def test_fast_pieces_are_gathered_and_none_is_lost() -> None:
    messages = run(FakeModel(tuple("abcdefgh")), FRAME / 1000)
    grown = [m.gained[0] for m in messages if isinstance(m, CompletionGrew)]
    assert len(grown) == 2
    assert "".join(grown) == "abcdefgh"
    told = [nats for m in messages if isinstance(m, CompletionGrew) for nats in m.nats[0]]
    assert told == paper_nats("abcdefgh")


def test_the_best_comes_first_and_equal_ones_once() -> None:
    (*_, last) = run(FakeModel(scores=(-2.0, -1.5)), 2 * FRAME)
    assert last == CompletionEnded(7, ranking=(Ranked(1, -1.5, 1), Ranked(0, -2.0, 1)))
    (*_, last) = run(FakeModel(alike=True), 2 * FRAME)
    assert last == CompletionEnded(7, ranking=(Ranked(0, -1.0, 2),))


def test_a_cancelled_completion_says_no_more() -> None:
    messages = run(FakeModel(tuple("abcdefgh")), 2 * FRAME, cancelled_after=3)
    assert len([m for m in messages if isinstance(m, CompletionGrew)]) == 2
    assert not any(isinstance(m, CompletionEnded) for m in messages)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CheckpointError("it is damaged", "train again"), ("it is damaged", "train again")),
        (PermissionError(13, "Permission denied"), ("Permission denied", "")),
        (MemoryError(), ("out of memory", "take a shorter length or a smaller model")),
    ],
)
def test_every_failure_is_told(error: Exception, told: tuple[str, str]) -> None:
    class Broken(FakeModel):
        def stream(self, prompt: str, sampling: SamplingConfig, *, chunk: int = 8, reader: object = None) -> FakeStream:
            def pieces() -> Iterator[list[str]]:
                yield ["a", "a"]
                raise error

            stream = super().stream(prompt, sampling)
            stream.pieces = pieces()
            return stream

    last = run(Broken(), 2 * FRAME)[-1]
    assert isinstance(last, CompletionEnded)
    assert (last.problem, last.hint) == told
