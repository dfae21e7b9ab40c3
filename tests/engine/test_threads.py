"""The crew: order kept, errors passed on, BLAS limited while at work and put back."""

from __future__ import annotations

import threading

import pytest
from threadpoolctl import threadpool_info

from chargru.engine import Crew, available_cores, crew_for
from chargru.engine.arena import can_share


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_results_come_in_order_from_other_threads():
    with Crew(3) as crew:
        barrier = threading.Barrier(3)

        def work(item):
            barrier.wait(5)  # all three are at work at once, or this breaks
            return item, threading.current_thread().name

        results = crew.map(work, [1, 2, 3])
    assert [item for item, _ in results] == [1, 2, 3]
    assert all(name.startswith("chargru") for _, name in results)


def test_blas_is_limited_at_work_and_put_back():
    before = blas_threads()
    with Crew(2, blas_threads=1):
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_an_error_reaches_the_caller():
    with Crew(2) as crew, pytest.raises(ZeroDivisionError):
        crew.map(lambda item: 1 / item, [1, 0])


def test_without_being_at_work_a_crew_is_a_plain_loop():
    assert Crew(4).map(lambda item: item * 2, [1, 2]) == [2, 4]


def test_there_is_a_core():
    assert available_cores() >= 1


@pytest.mark.parametrize(("threads", "batch_size", "workers"), [(2, 32, 2), (8, 32, 4), (8, 4, 1), (1, 64, 1)])
def test_a_thread_gets_eight_rows_or_more_and_blas_one(threads, batch_size, workers):
    crew = crew_for(threads, batch_size)
    assert (crew.workers, crew.blas_threads) == (workers, 1)


@pytest.mark.parametrize(("threads", "operations", "processes"), [(2, 1e9, True), (2, 1e8, False), (1, 1e9, False)])
def test_processes_where_an_update_is_worth_them(threads, operations, processes):
    assert crew_for(threads, 32, operations).processes is (processes and can_share())
    assert crew_for(threads, 32, operations, compiled=True).processes is False


@pytest.mark.skipif(not can_share(), reason="helpers need memory that can be shared")
@pytest.mark.parametrize(("threads", "batch_size", "workers"), [(2, 32, 2), (16, 32, 8), (16, 7, 1)])
def test_a_process_gets_four_rows_or_more(threads, batch_size, workers):
    assert crew_for(threads, batch_size, 1e9).workers == workers


@pytest.mark.parametrize(("operations", "workers"), [(1e9, 8), (1e8, 4)])
def test_a_thread_of_long_compiled_windows_gets_four_rows_or_more(operations, workers):
    assert crew_for(16, 32, operations, compiled=True).workers == workers
