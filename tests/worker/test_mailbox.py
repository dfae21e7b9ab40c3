from __future__ import annotations

import threading

from chargru.events import Event, Notice, Saved
from chargru.worker.mailbox import Mailbox

from .fakes import progress


def test_only_the_newest_progress_is_kept_and_nothing_else_is_lost() -> None:
    box = Mailbox()
    for step in range(10_000):
        box.put(progress(step))
        if step % 1000 == 0:
            box.put(Saved(step, "p", False))
    events = box.drain()
    assert [event.step for event in events if isinstance(event, Saved)] == list(range(0, 10_000, 1000))
    assert events[-1] == progress(9999)
    assert len(events) == 11
    assert box.drain() == []


def test_events_keep_their_order() -> None:
    box = Mailbox()
    given: list[Event] = [Notice("a"), progress(1), Notice("b"), progress(2), Notice("c")]
    for event in given:
        box.put(event)
    assert box.drain() == [Notice("a"), Notice("b"), progress(2), Notice("c")]


def test_take_waits_for_an_event_and_ends_with_the_box() -> None:
    box = Mailbox()
    taken: list[object] = []

    def reader() -> None:
        while (event := box.take()) is not None:
            taken.append(event)

    thread = threading.Thread(target=reader)
    thread.start()
    box.put(Notice("one"))
    box.put(progress(3))
    box.close()
    box.put(Notice("too late"))
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert taken == [Notice("one"), progress(3)]
