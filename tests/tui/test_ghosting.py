"""The thread that reads along: the latest question is answered, what it overtakes is cut short."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.message import Message

from chargru.errors import CheckpointError
from chargru.tui.ghosting import STAGES, Ghostwriter, Question, first_sentence, first_word
from chargru.tui.messages import GhostSeen, PromptRead
from chargru.tui.models import Shelf
from tests.tui.fakes import FakeModel, FakeModels, FakePromptReader, paper_nats


class Desk:
    """A ghostwriter whose thread runs when the test says so."""

    def __init__(self, model: FakeModel | None = None, models: FakeModels | None = None) -> None:
        self.model = model or FakeModel()
        self.models = models or FakeModels("tales-1", model=self.model)
        self.heard: list[Message] = []
        self.work: list[Callable[[], None]] = []
        self.writer = Ghostwriter(Shelf(self.models), self.heard.append, self.work.append)

    def run(self) -> list[Message]:
        while self.work:
            self.work.pop(0)()
        heard = list(self.heard)
        self.heard.clear()
        return heard


def question(turn: int, text: str, cursor: int | None = None, source: str = "runs/a", ghost: bool = True) -> Question:
    return Question(turn, source, text, len(text) if cursor is None else cursor, ghost)


def test_a_question_is_answered_in_stages() -> None:
    desk = Desk()
    desk.writer.ask(question(1, "Once"))
    read, *ghosts = desk.run()
    assert isinstance(read, PromptRead)
    assert (read.turn, read.text, read.nats) == (1, "Once", tuple(paper_nats("Once")))
    assert [each.character for each in read.likeliest] == ["e", " ", "\n", "[", "한"]
    assert ghosts == [GhostSeen(1, " upon a time"), GhostSeen(1, " upon a time there was a king. He slept.\n")]
    assert len(" upon a time") == STAGES[0]


def test_only_the_latest_question_is_answered_by_one_thread() -> None:
    desk = Desk()
    for turn, text in enumerate(("O", "On", "Onc"), 1):
        desk.writer.ask(question(turn, text))
    assert len(desk.work) == 1
    assert {message.turn for message in desk.run()} == {3}  # type: ignore[attr-defined]
    assert desk.model.readers[0].texts == ["Onc"]
    desk.writer.ask(question(4, "Once"))
    assert len(desk.work) == 1
    assert desk.run()
    assert len(desk.model.readers) == 2  # the same ones as before
    desk.writer.ask(None)
    assert desk.run() == []


def test_a_ghost_is_cut_short_by_the_next_key() -> None:
    class Typing(FakePromptReader):
        def ghost(self, limit: int = 60, *, newlines: bool = False, should_stop: Callable[[], bool] = bool) -> str:
            if self.texts[-1] == "O":
                assert not should_stop()
                desk.writer.ask(question(2, "On"))
                assert should_stop()
                return "n"
            return super().ghost(limit, newlines=newlines, should_stop=should_stop)

    class TypingModel(FakeModel):
        def reader(self) -> FakePromptReader:
            return Typing(self)

    desk = Desk(TypingModel())
    desk.writer.ask(question(1, "O"))
    heard = desk.run()
    assert [message.turn for message in heard if isinstance(message, PromptRead)] == [1, 2]
    assert {message.turn for message in heard if isinstance(message, GhostSeen)} == {2}


def test_no_ghost_inside_of_a_prompt_or_where_it_is_off() -> None:
    desk = Desk()
    desk.writer.ask(question(1, "Once upon", cursor=4))
    (read,) = desk.run()
    assert isinstance(read, PromptRead)
    assert len(read.nats) == len("Once upon")
    assert [reader.texts for reader in desk.model.readers] == [
        ["Once upon"],
        ["Once"],
    ]  # what comes next: at the cursor
    for each in (question(2, ""), question(3, "Once", ghost=False)):
        desk.writer.ask(each)
        assert len(desk.run()) == 1


def test_a_newer_snapshot_takes_over() -> None:
    desk = Desk()
    for turn, source in enumerate(("step-1", "step-1", "step-2"), 1):
        desk.writer.ask(question(turn, "Once", source=source))
        desk.run()
    assert desk.models.opened == [Path("step-1"), Path("step-2")]
    assert len(desk.model.readers) == 4


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CheckpointError("it is damaged", "train again"), ("it is damaged", "train again")),
        (PermissionError(13, "Permission denied"), ("Permission denied", "")),
        (MemoryError(), ("out of memory", "take a smaller model")),
    ],
)
def test_a_failure_is_told_and_the_next_question_works(error: Exception, told: tuple[str, str]) -> None:
    class Broken(FakeModels):
        def open(self, checkpoint: Path) -> FakeModel:  # type: ignore[override]
            if checkpoint.name == "broken":
                raise error
            return self.model

    desk = Desk(models=Broken())
    desk.writer.ask(question(1, "Once", source="broken"))
    (failed,) = desk.run()
    assert isinstance(failed, PromptRead)
    assert (failed.problem, failed.hint) == told
    desk.writer.ask(question(2, "Once", source="whole"))
    assert len(desk.run()) == 3


def test_an_unforeseen_error_leaves_nobody_waiting() -> None:
    class Odd(FakeModel):
        def reader(self) -> FakePromptReader:
            raise RuntimeError("odd")

    desk = Desk(Odd())
    desk.writer.ask(question(1, "Once"))
    with pytest.raises(RuntimeError):
        desk.run()
    desk.writer.ask(question(2, "Once"))
    assert len(desk.work) == 1


def test_parts_of_a_ghost() -> None:
    assert first_word(" upon a time") == " upon "
    assert first_word("ce upon") == "ce "
    assert first_word(", he said") == ", "
    assert first_word("\n") == "\n"
    assert first_word("end\n") == "end\n"
    assert first_word("한글 텍스트") == "한글 "
    assert first_sentence(" was a king. He slept.\n") == " was a king."
    assert first_sentence(' he said.” "No') == " he said.”"
    assert first_sentence(" is 3.5 m\n") == " is 3.5 m\n"
    assert first_sentence(" and then") == " and then"
    assert first_sentence("\n") == "\n"
