"""What the tests of the storage room share."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def no_hanging() -> Iterator[None]:
    """A test that opens what could hang forever fails instead of stopping the whole suite."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(*_: Any) -> None:
        raise AssertionError("it hung")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    with contextlib.ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGALRM, before)
        stack.callback(signal.alarm, 0)
        yield
