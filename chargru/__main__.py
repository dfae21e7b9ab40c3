"""`chargru` and `python -m chargru`: the one place where the command line meets the terminal app."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence


def run_app(corpus: str | None, demo: float | None = None) -> int:
    """The terminal app until the user leaves it; imported by name, for the command line must not depend on it.

    With `demo` a recorded training is played, so many times as fast as it was recorded.
    """
    gc.disable()  # nothing of what starts is garbage: looking for it took a sixth of the time to the first picture
    try:
        code: int = importlib.import_module("chargru.tui.app").run_app(corpus, demo=demo)  # which turns it on again
    finally:
        gc.enable()
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (the process's own if none is given) and give the exit code."""
    try:
        from chargru.cli.main import run

        return run(sys.argv[1:] if argv is None else argv, run_app)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
