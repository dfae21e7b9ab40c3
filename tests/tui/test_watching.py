"""Watching what another process trains: told as it is written, ended as it ends, and never interfered with."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep

import pytest

from chargru.config import TrainRequest
from chargru.events import Event, Failed, Finished, Notice, Progress, Started, to_record
from chargru.storage import metrics
from chargru.storage.run import Run
from chargru.tui import watching
from chargru.tui.archive import HouseArchive
from chargru.tui.messages import WatchWanted
from chargru.tui.state import Phase
from chargru.tui.watching import WatchRunner
from tests.storage.test_lock import holder
from tests.tui.fakes import (
    FakeRunner,
    assert_sound,
    evaluated,
    make_app,
    press,
    progress,
    sampled,
    started,
    until,
    words_on,
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with an earlier part, which was gone on with from step 40."""
    run = Run.create(tmp_path, "tales", {"status": "running"})
    for event in (started(), progress(20), progress(40), started(step=40), progress(60), evaluated(60)):
        run.append(to_record(event))
    return run


def wait_for(runner: WatchRunner, kind: type[Event]) -> list[Event]:
    found: list[Event] = []
    deadline = monotonic() + 10
    while not any(isinstance(event, kind) for event in found):
        assert monotonic() < deadline, found
        found += runner.drain()
        sleep(0.01)
    return found


def test_what_is_appended_is_told_until_the_training_ends(run: Run) -> None:
    runner = WatchRunner(str(run.path), every=0.01)
    with run.lock():
        runner.start(TrainRequest(resume="x"))
        first = wait_for(runner, Progress)
        assert isinstance(first[0], Started)
        assert (first[0].step, first[0].path) == (40, str(run.path)), "what was before is the run's history"
        assert [event.step for event in first if isinstance(event, Progress)] == [60]
        run.append(to_record(progress(80)))
        with (run.path / "metrics.jsonl").open("a") as file:
            file.write('{"event":"progress","step":81}\n[1]\n{"event":')
        assert [event.step for event in wait_for(runner, Progress) if isinstance(event, Progress)] == [80]
        runner.send("pause")
        (notice,) = wait_for(runner, Notice)
        assert isinstance(notice, Notice)
        assert "another process, which alone can be told to pause" in notice.message
        run.append(to_record(Finished("done", "path", 1.5, 80, 9.0, 100.0)))
    assert isinstance(wait_for(runner, Finished)[-1], Finished)
    runner.close(5)
    assert runner.drain() == []


def test_a_process_that_is_gone_without_a_word_is_told(run: Run) -> None:
    runner = WatchRunner(str(run.path), every=0.01)
    with holder(run.path) as process:
        runner.start(TrainRequest(resume="x"))
        wait_for(runner, Progress)
        process.kill()
        process.wait()
        (failed,) = wait_for(runner, Failed)
        assert isinstance(failed, Failed)
        assert failed.message == "the process that trained tales has ended"


def test_closing_ends_the_thread_and_leaves_the_run_alone(run: Run) -> None:
    before = (run.path / "metrics.jsonl").read_bytes()
    runner = WatchRunner(str(run.path), every=60)
    with run.lock():
        runner.start(TrainRequest(resume="x"))
        wait_for(runner, Progress)
        runner.close(5)
    assert runner._thread is not None
    assert not runner._thread.is_alive()
    assert (run.path / "metrics.jsonl").read_bytes() == before


def test_a_long_training_is_told_with_few_points(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST", 10)
    metrics.truncate(run.path / "metrics.jsonl", 40)
    for step in range(41, 141):
        run.append(to_record(progress(step)))
    runner = WatchRunner(str(run.path), every=60)
    with run.lock():
        runner.start(TrainRequest(resume="x"))
        found = [event for event in wait_for(runner, Progress) if isinstance(event, Progress)]
        runner.close(5)
    assert len(found) <= 12
    assert found[-1].step == 140


@pytest.mark.long
async def test_the_train_screen_shows_the_training_of_another_process(run: Run, tmp_path: Path) -> None:
    own = FakeRunner()
    app = make_app(runner=own, archive=HouseArchive(str(tmp_path)))
    with holder(run.path) as process:
        async with app.run_test(size=(100, 30)) as pilot:
            await press(pilot, "f6")
            await until(pilot, lambda: "1 run" in words_on(app) and app.current_mode == "runs")
            await until(pilot, lambda: app.screen.check_action("watch", ()))
            await press(pilot, "t")
            await until(pilot, lambda: app.current_mode == "train" and app.training.progress is not None)
            await until(pilot, lambda: f"tales is trained by process {process.pid}" in words_on(app))
            await until(pilot, lambda: len(app.training.train) == 3, 10)
            assert_sound(app)
            for event in (progress(100), sampled(100, "the rain fell on another machine")):
                run.append(to_record(event))
            await until(pilot, lambda: "the rain fell on another machine" in words_on(app))
            assert not any(app.check_action(action, ()) for action in ("pause", "save_now"))
            await press(pilot, "f8", "x")
            await until(pilot, lambda: app.training.phase is Phase.IDLE)
            assert own.words == own.requests == []
            assert process.poll() is None
            app.post_message(WatchWanted(str(run.path), "tales is trained by somebody"))
            await until(pilot, lambda: app.training.phase is Phase.TRAINING)
            process.kill()
            process.wait()
            await until(pilot, lambda: app.training.phase is Phase.FAILED)
            await until(pilot, lambda: "the process that trained tales has ended" in words_on(app))
