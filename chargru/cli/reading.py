"""How far the reading of a large text is: a tqdm bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from chargru.cli.narrator import LINE_EVERY
from chargru.cli.output import narrate

if TYPE_CHECKING:
    from tqdm import tqdm


class ReadingBar:
    """Called with bytes done and bytes to do; a context manager, which takes the bar away at the end.

    A text that is small, or whose ids were kept, is never told of, and nothing is shown. `live` decides between the bar
    and plain lines; by default it is whether stderr is a terminal.
    """

    def __init__(self, live: bool | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = sys.stderr.isatty() if live is None else live
        self._clock = clock
        self._last_line = clock()
        self._bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> ReadingBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.close()
            self._bar = None

    def __call__(self, done: int, total: int) -> None:
        if not self._live:
            if self._clock() - self._last_line >= LINE_EVERY:
                self._last_line = self._clock()
                narrate(f"reading the text: {done / max(1, total):.0%}")
            return
        with contextlib.suppress(OSError):  # a closed stderr is no reason to fail
            if self._bar is None:
                self._bar = _make_bar(total)
            self._bar.total = total  # another pass may have become necessary
            self._bar.update(done - self._bar.n)


def _make_bar(total: int) -> tqdm[NoReturn]:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # a thread that would only watch for rare updates; ours come often
    return tqdm(
        total=total,
        desc="reading the text",
        unit="B",
        unit_scale=True,
        file=sys.stderr,
        leave=False,
        dynamic_ncols=True,
        bar_format="{percentage:3.0f}%|{bar}| {desc}, {rate_fmt}",
    )
