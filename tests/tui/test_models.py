"""The door to real models: a run of a few steps is read, completed, and compared with what it was trained on."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest
from textual.message import Message

from chargru.config import SamplingConfig, TrainRequest
from chargru.errors import RunError
from chargru.events import Finished
from chargru.training.session import open_session
from chargru.tui.completing import complete
from chargru.tui.ghosting import Ghostwriter, Question
from chargru.tui.messages import CompletionBegun, CompletionEnded, CompletionGrew, GhostSeen, PromptRead
from chargru.tui.models import HouseModels, Shelf, copied_in

TEXT = "the rain fell on the walls of the old harbour, and nobody came.\n" * 40


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(a finished run, its text)"""
    place = tmp_path_factory.mktemp("models")
    text = place / "rain.txt"
    text.write_text(TEXT, encoding="utf-8")
    request = TrainRequest(
        corpus=str(text), out=str(place), steps=4, hidden_size=8, num_layers=1, batch_size=4, seq_len=16, threads=1
    )
    events = list(open_session(request).run())
    assert isinstance(events[-1], Finished)
    assert events[-1].checkpoint is not None
    return Path(events[-1].checkpoint), text


def test_a_real_model_reads_along_and_writes(run: tuple[Path, Path]) -> None:
    shelf = Shelf(HouseModels())
    heard: list[Message] = []
    writer = Ghostwriter(shelf, heard.append, lambda work: work())
    writer.ask(Question(1, str(run[0]), "the räin", 8))
    read, *ghosts = heard
    assert isinstance(read, PromptRead)
    assert "ä as a" in " ".join(read.notes)
    assert len(read.nats) == 8
    assert len(read.likeliest) == 5
    assert 0 < sum(each.probability for each in read.likeliest) <= 1.001
    assert ghosts
    assert all(isinstance(each, GhostSeen) and each.ghost for each in ghosts)

    loaded = shelf.open(str(run[0]), again=True)
    sampling = SamplingConfig(count=3, length=30, seed=1)
    reader = loaded.model.reader()
    messages = list(complete(1, lambda: (loaded, reader), "the rain", sampling, monotonic, lambda: False))
    assert isinstance(messages[0], CompletionBegun)
    grown = [message for message in messages if isinstance(message, CompletionGrew)]
    for i in range(3):
        text = "".join(message.gained[i] for message in grown)
        nats = [value for message in grown for value in message.nats[i]]
        assert len(text) == len(nats) == 30
    last = messages[-1]
    assert isinstance(last, CompletionEnded)
    assert [each.score for each in last.ranking] == sorted((each.score for each in last.ranking), reverse=True)


def test_copies_are_placed_in_the_training_text(run: tuple[Path, Path]) -> None:
    models = HouseModels()
    copies = models.copies(run[0])
    assert models.copies(run[0]) is copies  # indexed once
    found = copied_in(copies, "and so the rain fell on the walls, they said")
    (span,) = found.spans
    assert "and so the rain fell on the walls, they said"[span.start : span.end] == "the rain fell on the walls"
    assert span.place.startswith("stand at 0%, line 1: …the rain fell on the walls of the old harbour")
    assert found.new == pytest.approx(1 - 26 / 44)


def test_a_changed_training_text_is_refused(run: tuple[Path, Path]) -> None:
    run[1].write_text(TEXT.replace("rain", "snow"), encoding="utf-8")
    with pytest.raises(RunError, match="changed"):
        HouseModels().copies(run[0])
