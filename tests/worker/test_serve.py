"""The child's side in this process, over real pipes, with a fake trainer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chargru.config import TrainRequest
from chargru.errors import TextError
from chargru.events import Event, Failed, Finished, Notice, Paused, Progress, RateChanged, Resumed, Saved, from_record
from chargru.worker.lines import decode_line, encode_line, read_lines
from chargru.worker.mailbox import Mailbox
from chargru.worker.serve import Reading, Service

from .fakes import FakeControl, FakeTrainer, finished, progress

REQUEST = TrainRequest(corpus="tales")


class Parent:
    """The other end of a Service that runs in a thread."""

    def __init__(self, open_trainer: Callable[..., Any], **settings: Any) -> None:
        self.incoming, self.hand = os.pipe()
        self.ear, self.outgoing = os.pipe()
        self.control = FakeControl()
        self.left = threading.Event()
        self.codes: list[int] = []

        def leave(code: int) -> None:
            self.codes.append(code)
            self.left.set()

        service = Service(
            self.incoming,
            self.outgoing,
            control=self.control,  # type: ignore[arg-type]
            open_trainer=open_trainer,
            leave=leave,
            **settings,
        )
        self.service = service

        def run() -> None:
            self.code = service.run()
            os.close(self.outgoing)

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def say(self, data: bytes) -> None:
        os.write(self.hand, data)

    def request(self, request: TrainRequest = REQUEST) -> None:
        self.say(encode_line(request.to_dict()))

    def hear(self) -> Iterator[Event]:
        for line in read_lines(lambda size: os.read(self.ear, size)):
            assert line is not None
            yield from_record(decode_line(line))

    def hang_up(self) -> None:
        os.close(self.hand)
        self.hand = -1

    def end(self) -> int:
        self.thread.join(timeout=20)
        assert not self.thread.is_alive()
        return self.code

    def close(self) -> None:
        for descriptor in (self.hand, self.ear):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def parent() -> Iterator[Callable[..., Parent]]:
    parents: list[Parent] = []

    def make(open_trainer: Callable[..., Any] = lambda *_: FakeTrainer(), **settings: Any) -> Parent:
        parents.append(Parent(open_trainer, **settings))
        return parents[-1]

    yield make
    for each in parents:
        each.control.ended.set()
        each.close()


class Script:
    """A trainer that yields these events, and raises what is an error among them."""

    def __init__(self, *events: Event | Exception) -> None:
        self.events = events

    def run(self, control: Any = None) -> Iterator[Event]:
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event


def test_the_events_of_a_training_come_over_the_wire(parent: Callable[..., Parent]) -> None:
    events: list[Event] = [Notice("naïve \x1b[31m"), Saved(3, "/p", True), finished("done", 3)]
    there = parent(lambda *_: Script(*events))
    there.request()
    assert list(there.hear()) == events
    assert there.end() == 0


def test_the_request_arrives_as_it_was_given(parent: Callable[..., Parent]) -> None:
    seen: list[TrainRequest] = []

    def opener(request: TrainRequest, _: Reading) -> Script:
        seen.append(request)
        return Script()

    request = TrainRequest(corpus="/tmp/ü.txt", time=2.5, hidden_size=12, sample_prompt="a\nb")
    there = parent(opener)
    there.request(request)
    there.end()
    assert seen == [request]


def test_words_reach_the_trainer_and_unknown_ones_are_told(parent: Callable[..., Parent]) -> None:
    there = parent()
    there.request()
    there.say(b"pause\nresume\nfaster\nslower\nsave\ndance\n")
    events = []
    for event in there.hear():
        events.append(event)
        if isinstance(event, Saved) and event.path == "/runs/a/step.safetensors":
            there.say(b"stop\n")
    assert there.control.heard == ["pause", "resume", "faster", "slower", "save", "stop"]
    kinds = [type(event) for event in events]
    assert Paused in kinds
    assert Resumed in kinds
    assert [event.scale for event in events if isinstance(event, RateChanged)] == [1.25, 0.8]
    assert any(isinstance(event, Notice) and "dance" in event.message for event in events)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.reason == "stopped"
    assert there.end() == 0


def test_the_end_of_input_saves_and_leaves(parent: Callable[..., Parent]) -> None:
    there = parent()
    there.request()
    there.hang_up()
    events = list(there.hear())
    assert isinstance(events[-2], Saved)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.reason == "interrupted"
    assert there.end() == 130
    assert there.codes == []  # nobody had to force it


def test_a_broken_output_saves_and_leaves(parent: Callable[..., Parent]) -> None:
    there = parent()
    os.close(there.ear)
    there.ear = -1
    there.request()
    assert there.end() == 130
    assert "interrupt" in there.control.heard


def test_a_step_that_hangs_is_left_by_force(parent: Callable[..., Parent]) -> None:
    there = parent(lambda *_: FakeTrainer(hang=True), grace=0.05)
    there.request()
    next(there.hear())  # training has begun
    there.hang_up()
    assert there.left.wait(timeout=20)
    assert there.codes == [130]


def test_a_text_that_takes_long_to_open_does_not_hold_up_the_leaving(parent: Callable[..., Parent]) -> None:
    forever = threading.Event()

    def opener(*_: object) -> Script:
        forever.wait(60)
        return Script()

    there = parent(opener, grace=1000.0, opening_grace=0.05)
    there.request()
    there.hang_up()
    assert there.left.wait(timeout=20)
    assert there.codes == [130]
    forever.set()


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (TextError("no such text", "look again"), "no such text"),
        (MemoryError(), "out of memory"),
        (ZeroDivisionError("surprise"), "internal error: ZeroDivisionError: surprise"),
    ],
)
def test_every_trouble_is_the_last_event(parent: Callable[..., Parent], trouble: Exception, message: str) -> None:
    there = parent(lambda *_: Script(Notice("before"), trouble))
    there.request()
    first, last = there.hear()
    assert first == Notice("before")
    assert isinstance(last, Failed)
    assert last.message == message
    assert last.hint
    assert there.end() == 1


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"[]\n",
        b'{"corpus":"tales","hidden_size":0}\n',
        b'{"corpus":"tales","surprise":1}\n',
        b'{"corpus":"-"}\n',
        b'{"corpus":"' + b"x" * 300_000 + b'"}\n',
    ],
)
def test_an_impossible_request_is_refused_in_one_event(parent: Callable[..., Parent], line: bytes) -> None:
    there = parent()
    threading.Thread(target=there.say, args=(line,), daemon=True).start()
    (event,) = there.hear()
    assert isinstance(event, Failed)
    assert there.end() == 1


def test_a_parent_that_leaves_without_a_request_gets_nothing(parent: Callable[..., Parent]) -> None:
    there = parent()
    there.hang_up()
    assert list(there.hear()) == []
    assert there.end() == 0


def test_a_reader_that_sleeps_slows_nothing_and_loses_no_save(parent: Callable[..., Parent]) -> None:
    class Fast:
        """More Progress than a pipe holds, with a save now and then."""

        def run(self, control: Any = None) -> Iterator[Event]:
            for step in range(20_000):
                yield Saved(step, "/p", False) if step % 1000 == 0 else progress(step)
            done.set()
            yield finished("done")

    done = threading.Event()
    there = parent(lambda *_: Fast())
    there.request()
    assert done.wait(timeout=30)  # trained to the end although nobody has read a line
    events = list(there.hear())
    assert [event.step for event in events if isinstance(event, Saved)] == list(range(0, 20_000, 1000))
    assert sum(isinstance(event, Progress) for event in events) < 10_000
    assert isinstance(events[-1], Finished)


def test_reading_a_large_text_is_told_now_and_then() -> None:
    mailbox, seconds = Mailbox(), iter([0.0, 1.0, 6.0, 6.0, 7.0, 20.0, 20.0])
    reading = Reading(mailbox, FakeControl(), clock=lambda: next(seconds))  # type: ignore[arg-type]
    for done in (0, 10, 20, 30):
        reading(done, 40)
    assert mailbox.drain() == [Notice("reading the text: 25%"), Notice("reading the text: 75%")]


@pytest.mark.parametrize("how", ["stop", "hang up"])
def test_a_text_that_nobody_wants_is_read_no_further(how: str, parent: Callable[..., Parent]) -> None:
    begun, cleaned = threading.Event(), threading.Event()

    def opener(_: TrainRequest, reading: Reading) -> Script:
        try:
            while True:
                reading(1, 2)
                begun.set()
                time.sleep(0.001)
        finally:
            cleaned.set()

    there = parent(opener, opening_grace=20.0)
    there.request()
    assert begun.wait(20)
    if how == "stop":
        there.say(b"stop\n")
        assert list(there.hear()) == [Failed("training was ended before the text was read", "")]
    else:
        there.hang_up()
    assert there.end() == 130
    assert cleaned.is_set()
