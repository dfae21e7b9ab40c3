"""The group of commands, and the one place where failures become a line and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from chargru import __version__
from chargru.cli.options import debug_option
from chargru.cli.output import narrate, prepare_streams
from chargru.errors import ChargruError

INTERRUPTED = 130
# Where the commands are, imported when they are asked for: the app must not wait for them.
COMMANDS = {
    "train": ("chargru.cli.train", "train"),
    "sample": ("chargru.cli.sample", "sample"),
    "eval": ("chargru.cli.evaluate", "evaluate"),
    "corpora": ("chargru.cli.corpora", "corpora"),
    "runs": ("chargru.cli.runs", "runs"),
    "doctor": ("chargru.cli.doctor", "doctor"),
}
EPILOG = """\b
Examples:
  chargru train tales --time 1m
  chargru sample tales --prompt "Once upon a time"
  chargru train my-novel.txt --time 10m --name novel

\b
Exit codes: 0 done, 1 it failed (one line says why), 2 wrong usage,
130 interrupted, after saving. Data goes to stdout, all else to stderr.
"""


@dataclass
class State:
    """What one command line carries from the group to its command."""

    run_app: Callable[..., int]
    debug: bool = False


class Commands(click.Group):
    """A group in which a reader that has gone away (`chargru sample tales | head`) is not a failure.

    Its commands are listed in the order in which one needs them.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _close_quietly()
            return 0
        return result


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="chargru")
@debug_option
@click.pass_context
def group(ctx: click.Context) -> int | None:
    """Teach a machine your own text: a character-level GRU that trains on your processor.

    Without a command this opens the terminal app; without a terminal it trains on the bundled tales for half a
    minute and prints what the model writes.
    """
    if ctx.invoked_subcommand is not None:
        return None
    if sys.stdin.isatty() and sys.stdout.isatty():
        run_app: Callable[[str | None], int] = ctx.obj.run_app
        return run_app(None)
    from chargru.cli.demo import run_demo

    return run_demo()


@group.command(short_help="Open the terminal app.")
@click.argument("corpus", required=False)
@click.option("--demo", is_flag=True, help="Play a recorded training instead of training: for talks and screenshots.")
@click.option(
    "--pace",
    type=click.FloatRange(0.1, 100),
    metavar="N",
    help="With --demo: play it N times as fast as it was recorded.  [default: 3]",
)
@debug_option
@click.pass_context
def tui(ctx: click.Context, corpus: str | None, demo: bool, pace: float | None) -> int:
    """Open the terminal app, with CORPUS chosen if it is given.

    CORPUS is a name from `chargru corpora`, a file or a directory of text files.
    """
    if pace is not None and not demo:
        raise click.UsageError("--pace goes with --demo only", ctx)
    if demo and corpus is not None:
        raise click.UsageError("--demo plays the recording of one text: leave CORPUS out", ctx)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ChargruError("the app needs a terminal", "without one, use `chargru train`, `sample` and `eval`")
    run_app: Callable[..., int] = ctx.obj.run_app
    return run_app(None, 3.0 if pace is None else pace) if demo else run_app(corpus)


def run(argv: Sequence[str], run_app: Callable[..., int]) -> int:
    """Run one command line and give its exit code; nothing but KeyboardInterrupt in the very first moment escapes."""
    prepare_streams()
    state = State(run_app)
    try:
        code = group.main(list(argv), prog_name="chargru", standalone_mode=False, obj=state)
        return code if isinstance(code, int) else 0
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        _tell_usage(error)
        return error.exit_code
    except ChargruError as error:
        _tell(error.message, error.hint, state.debug)
        return error.exit_code
    except MemoryError:
        _tell("out of memory", "take a smaller --hidden-size, --batch-size or text", state.debug)
    except Exception as error:
        described = f"internal error: {type(error).__name__}: {error}"
        _tell(described, "" if state.debug else "run it again with --debug for the traceback", state.debug)
    return 1


def _tell(message: str, hint: str, debug: bool) -> None:
    """The failure in one line, and the hint in another; with `debug` the traceback before them."""
    if debug:
        narrate(traceback.format_exc().rstrip())
    narrate("chargru: " + " ".join(message.split("\n")))
    if hint:
        narrate("  " + hint)


def _tell_usage(error: click.ClickException) -> None:
    narrate("chargru: " + error.format_message())
    context = getattr(error, "ctx", None)
    if context is not None:
        narrate(f"  {context.get_usage()}\n  Try `{context.command_path} --help`.")


def _close_quietly() -> None:
    """Point stdout to nowhere, so that Python's last flush does not complain either."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
