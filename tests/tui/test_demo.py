"""The demo: a recorded training played by a clock of the test's own, and never taken for a real one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chargru.config import TrainRequest
from chargru.errors import ChargruError
from chargru.events import Event, Finished, Notice, Paused, Progress, Resumed, Sampled, Saved, Started
from chargru.tui.demo import RECORDING, DemoApp, DemoRunner, Recording
from chargru.tui.state import Phase
from tests.tui.fakes import (
    FakeLibrary,
    FakeModels,
    assert_sound,
    painted,
    press,
    progress,
    sampled,
    settle,
    started,
    until,
    words_on,
)

REQUEST = TrainRequest(corpus="tales")
ENDED = Finished("done", "", 1.4, 400, 20.0, 60_000.0)
SHORT = Recording(
    "tales",
    (
        (1.0, started(path="")),
        (2.0, progress(100)),
        (4.0, progress(200)),
        (5.0, sampled(200)),
        (9.0, progress(300)),
        (10.0, Saved(300, "", True)),
        (12.0, ENDED),
    ),
)


class Clock:
    """Seconds that go on when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def playing(pace: float = 1.0) -> tuple[DemoRunner, Callable[[float], list[Event]]]:
    """A runner that has begun, and what it tells when so many seconds pass."""
    clock = Clock()
    runner = DemoRunner(SHORT, pace, clock)
    runner.start(REQUEST)

    def after(seconds: float) -> list[Event]:
        clock.now += seconds
        return runner.drain()

    return runner, after


def test_the_shipped_recording_is_a_whole_training_and_small() -> None:
    recording = Recording.read()
    kinds = {type(event) for _, event in recording.events}
    assert {Started, Progress, Sampled, Saved, Finished} <= kinds
    assert recording.corpus == "tales"
    assert 15 < recording.seconds < 240
    times = [at for at, _ in recording.events]
    assert times == sorted(times)
    losses = [event.loss for _, event in recording.events if isinstance(event, Progress)]
    assert losses[-1] < 0.6 * losses[0]
    assert RECORDING.stat().st_size <= 100_000
    text = RECORDING.read_text(encoding="utf-8")
    assert os.sep + "tmp" not in text
    assert all(event.path == "" for _, event in recording.events if isinstance(event, Started | Saved))


@pytest.mark.parametrize("text", ["", "{}\n", '{"recording":1,"corpus":"tales"}\n', "not json", '{"recording":2}\n[]'])
def test_what_is_no_recording_says_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    path.write_text(text)
    with pytest.raises(ChargruError, match="the recording"):
        Recording.read(path)
    with pytest.raises(ChargruError, match="cannot be read"):
        Recording.read(tmp_path / "gone")


def test_events_come_at_their_time() -> None:
    runner, after = playing()
    assert runner.drain() == []
    told = after(1.0)
    assert told[0] == started(path="")
    assert isinstance(told[1], Notice)
    assert "nothing is trained here" in told[1].message
    assert after(0.5) == []
    assert after(3.4) == [progress(100), progress(200)]
    assert after(3.0) == [sampled(200)]
    assert after(100.0) == [progress(300), Saved(300, "", True), ENDED]
    assert after(100.0) == []
    runner.start(REQUEST)
    assert after(1.0)[0] == started(path="")


def test_a_faster_pace() -> None:
    runner, after = playing(4.0)
    assert "4 times as fast" in runner.recording
    assert after(1.0)[2:] == [progress(100), progress(200)]


def test_a_pause_holds_the_recording_where_it_is() -> None:
    runner, after = playing()
    after(3.0)
    runner.send("resume")  # nothing waits
    runner.send("pause")
    runner.send("pause")
    assert after(0.0) == [Paused(100)]
    assert after(50.0) == []
    runner.send("resume")
    assert after(0.9) == [Resumed(100)]
    assert after(0.1) == [progress(200)]


def test_stop_ends_it_and_other_words_are_answered() -> None:
    runner, after = playing()
    after(4.5)
    runner.send("faster")
    runner.send("save")
    assert [type(event) for event in after(0.0)] == [Notice, Notice]
    runner.send("stop")
    (ended,) = after(60.0)
    assert isinstance(ended, Finished)
    assert (ended.reason, ended.checkpoint, ended.steps) == ("stopped", "", 200)
    runner.send("pause")
    assert after(60.0) == []


def test_closed_it_is_silent() -> None:
    runner, after = playing()
    runner.close(1.0)
    assert after(60.0) == []


@pytest.mark.long
async def test_the_app_plays_it_by_itself_and_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path / "home"))
    clock = Clock()
    app = DemoApp(
        runner=DemoRunner(SHORT, 1.0, clock), library=FakeLibrary(), models=FakeModels("old"), archive=FakeModels("old")
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.current_mode == "train")
        clock.now += 6
        await until(pilot, lambda: "The king was in his garden" in words_on(app))
        assert "recording · training" in painted(app)[0]
        assert_sound(app)
        await press(pilot, "f8")
        await until(pilot, lambda: "Recording paused" in words_on(app))
        clock.now += 60
        await press(pilot, "f8")
        await until(pilot, lambda: app.training.phase is Phase.TRAINING)
        clock.now += 60
        await until(pilot, lambda: "the recording is over" in words_on(app))
        assert not app.training.can_go_on
        assert app.training.checkpoint is None
        assert_sound(app)
        await press(pilot, "f4")
        await until(pilot, lambda: "old" in words_on(app))
        assert "just trained" not in words_on(app)
        await press(pilot, "ctrl+q")
        await settle(pilot)
    assert app.return_code == 0
    assert not (tmp_path / "home").exists()
