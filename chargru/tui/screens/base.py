"""What all screens share: the status line on top, the keys at the bottom, and a word when the terminal is too small."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from chargru.errors import ChargruError
from chargru.events import Event
from chargru.tui.messages import RunsRead
from chargru.tui.state import TrainingState
from chargru.tui.widgets.keybar import KeyBar
from chargru.tui.widgets.splitter import STEP, Splitter
from chargru.tui.widgets.status import StatusBar

if TYPE_CHECKING:
    from chargru.tui.app import ChargruApp

TOO_SMALL = "chargru needs a terminal of at least 60 × 18 characters.\nMake this one larger, or its font smaller."


class BaseScreen(Screen[None]):
    """A screen of the app. Subclasses say what is between the two lines, and how the training changes it."""

    HEADING = ""
    HELP_TEXT = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("less_than_sign", "divider(-1)", "Divider left", show=False, tooltip="Move the divider leftwards"),
        Binding("greater_than_sign", "divider(1)", "Divider right", show=False, tooltip="Move the divider rightwards"),
    ]

    @property
    def chargru(self) -> ChargruApp:
        """The app, by its own type."""
        return cast("ChargruApp", self.app)

    def compose(self) -> ComposeResult:
        yield StatusBar(self.HEADING)
        yield from self.compose_body()
        yield Static(TOO_SMALL, classes="too-small", markup=False)
        yield KeyBar()

    def compose_body(self) -> ComposeResult:
        """The screen's own widgets."""
        yield from ()

    def on_mount(self) -> None:
        # Textual calls the handlers of every class, a subclass's first: calling super() there would do all this twice.
        self.chargru.training_changed.subscribe(self, self._training_changed)
        self._training_changed(())
        for splitter in self.query(Splitter):
            splitter.share = getattr(self.chargru.remembered.layout, splitter.name or "", 0.0)
        self.call_after_refresh(self._fit_splitters)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit_splitters)

    def _fit_splitters(self) -> None:
        for splitter in self.query(Splitter):
            splitter.fit()

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self._training_changed(())

    def action_divider(self, direction: int) -> None:
        """Move the divider between the columns by a step."""
        for splitter in self._splitters():
            splitter.move(direction * STEP)

    def action_divider_back(self) -> None:
        """Put the divider where it was designed to be."""
        for splitter in self._splitters():
            splitter.put_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("divider", "divider_back"):
            return self.is_mounted and bool(self._splitters())
        return super().check_action(action, parameters)

    def _splitters(self) -> list[Splitter]:
        return [splitter for splitter in self.query(Splitter) if splitter.is_on_screen]

    @on(Splitter.Moved)
    def _divider_moved(self, message: Splitter.Moved) -> None:
        message.stop()
        self.chargru.remembered.change("layout", **{message.name: message.share})

    def ask_for_runs(self) -> None:
        """Read the runs in a thread; `RunsRead` follows."""
        self.run_worker(self._read_runs, thread=True, group="runs", exclusive=True)

    def _read_runs(self) -> None:
        try:
            answer = RunsRead(tuple(self.chargru.archive.runs()))
        except ChargruError as error:
            answer = RunsRead((), error.message)
        except OSError as error:
            answer = RunsRead((), error.strerror or str(error))
        self.post_message(answer)

    def _training_changed(self, events: tuple[Event, ...]) -> None:
        if self.is_mounted and self in self.app.screen_stack:
            state = self.chargru.training
            self.query_one(StatusBar).show(state)
            self.show_training(state, events)

    def show_training(self, state: TrainingState, events: tuple[Event, ...]) -> None:
        """Bring the screen up to date; `events` are the ones just folded in, none when the screen comes back."""
