"""Words from other threads reach the trainer."""

from __future__ import annotations

import threading

from chargru.training.control import Control


def test_words():
    control = Control()
    assert (control.paused, control.ending, control.take_save()) == (False, None, False)
    control.pause()
    assert control.paused
    control.resume()
    assert not control.paused
    control.save()
    assert control.take_save()
    assert not control.take_save()


def test_faster_and_slower_add_up_until_they_are_taken():
    control = Control()
    assert control.take_rate() == 0
    control.faster()
    control.faster()
    control.slower()
    assert control.take_rate() == 1
    assert control.take_rate() == 0
    control.slower()
    assert control.take_rate() == -1


def test_interrupt_outranks_stop():
    control = Control()
    control.stop()
    assert control.ending == "stopped"
    control.interrupt()
    control.stop()
    assert control.ending == "interrupted"


def test_a_waiting_trainer_is_woken():
    for word in ("resume", "stop", "interrupt", "save", "faster", "slower"):
        control = Control()
        control.pause()
        waiter = threading.Thread(target=control.wait_while_paused)
        waiter.start()
        getattr(control, word)()
        waiter.join(5)
        assert not waiter.is_alive()
