"""The thirteen traps that a terminal app on Textual falls into, each with a test that fails when it is opened again.

| trap | held shut by |
| --- | --- |
| 1 multiprocessing inside a running app | here: no import anywhere, and a real training in a real app |
| 2 training in the app's own process | here: which process trained, and what the app's process has imported |
| 3 call_from_thread; a screen that hurries after the trainer | here; tests/worker/test_mailbox.py (the newest alone) |
| 4 markup in data | test_traps_text.py: every call is read; test_hostile.py, test_hostile_many.py: every screen |
| 5 control characters at a sink | test_traps_text.py: the guard taken away is noticed; the same two: every sink |
| 6 SIGTERM and SIGHUP | test_terminal.py, in a pseudo-terminal |
| 7 suggestions that lower-case, cache or break the line | test_traps_text.py |
| 8 a transcript that is painted anew, whole, with every piece | test_traps_paint.py, in characters |
| 9 Hangul, wide and combining characters | test_traps_text.py, against another library's widths; test_units.py |
| 10 a copy that nobody knows of | test_traps_text.py |
| 11 one colour, no braille, a slow line | test_traps_paint.py; test_app.py (the chart's glyphs) |
| 12 tests that wait for an idle process | here; the real worker in a pseudo-terminal: test_terminal.py |
| 13 cupy in the app's process, NumPy before its first frame | here; test_rooms.py (before the first screen) |

Each check is also given what it is to find (a planted call, a guard taken away) and has to find it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chargru.config import TrainRequest
from chargru.events import Event, Notice, Progress
from chargru.tui.messages import TrainingEvents
from chargru.tui.runner import TICK, Pump
from chargru.worker.mailbox import Mailbox
from tests.tui.fakes import (
    FakeRunner,
    make_app,
    progress,
)
from tests.tui.sinks import attributes, imports, python_files

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "chargru"
TUI = PACKAGE / "tui"


def imported_by(files: list[Path], *modules: str, at_once: bool = False) -> list[str]:
    """ "file: module" of every import of these modules; with `at_once` only those that come with the file."""
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name, now in imports(path.read_text(encoding="utf-8"))
        if any(name == each or name.startswith(f"{each}.") for each in modules) and (now or not at_once)
    ]


# -- 1, 2 and 13: who trains, and what the app's process knows ---------------------------------------------------------

# The app itself, without a terminal, in a process of its own: it trains a real text, then completes with the model.
# A package called cupy lies in its path, which writes down every process that imports it.
WHOLE_APP = """
import asyncio, json, os, sys
from chargru.config import TrainRequest
from chargru.events import Failed, Finished
from chargru.tui.app import ChargruApp
from chargru.tui.messages import TrainingWanted
from chargru.tui.widgets.completion import CompletionCard

text, out = sys.argv[1:]
facts = {}

async def main():
    app = ChargruApp(out=out)
    app.animation_level = "none"
    async with app.run_test(size=(100, 30)) as pilot:
        async def until(condition):
            for _ in range(1500):
                if condition():
                    return
                await pilot.pause(0.02)
            raise SystemExit("the app did not get there: " + repr(app.training))
        request = TrainRequest(corpus=text, out=out, steps=4, hidden_size=8, num_layers=1, batch_size=4, seq_len=16,
                               threads=1)
        app.post_message(TrainingWanted(request))
        await until(lambda: getattr(getattr(app.runner, "_client", None), "_process", None) is not None)
        facts["worker"] = app.runner._client._process.pid
        await until(lambda: app.training.finished is not None or app.training.failed is not None)
        facts["failed"] = app.training.failed and app.training.failed.message
        await app.action_show_screen("play")
        await until(lambda: app.screen.query(CompletionCard))
        await until(lambda: app.screen.query_one("#prompt").has_focus)
        await pilot.press("a", "enter")
        await until(lambda: any(card.text and not card.writing for card in app.screen.query(CompletionCard)))
        facts["completed"] = True
    facts["app"] = os.getpid()
    facts["modules"] = sorted(sys.modules)

asyncio.run(main())
print(json.dumps(facts))
"""


@pytest.mark.long
def test_1_2_13_a_child_trains_and_the_app_imports_neither_trainer_nor_cupy(tmp_path: Path) -> None:
    (tmp_path / "path" / "cupy").mkdir(parents=True)
    (tmp_path / "path" / "cupy" / "__init__.py").write_text(
        "import os, pathlib\n"
        f"pathlib.Path({str(tmp_path)!r}, f'cupy-{{os.getpid()}}').touch()\n"
        "raise ImportError('no GPU here')\n"
    )
    text = tmp_path / "rain.txt"
    text.write_text("the rain fell on the walls of the old harbour, and nobody came. " * 40)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path / 'path'}{os.pathsep}{ROOT}",
        "CHARGRU_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", WHOLE_APP, str(text), str(tmp_path / "runs")],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["failed"] is None
    assert facts["completed"]
    assert facts["worker"] != facts["app"]
    modules = set(facts["modules"])
    assert "chargru.worker.client" in modules
    assert not modules & {"chargru.training.trainer", "chargru.training.session", "multiprocessing", "cupy"}
    assert not (tmp_path / f"cupy-{facts['app']}").exists()
    planted = subprocess.run(  # what the check is there to find
        [sys.executable, "-c", "import os; print(os.getpid())\ntry:\n import cupy\nexcept ImportError: pass"],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    assert (tmp_path / f"cupy-{planted.stdout.strip()}").exists()


@pytest.mark.long
def test_1_nothing_imports_multiprocessing() -> None:
    forbidden = ("multiprocessing", "concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process")
    assert imported_by(python_files(PACKAGE), *forbidden) == []
    assert imported_by(python_files(PACKAGE), "subprocess.Popen", "subprocess") != []  # the way that works


def test_2_the_app_knows_no_trainer() -> None:
    trainers = ("chargru.training.trainer", "chargru.training.session", "chargru.training.learner", "chargru.engine")
    assert imported_by(python_files(TUI), *trainers) == []


@pytest.mark.long
def test_13_cupy_is_imported_in_one_place_and_late() -> None:
    every = python_files(PACKAGE)
    assert imported_by(every, "cupy", "cupyx", at_once=True) == []
    assert imported_by([path for path in every if "engine" not in path.parts], "cupy", "cupyx") == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import multiprocessing", [("multiprocessing", True)]),
        ("from multiprocessing import Process", [("multiprocessing.Process", True)]),
        ("def f():\n import cupy", [("cupy", False)]),
        ("if TYPE_CHECKING:\n import numpy", [("numpy", False)]),
        ("try:\n import cupy as cp\nexcept ImportError: pass", [("cupy", True)]),
    ],
)
def test_the_reader_of_imports_finds_them(source: str, found: list[tuple[str, bool]]) -> None:
    assert list(imports(source)) == found


# -- 3: events come in batches, at most ten a second -------------------------------------------------------------------


class Flood(FakeRunner):
    """A trainer that tells more than anybody can look at, through the mailbox that the real one uses."""

    def __init__(self) -> None:
        super().__init__()
        self.mailbox = Mailbox()

    def drain(self) -> list[Event]:
        return self.mailbox.drain()


def test_3_a_fast_trainer_is_one_message_with_its_newest_progress() -> None:
    runner, posted = Flood(), list[TrainingEvents]()
    pump = Pump(runner, posted.append)
    pump.start(TrainRequest(corpus="tales", time=30))
    for step in range(1, 10_001):
        runner.mailbox.put(progress(step))
        if step % 1000 == 0:
            runner.mailbox.put(Notice(f"at {step}"))
    assert posted == []  # nothing is pushed: the trainer is not waited for, nor waits
    pump.tick()
    (message,) = posted
    told = [event for event in message.events if isinstance(event, Progress)]
    assert told[-1] == progress(10_000)
    assert len(told) <= 11
    assert len([event for event in message.events if isinstance(event, Notice)]) == 10


@pytest.mark.long
async def test_3_the_app_looks_ten_times_a_second_and_no_thread_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert TICK >= 0.1
    intervals: list[tuple[float, object]] = []
    app = make_app()
    real = app.set_interval

    def watched(interval: float, callback: Callable[[], object], **more: object) -> object:
        intervals.append((interval, callback))
        return real(interval, callback, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(app, "set_interval", watched)
    async with app.run_test(size=(80, 24)):
        looks: list[int] = []
        monkeypatch.setattr(app._pump, "tick", lambda: looks.append(1))
        pumping = []
        for interval, callback in intervals:
            looks.clear()
            callback()
            pumping += [interval] * len(looks)
    assert pumping == [TICK]
    users = [path.name for path in python_files(TUI) if "call_from_thread" in attributes(path.read_text("utf-8"))]
    assert users == []
    assert "call_from_thread" in attributes("self.app.call_from_thread(self.paint)")


# -- 12: tests do not wait for an idle process -------------------------------------------------------------------------

IDLE = re.compile(r"\bpilot\.press\(")


def test_12_no_test_of_the_app_waits_for_an_idle_process() -> None:
    waiting = [path.name for path in python_files(ROOT / "tests" / "tui") if IDLE.search(path.read_text("utf-8"))]
    assert waiting == ["test_traps.py"]  # in a process of its own, with the real worker (traps 1, 2 and 13)
