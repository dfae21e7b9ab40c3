from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargru.cli.narrator import Narrator
from chargru.events import Landmarks, Notice, Paused, RateChanged, Recovered

from .fakes import HOSTILE, evaluated, finished, progress, sampled, started


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bar(as_terminal: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Narrator, Any]]:
    """Call it within the test: pytest puts its own stderr back between a fixture and its test."""

    def begin() -> tuple[Narrator, Any]:
        monkeypatch.setenv("COLUMNS", "80")
        return Narrator(live=True), as_terminal("stderr")

    return begin


def test_without_a_terminal_there_are_plain_lines_now_and_then(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    narrator = Narrator(live=False, clock=clock)
    narrator.tell(started())
    begin = capsys.readouterr().err
    assert "1,000 characters" in begin
    assert "GRU 2 x 64, 66k parameters" in begin
    assert "1:30 of training" in begin
    for second in range(12):
        clock.now = float(second)
        narrator.tell(progress(step=second))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2  # at 5 s and at 10 s
    assert lines[0] == " 50 %  0:31<0:20, loss 1.620, 58k ch/s"
    narrator.tell(evaluated())
    assert "validation 1.710 nats/char, 2.467 bits/char (best)" in capsys.readouterr().err
    clock.now = 20.0
    narrator.tell(progress())
    text = capsys.readouterr().err
    assert "val 1.710" in text
    assert "\r" not in text
    assert "\x1b" not in text


def test_the_bar_shows_the_budget_and_the_figures(bar: Callable[[], tuple[Narrator, Any]]) -> None:
    narrator, terminal = bar()
    narrator.tell(started())
    narrator.tell(evaluated())
    narrator.tell(progress())
    drawn = terminal.getvalue().rpartition("\r")[2]
    assert drawn.startswith(" 50%|")
    assert "0:31<0:20, loss 1.620, val 1.710, 58k ch/s" in drawn
    assert len(drawn.rstrip()) <= 80
    narrator.tell(progress(fraction=1.0001))  # a step may end a little late
    assert "100%|" in terminal.getvalue()
    narrator.close()


def test_a_resumed_run_starts_where_it_was(bar: Callable[[], tuple[Narrator, Any]]) -> None:
    narrator, terminal = bar()
    narrator.tell(started(step=500, fraction=0.25))
    assert "from step 500" in terminal.getvalue()
    assert " 25%|" in terminal.getvalue()
    narrator.close()


@pytest.mark.parametrize("live", [True, False])
def test_nothing_that_a_corpus_or_a_model_writes_reaches_stderr_raw(
    live: bool, as_terminal: Callable[[str], Any], clock: Clock
) -> None:
    terminal = as_terminal("stderr")
    narrator = Narrator(live=live, clock=clock)
    narrator.tell(started(corpus=HOSTILE, run=HOSTILE))
    clock.now = 100.0
    for event in (
        Notice(HOSTILE),
        sampled(HOSTILE),
        Recovered(9, 5, 1, 3e-3, HOSTILE),
        progress(),
        evaluated(),
        Paused(3),
        Landmarks(4.2, 3.3, 2.0, 1.6, 900),
        RateChanged(3, 1e-3, 0.5),
        finished(),
    ):
        narrator.tell(event)
    narrator.close()
    shown = terminal.getvalue().replace("\r", "").replace("\x1b[A", "")  # tqdm's own moves of the cursor
    assert "override" in shown
    assert not any((ord(character) < 32 and character != "\n") or character in "\x7f\x9b\u202e" for character in shown)


def test_what_simple_models_reach_and_the_rate_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator(live=False)
    narrator.tell(Landmarks(4.174, 3.338, 2.027, 1.626, 1_000_000))
    narrator.tell(RateChanged(1234, 7.5e-3, 1.25))
    assert capsys.readouterr().err.splitlines() == [
        "for scale: uniform 4.17, single letters 3.34, 3-grams 2.03, 5-grams 1.63 nats/char",
        "learning rate 0.0075 from step 1,234 on, 1.25 times the plan's",
    ]


def test_samples_are_told_sparingly_but_the_last_one_always(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator(live=False, clock=clock)
    narrator.tell(started())
    for second in range(0, 40, 2):
        clock.now = float(second)
        narrator.tell(sampled(f"sample at {second}\n" + "line\n" * 50))
    text = capsys.readouterr().err
    assert text.count("sample at") == 2
    assert text.count("line") <= 12  # cut to a few lines each
    narrator.close()
    assert "sample at 38" in capsys.readouterr().err
    narrator.close()
    assert capsys.readouterr().err == ""


def test_a_recovery_says_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    Narrator(live=False).tell(Recovered(120, 100, 1, 3e-3, "the loss was not finite"))
    assert capsys.readouterr().err == (
        "step 120: the loss was not finite; back to step 100 with learning rate 0.003 (attempt 1)\n"
    )
