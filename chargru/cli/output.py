"""Where words go: data to stdout, narration to stderr, and nothing raw to a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chargru.text.display import safe_display


def prepare_streams() -> None:
    """Let no character be too much for an old locale: what cannot be encoded is written as an escape.

    File names may hold bytes that are no text; into a pipe or a file they go out as they came in.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            as_bytes = stream is sys.stdout and stream.encoding.lower().startswith("utf") and not stream.isatty()
            stream.reconfigure(errors="surrogateescape" if as_bytes else "backslashreplace")


def program() -> str:
    """How this program was called, so that a command that is suggested works as it stands."""
    return "python -m chargru" if Path(sys.argv[0]).name == "__main__.py" else "chargru"


def narrate(text: str) -> None:
    """One message to the reader of stderr."""
    with contextlib.suppress(OSError):  # a closed stderr is no reason to fail
        sys.stderr.write(safe_display(text) + "\n")
        sys.stderr.flush()


def put(text: str) -> None:
    """Text to stdout at once: made safe on a terminal, unchanged into a file or a pipe."""
    sys.stdout.write(safe_display(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def put_line(text: str) -> None:
    """`put` with a newline."""
    put(text + "\n")


def put_bold(text: str) -> None:
    """`put`, in bold type on a terminal that may be coloured (NO_COLOR is honoured)."""
    bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if not (bold and text):
        return put(text)
    sys.stdout.write("\x1b[1m")
    try:
        put(text)
    finally:
        sys.stdout.write("\x1b[0m")
        sys.stdout.flush()
    return None


def put_record(record: Mapping[str, Any]) -> None:
    """One JSON object as a line on stdout, in plain ASCII: control characters stand escaped in it.

    JSON has no infinities and no NaN; they are written as null.
    """
    line = json.dumps(_finite(record), allow_nan=False).replace("\x7f", "\\u007f")
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
