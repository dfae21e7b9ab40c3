"""What training tells, as words on stderr: a tqdm bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from chargru.cli.numbers import duration, loss, rate, short
from chargru.cli.output import narrate
from chargru.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Landmarks,
    Notice,
    Paused,
    Progress,
    RateChanged,
    Recovered,
    Resumed,
    Sampled,
    Saved,
    Started,
)
from chargru.text.display import safe_display

if TYPE_CHECKING:
    from tqdm import tqdm

LINE_EVERY = 5.0  # seconds between two lines where there is no terminal
SAMPLE_EVERY = 15.0  # seconds; a trainer writes them more often than anybody reads them
SAMPLE_LINES = 6


class Narrator:
    """Tells each event in its turn; `close` leaves the bar as it stands and tells the last sample.

    `live` decides between the bar and plain lines; by default it is whether stderr is a terminal.
    """

    def __init__(self, live: bool | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = sys.stderr.isatty() if live is None else live
        self._clock = clock
        self._bar: tqdm[NoReturn] | None = None
        self._last_line = self._last_sample = clock()
        self._unseen: Sampled | None = None
        self._validation: float | None = None

    def tell(self, event: Event) -> None:
        """Narrate one event; most Progress only moves the bar."""
        match event:
            case Started():
                self._begin(event)
            case Progress():
                self._progress(event)
            case Evaluated():
                self._evaluated(event)
            case Sampled():
                self._sampled(event)
            case Recovered():
                self.say(
                    f"step {event.step:,}: {event.reason}; back to step {event.back_to:,} "
                    f"with learning rate {event.learning_rate:.3g} (attempt {event.attempt})"
                )
            case Landmarks():
                self.say(
                    f"for scale: uniform {event.uniform:.2f}, single letters {event.unigram:.2f}, "
                    f"3-grams {event.trigram:.2f}, 5-grams {event.fivegram:.2f} nats/char"
                )
            case RateChanged():
                self.say(f"learning rate {event.learning_rate:.3g} from step {event.step:,} on, {event.compared}")
            case Paused() | Resumed():
                self.say("paused" if isinstance(event, Paused) else "going on")
            case Notice():
                self.say(event.message)
            case Saved() | Failed() | Finished():  # the command's own last words say this
                pass

    def say(self, text: str) -> None:
        """One message, above the bar if there is one."""
        if self._bar is None:
            narrate(text)
            return
        with contextlib.suppress(OSError):
            self._bar.write(safe_display(text), file=sys.stderr)

    def close(self) -> None:
        """End the bar, if there is one, and tell the sample that was held back."""
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.close()
            self._bar = None
        if self._unseen is not None:
            self.say(_sample(self._unseen))
            self._unseen = None

    def _begin(self, event: Started) -> None:
        self.say(
            f"{event.corpus}: {event.characters:,} characters, {event.vocab_size:,} distinct; "
            f"{event.train_chars:,} to train on, {event.val_chars:,} held out"
        )
        self.say(
            f"GRU {event.num_layers} x {event.hidden_size}, {short(event.parameters)} parameters; "
            f"{event.batch_size} streams x {event.seq_len} characters; {_budget(event)}; "
            f"{event.backend} on {event.device}, {_plural(event.threads, 'thread')}, seed {event.seed}"
        )
        self.say(f"run {event.run}" + (f", from step {event.step:,}" if event.step else ""))
        self._last_line = self._clock()
        if self._live:
            self._bar = _make_bar(event.fraction)

    def _progress(self, event: Progress) -> None:
        if self._bar is not None:
            self._bar.n = min(1.0, event.fraction)
            self._bar.set_description_str(self._standing(event), refresh=False)
            with contextlib.suppress(OSError):
                self._bar.refresh()
        elif not self._live and self._clock() - self._last_line >= LINE_EVERY:
            self._line(event.fraction, self._standing(event))

    def _standing(self, event: Progress) -> str:
        parts = [f"{duration(event.elapsed)}<{duration(event.remaining)}", f"loss {event.loss:.3f}"]
        if self._validation is not None:
            parts.append(f"val {self._validation:.3f}")
        return ", ".join((*parts, rate(event.chars_per_second)))

    def _evaluated(self, event: Evaluated) -> None:
        self._validation = event.val_loss
        if not self._live:
            best = " (best)" if event.best_step == event.step else ""
            likely = "" if event.expected is None else f", likely {event.expected:.2f} at the end"
            self._line(event.fraction, f"{duration(event.elapsed)}, validation {loss(event.val_loss)}{best}{likely}")

    def _sampled(self, event: Sampled) -> None:
        self._unseen = event
        if self._clock() - self._last_sample >= SAMPLE_EVERY:
            self.say(_sample(event))
            self._unseen = None
            self._last_sample = self._clock()

    def _line(self, fraction: float, text: str) -> None:
        self.say(f"{100 * min(1.0, fraction):3.0f} %  {text}")
        self._last_line = self._clock()


def _make_bar(fraction: float) -> tqdm[NoReturn]:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # a thread that would only watch for rare updates; ours come often
    return tqdm(
        total=1.0,
        initial=min(1.0, fraction),
        file=sys.stderr,
        dynamic_ncols=True,
        mininterval=0,
        bar_format="{percentage:3.0f}%|{bar}| {desc}",
    )


def _budget(event: Started) -> str:
    if event.budget == "time":
        return f"{duration(event.budget_amount)} of training"
    unit = "update" if event.budget == "steps" else "epoch"
    return f"{event.budget_amount:,.6g} {unit}{'s' * (event.budget_amount != 1)}"


def _sample(event: Sampled) -> str:
    """A sample under its own heading, cut to a few lines."""
    lines = (event.prompt + event.text).split("\n")
    shown = lines[:SAMPLE_LINES] + (["..."] if len(lines) > SAMPLE_LINES else [])
    heading = f"--- step {event.step:,}, temperature {event.temperature:g} ---"
    return "\n".join((heading, *shown, ""))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
