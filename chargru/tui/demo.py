"""A recorded training instead of a real one, for talks and screenshots: `chargru tui --demo`.

The recording is of a real training (benchmarks/record_demo.py makes it): one JSON object a line, first a header, then
the events as `events.to_record` writes them with the second at which each came. Nothing is trained and nothing written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from chargru.config import TrainRequest
from chargru.errors import ChargruError
from chargru.events import Event, Failed, Finished, Notice, Paused, Progress, Resumed, Started, from_record
from chargru.tui.app import ChargruApp
from chargru.tui.formatting import duration
from chargru.tui.messages import TrainingWanted

RECORDING = Path(__file__).with_name("demo.jsonl")
FORMAT = 1
PACE = 3.0  # times as fast as it was recorded
UNHEARD = {
    "save": "this is a recording: there is no model to save",
    "faster": "this is a recording: its learning rate is what it was",
    "slower": "this is a recording: its learning rate is what it was",
}


@dataclass(frozen=True)
class Recording:
    """The events of a training, each with the second at which it was told; the first is a Started, the last the end."""

    corpus: str
    events: tuple[tuple[float, Event], ...]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.events[-1][0]

    @classmethod
    def read(cls, path: Path = RECORDING) -> Recording:
        """Read a recording.

        Raises:
            ChargruError: it cannot be read, or is not one.
        """
        try:
            header, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            if header["recording"] != FORMAT:
                raise ValueError("another format")
            events = tuple((float(line.pop("at")), from_record(line)) for line in lines)
            corpus = str(header["corpus"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ChargruError(f"the recording {path.name} cannot be read: {error}", "install chargru anew") from error
        if not events or not isinstance(events[0][1], Started) or not isinstance(events[-1][1], Finished | Failed):
            raise ChargruError(f"the recording {path.name} is not whole", "install chargru anew")
        return cls(corpus, events)


class DemoRunner:
    """A Runner that plays a recording: pause, resume and stop work, what would change the training is told as such.

    `pace` says how many times as fast as it was recorded; `clock` counts seconds.
    """

    def __init__(
        self, recording: Recording | None = None, pace: float = PACE, clock: Callable[[], float] = monotonic
    ) -> None:
        if not pace > 0:
            raise ValueError("a recording is played at a pace above 0")
        self._record = recording or Recording.read()
        self._pace = pace
        self._clock = clock
        self._next = len(self._record.events)  # index of the event that comes next; at the end nothing plays
        self._position = 0.0  # seconds into the recording
        self._looked: float | None = None  # when the position was brought up to date; None while paused
        self._told: list[Event] = []
        self._progress: Progress | None = None

    @property
    def recording(self) -> str:
        """What is played, in words."""
        how = "as it was" if self._pace == 1 else f"{self._pace:g} times as fast"
        return f"a recording of {duration(self._record.seconds)} of training on {self._record.corpus}, played {how}"

    @property
    def playing(self) -> bool:
        """Whether events are still to come."""
        return self._next < len(self._record.events)

    def start(self, request: TrainRequest) -> None:
        """Play from the beginning, whatever text was asked for."""
        self._next, self._position, self._progress = 0, 0.0, None
        self._looked = self._clock()
        self._told = []

    def send(self, word: str) -> None:
        """ "pause", "resume" and "stop" are obeyed; the other words are answered."""
        self._advance()
        if not self.playing:
            return
        step = self._progress.step if self._progress else 0
        if word == "pause" and self._looked is not None:
            self._looked = None
            self._told.append(Paused(step))
        elif word == "resume" and self._looked is None:
            self._looked = self._clock()
            self._told.append(Resumed(step))
        elif word == "stop":
            self._next = len(self._record.events)
            done = self._progress
            rate, elapsed = (done.chars_per_second, done.elapsed) if done else (0.0, 0.0)
            self._told.append(Finished("stopped", "", None, step, elapsed, rate))
        elif word in UNHEARD:
            self._told.append(Notice(UNHEARD[word]))

    def drain(self) -> list[Event]:
        """What has come up since the last call."""
        self._advance()
        told, self._told = self._told, []
        return told

    def close(self, grace: float) -> None:
        """Play no more."""
        self._next = len(self._record.events)

    def _advance(self) -> None:
        """Take over what the recording told up to this moment."""
        if self._looked is None or not self.playing:
            return
        now = self._clock()
        self._position += (now - self._looked) * self._pace
        self._looked = now
        events = self._record.events
        while self.playing and events[self._next][0] <= self._position:
            event = events[self._next][1]
            self._next += 1
            self._told.append(event)
            if isinstance(event, Started):
                self._told.append(Notice(f"this is {self.recording}; nothing is trained here"))
            elif isinstance(event, Progress):
                self._progress = event


class DemoApp(ChargruApp):
    """The app with a recording in place of the worker; it begins to play by itself."""

    def __init__(self, pace: float = PACE, **rooms: Any) -> None:
        super().__init__("tales", runner=rooms.pop("runner", None) or DemoRunner(pace=pace), **rooms)

    def on_mount(self) -> None:
        self.call_after_refresh(self.post_message, TrainingWanted(TrainRequest(corpus="tales")))
