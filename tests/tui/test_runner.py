"""The pump between the worker's mailbox and the app."""

from __future__ import annotations

from chargru.config import TrainRequest
from chargru.errors import WorkerError
from chargru.events import Event, Failed
from chargru.tui.messages import TrainingEvents
from chargru.tui.runner import Pump, WorkerRunner
from tests.tui.fakes import FakeRunner, progress, started

REQUEST = TrainRequest(corpus="tales", time=30)


def test_events_are_posted_together_and_nothing_when_there_are_none() -> None:
    runner, posted = FakeRunner(), list[TrainingEvents]()
    pump = Pump(runner, posted.append)
    pump.start(REQUEST)
    runner.mail += [started(), progress(1)]
    pump.tick()
    pump.tick()
    assert [message.events for message in posted] == [(started(), progress(1))]
    assert runner.requests == [REQUEST]


def test_a_worker_that_cannot_start_is_a_failed_training() -> None:
    class NoWorker(FakeRunner):
        def start(self, request: TrainRequest) -> None:
            raise WorkerError("no process", "try again")

    posted = list[TrainingEvents]()
    Pump(NoWorker(), posted.append).start(REQUEST)
    events: tuple[Event, ...] = posted[0].events
    assert events == (Failed("no process", "try again"),)


def test_words_without_a_worker_are_harmless() -> None:
    runner = WorkerRunner()
    runner.send("stop")
    assert runner.drain() == []
    runner.close(0.1)
