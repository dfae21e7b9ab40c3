"""`chargru` where there is no terminal: a short training on the bundled tales, and what the model writes then."""

from __future__ import annotations

import os

from chargru.cli.interrupts import INTERRUPTED
from chargru.cli.options import Duration
from chargru.cli.output import narrate, program, put_line
from chargru.cli.sample import write_one
from chargru.cli.train import run_training
from chargru.config import SamplingConfig, TrainRequest
from chargru.errors import ConfigError

SECONDS = 30.0
CORPUS = "tales"
PROMPTS = ("The tide ", "Captain Brand said, ", '"Where are you going?" ')


def run_demo() -> int:
    """Train, then complete three prompts on stdout; the exit code.

    The environment variable CHARGRU_DEMO_SECONDS shortens the training (tests use it).
    """
    seconds = _seconds()
    narrate(f"no terminal here, so this is the demo: {seconds:g} seconds of training on the bundled {CORPUS}")
    finished = run_training(TrainRequest(corpus=CORPUS, time=seconds, name="demo"))
    if finished.reason == "interrupted":
        return INTERRUPTED
    from chargru.completion.completer import Completer

    completer = Completer.from_checkpoint(finished.checkpoint)
    for index, prompt in enumerate(PROMPTS):
        if index:
            put_line("")
        put_line(f"--- {index + 1} of {len(PROMPTS)} ---")
        write_one(completer.stream(prompt, SamplingConfig(length=240, temperature=0.7, seed=index)))
    narrate(f"more of it:     {program()} --help")
    return 0


def _seconds() -> float:
    given = os.environ.get("CHARGRU_DEMO_SECONDS")
    if not given:
        return SECONDS
    try:
        return Duration(1, 3600).parse(given)
    except ValueError:
        raise ConfigError("CHARGRU_DEMO_SECONDS is not a duration", "write 5, 30s or 1m") from None
