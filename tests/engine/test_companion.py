"""Steps that two threads share: the same numbers, no waiting for who is not there, no harm on a busy machine."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Parameters
from chargru.engine.fused import choice, compiled_step
from chargru.engine.fused import companion as module
from chargru.engine.fused.companion import Companion, Worth
from chargru.engine.fused.compiled_step import CompiledRow
from chargru.engine.fused.step_layout import HELPED, STATE, laid_out

compiled = pytest.mark.skipif(bool(choice.why_not()), reason=choice.why_not() or "compiled")


def rows(monkeypatch, V=70, H=144, L=2):
    """A row that steps alone and one that may have a companion."""
    config = ModelConfig(vocab_size=V, hidden_size=H, num_layers=L)
    parameters = Parameters.initial(config, 1)
    parameters.flat += np.random.default_rng(1).normal(0, 0.1, parameters.flat.shape).astype(np.float32)
    weights = laid_out(parameters)
    alone = CompiledRow(config, weights, np.zeros((L, 1, H), np.float32))
    with monkeypatch.context() as patched:
        patched.setattr(compiled_step, "_LARGE", 0)
        patched.setattr(compiled_step, "companion", Companion)
        return alone, CompiledRow(config, weights, np.zeros((L, 1, H), np.float32))


@compiled
def test_what_two_threads_compute_is_the_same_to_the_bit(monkeypatch):
    alone, row = rows(monkeypatch)
    helped, ids = 0, np.random.default_rng(2).integers(0, 70, 120)
    for each in ids:
        if not row._shared[STATE]:  # not left to the pace of this machine
            thread = threading.Thread(
                target=row._functions.serve, args=(10**6, row._shared.ctypes.data, *row._addresses)
            )
            thread.start()
            while not row._shared[STATE]:
                time.sleep(0)
        row._functions.step_along(int(each), row._shared.ctypes.data, *row._addresses)
        helped += int(row._shared[HELPED])
        np.testing.assert_array_equal(row.logits, alone.step(np.array([each])))
    thread.join()
    assert helped > 90
    np.testing.assert_array_equal(row._kept[1], alone._kept[1])


@compiled
def test_a_companion_leaves_when_nothing_is_asked_of_it(monkeypatch):
    _, row = rows(monkeypatch)
    row._functions.serve(100, row._shared.ctypes.data, *row._addresses)  # comes back
    assert row._shared[STATE] == 0
    row.step(np.array([3]))
    assert not row._shared[HELPED]


@compiled
@pytest.mark.long
def test_a_row_calls_its_companion_and_gets_help(monkeypatch):
    alone, row = rows(monkeypatch)
    row._worth.took = lambda *args, **more: row._worth._alone.append(1.0)  # however busy this machine is
    helped, end = False, time.monotonic() + 20
    while not helped and time.monotonic() < end:
        np.testing.assert_array_equal(row.step(np.array([5])), alone.step(np.array([5])))
        helped = bool(row._shared[HELPED])
    assert helped


def test_only_those_who_may_have_one(monkeypatch):
    monkeypatch.setattr(module, "_allowed", False)
    assert module.companion() is None
    module.allow_companion()
    monkeypatch.setattr(module, "available_cores", lambda: 1)
    assert module.companion() is None
    monkeypatch.setattr(module, "available_cores", lambda: 2)
    assert module.companion() is module.companion() is not None


def test_a_companion_works_beside_its_caller_on_one_thing_at_a_time():
    helper, names, go = Companion(), [], threading.Event()

    def work():
        names.append(threading.current_thread().name)
        go.wait(20)

    helper.call(work)
    while not names:
        time.sleep(0.001)
    helper.call(work)  # it is busy
    go.set()
    while helper._busy:
        time.sleep(0.001)
    assert names == ["chargru companion"]
    helper.call(work)
    while len(names) < 2:
        time.sleep(0.001)


def test_it_is_worth_it_until_much_is_lost():
    worth = Worth()
    assert not worth.wanted(0.0)  # how long a step takes alone is not known yet
    worth.took(0.001, together=False, now=1.0)
    assert worth.wanted(1.0)
    worth.took(0.0006, together=True, now=2.0)
    worth.took(0.006, together=True, now=2.0)  # now and then a step is late
    assert worth.wanted(2.0)
    worth.took(0.02, together=True, now=8.0)
    assert not worth.wanted(9.9)
    assert worth.wanted(10.1)
    worth.took(0.03, together=False, now=11.0)  # its thread was in the way
    assert not worth.wanted(14.9)  # twice as long
    assert worth.wanted(15.1)


def test_it_is_not_worth_it_where_it_gains_nothing():
    worth = Worth()
    worth.took(1e-4, together=False, now=0.0)
    for _ in range(32):
        worth.took(1.1e-4, together=True, now=5.0)
    assert not worth.wanted(6.9)
    assert worth.wanted(7.1)
    for _ in range(64):
        worth.took(0.5e-4, together=True, now=8.0)
    worth.took(0.03, together=True, now=8.0)
    assert not worth.wanted(9.9)  # what was gained meanwhile makes it two seconds again
    assert worth.wanted(10.1)


def test_what_is_slow_without_it_proves_nothing():
    worth = Worth()
    worth.took(0.001, together=False, now=1.0)
    worth.took(0.03, together=True, now=1.0)
    for _ in range(9):
        worth.took(0.5, together=False, now=2.0)  # it was not called
    assert worth.wanted(3.1)
