"""The terminal app: it owns the training's state and the worker, and switches between screens.

Events come from the runner through the pump into `training`; screens are told by a signal and read the state. Keys
that act on the training are actions here, so they work the same from every screen and from the palette.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
from collections.abc import Callable, Iterable
from functools import partial
from math import inf
from pathlib import Path, PurePath
from time import monotonic, process_time
from typing import Any, ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal

from chargru.config import TrainRequest
from chargru.errors import ChargruError
from chargru.events import Evaluated, Event, Progress, Sampled, Saved, Started
from chargru.storage.places import config_path
from chargru.tui import leaving
from chargru.tui.archive import Archive, HouseArchive
from chargru.tui.commands import commands_for
from chargru.tui.formatting import one_line
from chargru.tui.graphics import Graphics
from chargru.tui.library import HouseLibrary, Library
from chargru.tui.messages import HistoryRead, PlayWanted, Problem, TrainingEvents, TrainingWanted, WatchWanted
from chargru.tui.models import HouseModels, Models
from chargru.tui.remembered import Remembered
from chargru.tui.runner import REDRAW, SHARE, SLOWEST, TICK, Pump, Runner, WorkerRunner
from chargru.tui.shell import Shell
from chargru.tui.state import Phase, TrainingState
from chargru.tui.watching import WatchRunner

SAVE_GRACE = 2.0  # seconds that the worker has to save when the app leaves
STYLES = Path(__file__).with_name("styles")
CALM = (Progress, Evaluated, Sampled, Saved)  # a training that simply goes on: pictures at their own pace
HANGUP = 129  # the exit code when the terminal has vanished, as after SIGHUP

# The screens' classes are named, not imported: only the one that is shown first delays the first frame.
SCREEN_CLASSES = {
    "corpus": ("chargru.tui.screens.corpus", "CorpusScreen"),
    "train": ("chargru.tui.screens.train", "TrainScreen"),
    "play": ("chargru.tui.screens.play", "PlayScreen"),
    "runs": ("chargru.tui.screens.runs", "RunsScreen"),
}


def _make_screen(mode: str) -> Screen[Any]:
    module, name = SCREEN_CLASSES[mode]
    screen: Screen[Any] = getattr(importlib.import_module(module), name)()
    return screen


class ChargruApp(Shell):
    """The app. What it depends on comes by constructor, so tests bring their own; the defaults are the real rooms."""

    TITLE = "chargru"
    # absolute: a subclass may live elsewhere
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLES / f"{name}.tcss" for name in ("base", *SCREEN_CLASSES)]
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        mode: partial(_make_screen, mode) for mode in SCREEN_CLASSES
    }
    DEFAULT_MODE = "corpus"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  (Textual declares it so)
        (0, "-tiny-width"),
        (60, "-slim"),
        (76, "-narrow"),
        (100, "-wide"),
        (140, "-huge"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-tiny-height"),
        (18, "-low"),
        (22, "-short"),
        (28, "-tall"),
        (42, "-very-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "show_screen('corpus')", "Corpus", key_display="F2", priority=True),
        Binding("f3", "show_screen('train')", "Train", key_display="F3", priority=True),
        Binding("f4", "show_screen('play')", "Play", key_display="F4", priority=True),
        Binding("f6", "show_screen('runs')", "Runs", key_display="F6", priority=True),
        Binding("f8", "pause", "Pause", key_display="F8", priority=True),
        Binding("f8", "resume", "Go on", key_display="F8", priority=True),
        Binding("f1", "help", "Help", key_display="F1", priority=True),
        Binding("question_mark", "all_keys", "All keys", show=False, tooltip="All keys that work now"),
        Binding("ctrl+q", "quit", "Quit", key_display="^q", priority=True),
        Binding("f10", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(
        self,
        corpus: str | None = None,
        *,
        runner: Runner | None = None,
        library: Library | None = None,
        models: Models | None = None,
        archive: Archive | None = None,
        remembered: Remembered | None = None,
        out: str | None = None,
    ) -> None:
        """`corpus` is chosen when the app opens; `out` is the directory of the runs, as `TrainRequest.out`."""
        left_at = remembered.app.screen if remembered is not None and corpus is None else "corpus"
        super().__init__(remembered, first=left_at if left_at != "train" else "")
        self.corpus = corpus
        self.out = out
        self.graphics = Graphics(lambda: self.training.active and not self.training.watching)
        self.library: Library = library or HouseLibrary(self.graphics)
        self.models: Models = models or HouseModels(out, self.graphics)
        self.archive: Archive = archive or HouseArchive(out)
        self.runner: Runner = runner or WorkerRunner()
        self.training = TrainingState()
        self.training_changed: Signal[tuple[Event, ...]] = Signal(self, "training_changed")
        self._pump = Pump(self.runner, self.post_message)
        self._watcher: WatchRunner | None = None
        self._untold: list[Event] = []  # folded in, but not on the screens yet
        self._told_at, self._telling_soon = -inf, False
        self._pace, self._used = REDRAW, process_time()  # seconds between pictures; processor time at the last one
        self._leaving = False
        self._leave_with: int | None = None
        self._has_terminal = False

    def on_load(self) -> None:
        # From Python 3.12 on Textual starts tasks eagerly, and a mode's first widgets then run before their screen is
        # on the stack: an Input that looks for its screen ends the app with a ScreenStackError.
        asyncio.get_running_loop().set_task_factory(None)

    def on_mount(self) -> None:
        self.set_interval(TICK, lambda: self._pump.tick())  # which pump is not always the same
        self.call_after_refresh(self._preload)
        if not self.is_headless:
            leaving.catch(self._signalled)
            if self._leave_with is not None:
                self.leave(self._leave_with)
            if leaving.has_terminal():
                self._has_terminal = True
                self.set_interval(leaving.LOOK, self._look_for_terminal)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        return commands_for(self)

    # -- screens ------------------------------------------------------------------------------------------------

    async def action_show_screen(self, mode: str) -> None:
        while len(self.screen_stack) > 1:  # a palette or a help panel in front would come back later
            await self.pop_screen()
        await self.switch_mode(mode)
        self.remembered.change("app", screen=mode)

    def action_help(self, everything: bool = False) -> None:
        from chargru.tui.screens.help import HelpScreen

        front = self.screen
        if isinstance(front, HelpScreen):
            self.pop_screen()
        if len(self.screen_stack) == 1 and not (isinstance(front, HelpScreen) and front.everything == everything):
            self.push_screen(HelpScreen(self.screen, everything=everything))

    def action_all_keys(self) -> None:
        self.action_help(everything=True)

    @on(PlayWanted)
    async def open_in_play(self, message: PlayWanted) -> None:
        await self.action_show_screen("play")
        from chargru.tui.screens.play import PlayScreen

        assert isinstance(self.screen, PlayScreen)
        self.screen.choose(message.run)

    def _preload(self) -> None:
        """Import the other screens, and with them NumPy and the plot, while the user looks at the first one."""

        def load() -> None:
            for module, _ in SCREEN_CLASSES.values():
                importlib.import_module(module)
            if not gc.isenabled():
                gc.freeze()  # modules and classes stay: not to be looked through again and again
                gc.enable()

        self.run_worker(load, thread=True, name="preload", exit_on_error=False)

    # -- the training -------------------------------------------------------------------------------------------

    @on(TrainingWanted)
    async def start_training(self, message: TrainingWanted) -> None:
        if self.training.active and not self.training.watching:
            self.tell(f"{one_line(self.training.corpus, 40)} is training; x on F3 stops it first.", severity="warning")
            return
        self._stop_watching()
        # a runner that plays a recording says so, and every screen then tells it
        self.training = TrainingState.begin(message.request, getattr(self.runner, "recording", ""))
        self.refresh_bindings()
        self.graphics.let_go()
        await self.action_show_screen("train")
        self._pump.start(message.request)
        self.training_changed.publish(())

    @on(WatchWanted)
    async def start_watching(self, message: WatchWanted) -> None:
        """Show the training of another process on the Train screen; nothing here can change it."""
        if self.training.active and not self.training.watching:
            self.tell(f"{one_line(self.training.corpus, 40)} is training; x on F3 stops it first.", severity="warning")
            return
        self._stop_watching()
        request = TrainRequest(resume=message.run)
        self.training = TrainingState.begin(request)
        self.training.watching = message.who
        self._watcher = WatchRunner(message.run)
        self._pump = Pump(self._watcher, self.post_message)
        self.refresh_bindings()
        await self.action_show_screen("train")
        self._pump.start(request)
        self.training_changed.publish(())

    def _stop_watching(self) -> None:
        """Back to the runner of this app's own; nothing is told, nothing is shown."""
        if self._watcher is not None:
            self._watcher.close(0.0)
            self._watcher = None
            self._pump = Pump(self.runner, self.post_message)

    @on(TrainingEvents)
    def fold_in(self, message: TrainingEvents) -> None:
        before = self.training.phase
        for event in message.events:
            self.training.apply(event)
            if isinstance(event, Started) and event.step > 0:
                self._read_history(event.path)
        self._untold += message.events
        if self.training.phase is not before:
            self.refresh_bindings()
            self._tell_elsewhere()
        elif all(isinstance(event, CALM) for event in self._untold):
            if not self._telling_soon:
                self._telling_soon = True
                self.set_timer(max(self._told_at + self._pace - monotonic(), 0.001), self._tell_if_due)
            return
        self.tell_screens()

    def _tell_if_due(self) -> None:
        if self._telling_soon:
            self.tell_screens()

    def tell_screens(self) -> None:
        """Let the screens show what was folded in since the last time."""
        events, self._untold, self._telling_soon = tuple(self._untold), [], False
        used = process_time()
        self._pace = min(max((used - self._used) / SHARE, REDRAW), SLOWEST)
        self._told_at, self._used = monotonic(), used
        self.training_changed.publish(events)

    def _read_history(self, run: str) -> None:
        """A run that goes on shows its whole curve, not only what comes now."""

        def read() -> None:
            self.post_message(HistoryRead(run, tuple(self.archive.history(run))))

        self.run_worker(read, thread=True, name="history", exit_on_error=False)

    @on(HistoryRead)
    def put_history_in_front(self, message: HistoryRead) -> None:
        if self.training.started is not None and self.training.started.path == message.run:
            self.training.remember(message.events)
            self.training_changed.publish(())

    def _tell_elsewhere(self) -> None:
        """An end is told as a toast where the Train screen is not looked at."""
        if self.current_mode == "train" or self._leaving:
            return
        if self.training.phase is Phase.FINISHED:
            self.tell(self.training.ending(), title="Training finished")
        elif self.training.failed is not None:
            self.tell(self.training.failed.message, severity="error", title="Training ended")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        phase = self.training.phase
        if self.training.watching and action in ("pause", "resume", "save_now", "faster", "slower"):
            return False
        if action in ("pause", "resume"):
            return phase is (Phase.TRAINING if action == "pause" else Phase.PAUSED)
        if action in ("save_now", "stop_training"):
            return phase in (Phase.TRAINING, Phase.PAUSED) or (action == "stop_training" and phase is Phase.STARTING)
        if action in ("faster", "slower"):
            return phase in (Phase.TRAINING, Phase.PAUSED)
        if action == "resume_run":
            return self.training.can_go_on
        return super().check_action(action, parameters)

    def say(self, word: str) -> None:
        """Pass "pause", "resume", "save" or "stop" on to the worker."""
        self._pump.say(word)

    def action_pause(self) -> None:
        self._pump.say("pause")

    def action_resume(self) -> None:
        self._pump.say("resume")

    def action_save_now(self) -> None:
        self._pump.say("save")

    def action_faster(self) -> None:
        """A learning rate a quarter higher."""
        self._pump.say("faster")

    def action_slower(self) -> None:
        """A learning rate a fifth lower."""
        self._pump.say("slower")

    def action_stop_training(self) -> None:
        if self.training.watching:
            self._stop_watching()
            self.training = TrainingState()
            self.refresh_bindings()
            self.training_changed.publish(())
            self.tell("No longer watching; the training goes on where it is.")
            return
        self._pump.say("stop")
        self.training.stopping()
        self.refresh_bindings()
        self.training_changed.publish(())

    def action_resume_run(self) -> None:
        if self.training.started is not None:
            self.resume_run(self.training.started.path)

    def resume_run(self, run: str) -> None:
        """Go on training a run on disk."""

        def ask() -> None:
            try:
                wanted: Message = TrainingWanted(self.archive.going_on(run, self.out))
            except ChargruError as error:
                wanted = Problem(error.message, error.hint)
            self.post_message(wanted)

        self.run_worker(ask, thread=True, name="resume", exit_on_error=False)

    @on(Problem)
    def tell_problem(self, message: Problem) -> None:
        self.tell(f"{message.problem} {message.hint}".strip(), severity="error")

    # -- leaving ------------------------------------------------------------------------------------------------

    def leave_soon(self, code: int) -> None:
        """Leave with this exit code as soon as the app is open."""
        self._leave_with = code

    async def action_quit(self) -> None:
        self.leave(0)

    def leave(self, code: int) -> None:
        """End the app: at once when nothing trains or when asked twice, else after the worker has saved."""
        if self._leaving or not self.training.active or self.training.recording or self.training.watching:
            self.exit(code, return_code=code)
            return
        self._leaving = True
        self.tell("Saving the model before leaving…")
        self.run_worker(self._close_and_exit(code), name="leaving", exit_on_error=False)

    def _signalled(self, code: int) -> None:
        if not self._look_for_terminal(code):
            self.leave(code)

    def _look_for_terminal(self, code: int = HANGUP) -> bool:
        """Leave for good if the terminal has vanished; whether it has."""
        if self._has_terminal and not leaving.has_terminal():
            self._has_terminal = False
            leaving.vanish(self._close, code)
            return True
        return False

    def _close(self) -> None:
        """What has to be saved before the end: the model, and what the app remembers."""
        try:
            self.runner.close(SAVE_GRACE)
        finally:
            self.remembered.write()

    async def _close_and_exit(self, code: int) -> None:
        try:
            await asyncio.to_thread(self.runner.close, SAVE_GRACE)
        finally:
            self.exit(code, return_code=code)


def run_app(corpus: str | None = None, *, out: str | None = None, demo: float | None = None) -> int:
    """Run the app until the user leaves; gives the exit code. The worker is closed whatever happens.

    With `demo` a recording is played instead of training, so many times as fast as it was made.
    """
    remembered = Remembered(config_path())
    if demo is not None:
        from chargru.tui.demo import DemoApp

        remembered.path = None  # it looks as the user likes it, and leaves no trace
        app: ChargruApp = DemoApp(demo, out=out, remembered=remembered)
    else:
        app = ChargruApp(corpus, out=out, remembered=remembered)
    try:
        with leaving.early(app.leave_soon):
            app.run()
    finally:
        app.graphics.let_go()  # a thread that waits for it would keep the app from ending
        app.runner.close(SAVE_GRACE)
        app.tell_last(remembered.write())
    return app.return_code or 0
