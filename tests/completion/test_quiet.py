"""One BLAS thread inside, what it was before afterwards, however many are in at once."""

from __future__ import annotations

import threading

import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from chargru.completion.quiet import one_blas_thread


def blas_threads():
    return [each.num_threads for each in ThreadpoolController().lib_controllers if each.user_api == "blas"]


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def test_one_thread_inside_and_as_before_afterwards():
    before = blas_threads()
    with one_blas_thread:
        assert set(blas_threads()) == {1}
        with one_blas_thread:
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_put_back_after_an_error():
    before = blas_threads()
    with pytest.raises(RuntimeError), one_blas_thread:
        raise RuntimeError
    assert blas_threads() == before


def test_the_last_one_out_puts_it_back():
    before = blas_threads()
    inside, leave = threading.Event(), threading.Event()

    def other():
        with one_blas_thread:
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with one_blas_thread:
        thread.start()
        assert inside.wait(10)
    assert set(blas_threads()) == {1}
    leave.set()
    thread.join(10)
    assert blas_threads() == before
