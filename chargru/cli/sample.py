"""`chargru sample`: what a model writes after a prompt, as it writes it."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chargru.cli.gpu import backend_option, device_for
from chargru.cli.options import debug_option, json_option, options_from, out_option
from chargru.cli.output import narrate, put, put_bold, put_line, put_record
from chargru.config import SamplingConfig
from chargru.errors import TextError

if TYPE_CHECKING:
    from chargru.completion.completer import Completer, Stream
    from chargru.engine.device import Device

_MANY = 20_000  # characters; fewer are never worth starting a GPU for


@click.command(
    short_help="Write on after a prompt.",
    epilog="""\b
Examples:
  chargru sample tales --prompt "Once upon a time"
  chargru sample tales --prompt-file start.txt --length 1000 --temperature 0.6
  chargru sample tales --count 256 --length 500 --backend cupy --json
  chargru sample tales --count 5 --top-p 0.9 --seed 7 --json

\b
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
""",
)
@click.argument("model")
@click.option("--prompt", metavar="TEXT", help="What the text begins with.  [default: nothing]")
@click.option("--prompt-file", metavar="F", help="The same from a file, as it stands there; - is stdin.")
@options_from(SamplingConfig)
@backend_option("Where it is computed; auto takes a GPU for many completions only. A seed draws other text there.")
@json_option
@out_option
@debug_option
def sample(
    model: str,
    prompt: str | None,
    prompt_file: str | None,
    backend: str,
    as_json: bool,
    out: str | None,
    **settings: Any,
) -> None:
    """Write on after a prompt with MODEL: a run's name, a run's directory, or a .safetensors file.

    The prompt and its continuation are streamed to stdout; several completions come as numbered blocks, the first of
    them streamed. On a terminal control characters are shown as symbols; into a file or a pipe goes the text itself,
    unchanged. Temperature 0 takes the likeliest character every time.
    """
    if prompt is not None and prompt_file is not None:
        raise click.UsageError("--prompt and --prompt-file exclude each other.")
    if settings["seed"] is None:
        settings["seed"] = secrets.randbits(32)  # so that the JSON can say how to get the same text again
    sampling = SamplingConfig(**settings)
    text = _read_prompt(prompt_file) if prompt_file is not None else prompt or ""
    from chargru.engine import allow_companion

    allow_companion()  # this process does nothing else
    completer = load_model(model, out)
    device = _device_for(completer, sampling, backend)
    stream = completer.stream(text, sampling) if device is None else completer.stream_on(device, text, sampling)
    for note in stream.reading.notes:
        narrate(note)
    if as_json:
        _write_json(text, stream, sampling)
    elif sampling.count == 1:
        write_one(stream)
    else:
        _write_blocks(stream, sampling.count)


def load_model(model: str, out: str | None) -> Completer:
    """The completer of a model by any of its names."""
    from chargru.completion.completer import Completer
    from chargru.storage.runs import find_model, runs_root

    return Completer.from_checkpoint(find_model(model, runs_root(out)))


def _device_for(completer: Completer, sampling: SamplingConfig, backend: str) -> Device | None:
    """The GPU to draw on; None for the processor.

    Raises:
        BackendError: "cupy", and there is no GPU to be had, or the model is not for one.
    """
    if backend == "numpy" or (backend == "auto" and sampling.count * sampling.length < _MANY):
        return None
    from chargru.completion.on_device import operations

    return device_for(completer.parameters, backend, operations(completer.parameters.config, sampling))


def write_one(stream: Stream) -> None:
    """Stream one completion right behind its prompt, and end the line."""
    put_bold(stream.reading.text)
    try:
        for parts in stream:
            put(parts[0])
    finally:
        put("\n")  # an interrupted text leaves the cursor at the start of a line, too


def _write_blocks(stream: Stream, count: int) -> None:
    """Stream the first completion; the others, which grew beside it, follow at once."""
    put_line(f"--- 1 of {count} ---")
    write_one(stream)
    for index in range(1, count):
        put_line(f"\n--- {index + 1} of {count} ---")
        put_bold(stream.reading.text)
        put_line(stream.texts[index])


def _write_json(prompt: str, stream: Stream, sampling: SamplingConfig) -> None:
    for _ in stream:
        pass
    for index, text in enumerate(stream.texts):
        put_record(
            {
                "prompt": prompt,
                "read_as": stream.reading.text,
                "text": text,
                "index": index,
                "stopped": stream.stopped[index],
                "seed": sampling.seed,
                "temperature": sampling.temperature,
            }
        )


def _read_prompt(source: str) -> str:
    """The prompt file's text; an empty file is an empty prompt."""
    from chargru.text.reader import read_bytes, read_text

    if source == "-":
        data = sys.stdin.buffer.read()
        return read_bytes(data, "standard input").text if data else ""
    path = Path(source)
    if path.is_dir():
        raise TextError(f"{source} is a directory", "a prompt is read from one file")
    if path.is_file() and path.stat().st_size == 0:
        return ""
    document = read_text(path)
    return document.text
