"""Signals, sent to a real process with an obedient trainer in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chargru.cli.interrupts import Interrupts

from . import fakes

ROOT = Path(__file__).resolve().parents[2]
Process = subprocess.Popen[str]


@pytest.fixture
def training() -> Iterator[Callable[[str], Process]]:
    """Start the fake training and wait until it says that it goes on."""
    processes: list[Process] = []

    def start(kind: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, fakes.__file__, kind, "train", "tales"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        processes.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(("run tales", "opening")):
                return process
        raise AssertionError("it never began")

    yield start
    for each in processes:
        each.kill()
        each.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_saves_and_leaves_with_130(number: int, training: Callable[[str], Process]) -> None:
    process = training("quick")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == fakes.CHECKPOINT + "\n"
    assert "finishing this step and saving" in err
    assert "interrupted and saved" in err
    assert "Traceback" not in err


def test_the_second_signal_leaves_at_once_with_130(training: Callable[[str], Process]) -> None:
    process = training("slow")
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if "finishing" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "left at once" in err


def test_while_the_text_is_read_there_is_nothing_to_save(training: Callable[[str], Process]) -> None:
    process = training("opening")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_handlers_are_put_back_and_an_ignored_signal_stays_ignored() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts():
            assert signal.getsignal(signal.SIGINT) != signal.default_int_handler
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
