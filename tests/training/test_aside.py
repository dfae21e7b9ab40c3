"""An event worked out beside something else: told once, failing softly, leaving nobody behind."""

from __future__ import annotations

import threading

from chargru.events import Notice
from chargru.training.aside import Aside

EVENT = Notice("worked out")


def test_the_event_comes_once_when_it_is_there():
    go = threading.Event()

    def work(should_stop):
        go.wait(20)
        return EVENT

    with Aside(work, "trouble") as aside:
        assert aside.take() is None
        go.set()
        assert aside.take(wait=True) == EVENT
        assert aside.take() is None
        assert aside.take(wait=True) is None


def test_nothing_to_tell():
    with Aside(lambda should_stop: None, "trouble") as aside:
        assert aside.take(wait=True) is None


def test_a_failure_is_a_notice():
    def work(should_stop):
        raise MemoryError("too much")

    with Aside(work, "no landmarks") as aside:
        assert aside.take(wait=True) == Notice("no landmarks: MemoryError: too much")


def test_leaving_stops_it_and_waits():
    ended = []

    def work(should_stop):
        while not should_stop():
            threading.Event().wait(0.001)
        ended.append(True)
        return EVENT

    before = threading.active_count()
    with Aside(work, "trouble") as aside:
        assert aside.take() is None
    assert ended == [True]
    assert threading.active_count() == before
