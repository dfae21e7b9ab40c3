"""`chargru eval`: how well a model predicts a text."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from chargru.cli.gpu import backend_option, device_for
from chargru.cli.options import Number, debug_option, json_option, out_option
from chargru.cli.output import narrate, put_line, put_record
from chargru.cli.sample import load_model
from chargru.errors import BackendError, TextError

if TYPE_CHECKING:
    from chargru.engine import Device, Parameters
    from chargru.training.evaluation import Score


@click.command(
    short_help="Score how well a model predicts a text.",
    name="eval",
    epilog="""\b
Examples:
  chargru eval tales another-book.txt
  chargru eval tales tales --val-fraction 0.1
  chargru eval tales another-book.txt --protocol window --window 256 --json

\b
stream: one stateful pass over the whole text.
window: every window of N characters from a cold state, as nanoGPT evaluates.

\b
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
""",
)
@click.argument("model")
@click.argument("text")
@click.option(
    "--protocol",
    type=click.Choice(["stream", "window"]),
    default="stream",
    show_default=True,
    help="How the text is cut before it is scored.",
)
@click.option(
    "--window",
    type=Number(int, 1, 1_000_000),
    default=256,
    metavar="N",
    show_default=True,
    help="Characters in a window (only with --protocol window).",
)
@click.option(
    "--val-fraction",
    type=Number(float, 0, 1),
    metavar="F",
    help="Score only this part of the text, its tail: what training with the same fraction held out.  "
    "[default: all of it]",
)
@click.option("--encoding", metavar="TEXT", help="Encoding of the text; found out otherwise.")
@click.option("--replace-bad-bytes", is_flag=True, help="Read undecodable bytes as the replacement character.")
@backend_option("Where it is computed; auto takes a GPU for long texts only.")
@json_option
@out_option
@debug_option
def evaluate(
    model: str,
    text: str,
    protocol: str,
    window: int,
    val_fraction: float | None,
    encoding: str | None,
    replace_bad_bytes: bool,
    backend: str,
    as_json: bool,
    out: str | None,
) -> None:
    """Score how well MODEL predicts TEXT.

    MODEL is a run's name, a run's directory, or a .safetensors file. TEXT is a name from `chargru corpora`, a file, a
    directory of text files, or - for stdin. Prints the mean loss in nats and bits per character, the perplexity, and
    how many characters were scored (all but the first, which nothing precedes). Characters that the model does not
    know are mapped to known ones or left out, and counted on stderr.
    """
    from chargru.text.library import load
    from chargru.text.stream import split

    completer = load_model(model, out)
    document = load(text, encoding=encoding, replace=replace_bad_bytes)
    for note in document.notes:
        narrate(note)
    reading = completer.vocabulary.read(document.text)
    for note in reading.notes:
        narrate(note)
    ids = reading.ids
    if val_fraction is not None and val_fraction < 1 and len(ids):
        ids = split(ids, val_fraction)[1]
    score = _score(completer.parameters, ids, protocol, window, backend)
    if score is None:
        raise TextError("there is nothing to score: fewer than two characters that the model knows")
    if as_json:
        put_record(score.to_record())
        return
    put_line(f"nats/char   {score.nats_per_char:.4f}")
    put_line(f"bits/char   {score.bits_per_char:.4f}")
    put_line(f"perplexity  {score.perplexity:.4f}")
    put_line(f"characters  {score.chars:,}")
    put_line(f"protocol    {protocol}" + (f" {window}" if protocol == "window" else ""))


def _score(parameters: Parameters, ids: Any, protocol: str, window: int, backend: str) -> Score | None:
    """The score, with a bar on a terminal.

    Raises:
        BackendError: "cupy", and there is no GPU to be had, or it fails.
    """
    from chargru.completion.on_device import forward_operations

    device = device_for(parameters, backend, len(ids) * forward_operations(parameters.config))
    if device is not None:
        try:
            return _score_on(device, parameters, ids, protocol, window)
        except BackendError as error:
            if backend == "cupy":
                raise
            narrate(f"computing on the processor: {error.message}")
    from chargru.engine import Crew, available_cores
    from chargru.training.evaluation import evaluate as score

    with _bar(ids) as bar, Crew(available_cores()) as crew:
        return score(parameters, ids, protocol=protocol, window=window, crew=crew, advance=bar.update)


def _score_on(device: Device, parameters: Parameters, ids: Any, protocol: str, window: int) -> Score | None:
    """The same on a GPU. Raises BackendError."""
    from chargru.engine import Parameters
    from chargru.engine.backend import explained
    from chargru.training.device_place import DeviceScorer
    from chargru.training.evaluation import evaluate as score

    with explained(), _bar(ids) as bar:
        there = Parameters(parameters.config, buffer=device.array(parameters.flat))
        scorers = partial(DeviceScorer, device)
        return score(there, ids, protocol=protocol, window=window, scorers=scorers, advance=bar.update)


def _bar(ids: Any) -> Any:
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    return tqdm(
        total=max(0, len(ids) - 1),
        unit="ch",
        unit_scale=True,
        leave=False,
        disable=not sys.stderr.isatty(),
        dynamic_ncols=True,
    )
