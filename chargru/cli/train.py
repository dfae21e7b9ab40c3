"""`chargru train`: one training in this process, told as it happens, saved whatever happens."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from chargru.cli.interrupts import INTERRUPTED, Interrupts
from chargru.cli.narrator import Narrator
from chargru.cli.numbers import duration, loss, rate
from chargru.cli.options import debug_option, json_option, options_from, plain
from chargru.cli.output import narrate, program, put_line, put_record
from chargru.config import TrainingConfig, TrainRequest
from chargru.errors import ChargruError, TrainingError
from chargru.events import Evaluated, Event, Failed, Finished, Started, to_record

if TYPE_CHECKING:
    from chargru.training.control import Control

CHOSEN = (
    "hidden_size",
    "num_layers",
    "batch_size",
    "seq_len",
    "learning_rate",
    "dropout",
    "weight_drop",
    "state_reset",
    "averaging",
)


class Trains(Protocol):
    """What this command needs of a trainer."""

    def run(self, control: Control | None = None) -> Iterator[Event]: ...


def open_trainer(request: TrainRequest) -> Trains:
    """The real trainer; NumPy is imported here. A new training with a budget of time is forecast on stderr."""
    from chargru.cli.reading import ReadingBar
    from chargru.training.session import open_session

    with ReadingBar() as reading:
        trainer = open_session(request, reading)
    if request.resume is None and trainer.training.time is not None:
        if seconds := trainer.forecast_seconds:
            narrate(f"forecast: a small network learns the text first, about {max(1, round(seconds))} s")
        narrate(f"forecast: {trainer.forecast().told()}")
    return trainer


def _shown_defaults() -> dict[str, str]:
    """What a setting is when it is not given: chosen for the occasion, or what the training itself defines."""
    defined = {each.name: each.default for each in dataclasses.fields(TrainingConfig) if each.default is not None}
    fixed = {name: plain(value) for name, value in defined.items() if isinstance(value, int | float)}
    return fixed | dict.fromkeys(CHOSEN, "chosen")


@click.command(
    short_help="Train a model on a text.",
    epilog="""\b
Examples:
  chargru train tales --time 1m
  chargru train my-novel.txt --time 10m --name novel
  chargru train notes/ --steps 5000 --hidden-size 256 --layers 2
  cat *.txt | chargru train - --time 3m --json > events.jsonl
  chargru train --resume novel --time 20m

\b
Ctrl-C finishes the step, saves and leaves with 130; a second one leaves at once.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
""",
)
@click.argument("corpus", required=False)
@options_from(
    TrainRequest,
    "time",
    "steps",
    "epochs",
    "hidden_size",
    "num_layers",
    "batch_size",
    "seq_len",
    "learning_rate",
    "dropout",
    "weight_drop",
    "state_reset",
    "averaging",
    "weight_decay",
    "clip_norm",
    "evaluations",
    "val_fraction",
    "seed",
    "threads",
    "backend",
    "precision",
    "name",
    "out",
    "resume",
    "encoding",
    "replace_bad_bytes",
    "sample_prompt",
    flags={"num_layers": ("--layers", "--num-layers")},
    shown=_shown_defaults(),
    metavars={"name": "NAME", "out": "DIR", "resume": "MODEL", "encoding": "NAME"},
)
@json_option
@debug_option
def train(corpus: str | None, as_json: bool, **settings: Any) -> int:
    """Train a model on CORPUS: a name from `chargru corpora`, a file, a directory of text files, or - for stdin.

    Give a budget: --time, --steps or --epochs; without one it is three minutes. What is not given by hand is chosen
    for the text, the budget and this machine. The path of the model is printed on stdout, everything else on stderr.

    With --resume a run goes on from its newest checkpoint, within its old budget or within the larger one that is
    given; CORPUS is then only needed where the text has moved.
    """
    if corpus is None and settings["resume"] is None:
        raise click.UsageError("which text? Give a CORPUS, or --resume MODEL to go on with a run.")
    finished = run_training(TrainRequest(corpus=corpus, **settings), as_json=as_json)
    if not as_json:
        put_line(finished.checkpoint)
    return INTERRUPTED if finished.reason == "interrupted" else 0


def run_training(
    request: TrainRequest, *, as_json: bool = False, opener: Callable[[TrainRequest], Trains] | None = None
) -> Finished:
    """Train to the end and narrate it; the last event.

    A closed stdout under `--json` interrupts the training: it is saved, and nobody is left to tell.

    Raises:
        ChargruError: whatever kept the training from its end.
    """
    from chargru.training.control import Control

    narrator = Narrator()
    teller = _Json(as_json)
    started: Started | None = None
    evaluated: Evaluated | None = None
    last: Event | None = None
    with Interrupts() as interrupts:
        try:
            trainer = (opener or open_trainer)(request)
            control = interrupts.control = Control()
            for last in trainer.run(control):
                narrator.tell(last)
                if not teller.tell(last):
                    control.interrupt()
                if isinstance(last, Started):
                    started = last
                elif isinstance(last, Evaluated):
                    evaluated = last
        except ChargruError as error:
            teller.tell(Failed(error.message, error.hint))
            raise
        finally:
            narrator.close()
    if isinstance(last, Failed):
        raise TrainingError(last.message, last.hint)
    if not isinstance(last, Finished):
        raise TrainingError("the training ended without a result")
    _summarise(last, started, evaluated)
    return last


class _Json:
    """Events as JSON lines on stdout, for as long as somebody reads them."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def tell(self, event: Event) -> bool:
        """Write the event; False, once, when nobody reads any more."""
        if not self._wanted:
            return True
        try:
            put_record(to_record(event))
        except BrokenPipeError:
            self._wanted = False
            narrate("nobody reads stdout any more: saving and leaving")
            return False
        return True


def _summarise(finished: Finished, started: Started | None, evaluated: Evaluated | None) -> None:
    """What came out, and the exact command that comes next. `evaluated` is the last evaluation."""
    end = {"done": "done", "stopped": "stopped", "interrupted": "interrupted and saved"}
    lines = [
        f"{end.get(finished.reason, finished.reason)}: {finished.steps:,} steps in {duration(finished.seconds)}, "
        f"{rate(finished.chars_per_second)}"
    ]
    if finished.val_loss is not None:
        part = ""
        if started is not None and evaluated is not None and not evaluated.complete:
            part = f" on {evaluated.chars:,} of {started.val_chars:,} held-out characters"
        lines.append(f"validation loss {loss(finished.val_loss)}{part}")
    if started is not None:
        model = _model_name(started)
        if finished.reason == "interrupted":
            lines.append(f"go on with:     {program()} train --resume {model}")
        lines.append(f"let it write:   {program()} sample {model}    (and --prompt TEXT)")
    narrate("\n".join(lines))


def _model_name(started: Started) -> str:
    """How other commands find this run: by its name where they look for it anyway, else by its path."""
    from chargru.storage.runs import runs_root

    known = Path(started.path).resolve().parent == runs_root().resolve()
    return shlex.quote(started.run if known else started.path)
