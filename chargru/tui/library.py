"""The texts there are, as the Corpus screen wants them: the door to `chargru.text`, opened on first use.

Everything here may touch disks and is called from threads, never from the event loop.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any, Protocol

from chargru.tui import paths
from chargru.tui.graphics import Graphics
from chargru.tui.priors import Priors, Seen

if TYPE_CHECKING:
    from chargru.training.machines import Machine

LINES = 40  # first lines of a preview
_KEPT = 24  # previews that are kept
# Settings that the forecast takes into account, and those that do not change how much is read or learned.
_FORESEEN = frozenset(
    (
        *("hidden_size", "num_layers", "threads", "backend", "precision", "encoding", "replace_bad_bytes"),
        *("name", "seed", "sample_prompt", "evaluations"),
    )
)


@dataclass(frozen=True)
class Choice:
    """A text that can be picked from the table. What is not known cheaply is None or empty until it was looked at."""

    spec: str
    title: str
    description: str
    characters: int | None
    source: str = ""  # where it is from: "bundled", "this Python", or a directory
    size: int | None = None  # bytes
    vocabulary: int | None = None
    script: str = ""
    whole: bool = True  # False: `characters` is estimated and `vocabulary` a lower bound
    recent: bool = False  # one of the user's own
    problem: str = ""  # why it cannot be read, in a few words


@dataclass(frozen=True)
class TextPreview:
    """What is shown of a text before it is trained on. All strings are raw."""

    name: str
    lines: tuple[str, ...]
    characters: int
    vocabulary: int
    encoding: str
    scripts: tuple[str, ...]
    notes: tuple[str, ...]
    whole: bool  # False: only the first part was read, so `characters` is estimated and `vocabulary` a lower bound
    source: str = ""
    size: int | None = None  # bytes
    read: int = 0  # characters that the counts below are of
    how: str = ""  # how the encoding is known
    line_ends: str = ""
    commonest: tuple[tuple[str, int], ...] = ()
    rarest: tuple[tuple[str, int], ...] = ()
    single: int = 0  # characters that stand only once
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outlook:
    """What a training will be like, told before it begins.

    `likely`, `low` and `high` are validation losses in nats per character; where no part of the text can be held out
    (`measured` is false) they say nothing. `closely`: nothing better can be told; otherwise a closer look can be asked
    for. `left_out` names settings by hand that the forecast does not know of; `pilot` is what a
    TrainRequest for this text takes of it.
    """

    units: int = 0  # in each layer
    layers: int = 1
    characters: float = 0.0  # read in all
    passes: float = 0.0
    likely: float = 0.0  # loss, nats per character
    low: float = 0.0
    high: float = 0.0
    measured: bool = True
    closely: bool = True
    left_out: tuple[str, ...] = ()
    pilot: tuple[float, ...] | None = None
    gpu: str = ""  # that computes it; empty for the processor


class Library(Protocol):
    """The texts there are."""

    def choices(self) -> list[Choice]:
        """What can be picked by name."""

    def recent(self, specs: Sequence[str]) -> list[Choice]:
        """The user's own texts of these paths, in their order; what is not there any more has a `problem`."""

    def preview(self, spec: str, *, encoding: str | None = None, replace: bool = False) -> TextPreview:
        """A text at a glance, from its first megabyte. Raises TextError."""

    def forecast(
        self,
        spec: str,
        seconds: float,
        settings: Mapping[str, Any],
        *,
        closely: bool = False,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Outlook | None:
        """How good a training of so many seconds may get with these settings of a TrainRequest given by hand.

        None where nothing can be said. The first call measures the machine for a moment. To look `closely` takes some
        seconds of all cores, once for each text, and ends soon after `should_stop` says so. Raises TextError.
        """


def learned(choice: Choice, preview: TextPreview) -> Choice:
    """The choice with what its preview found out."""
    return replace(
        choice,
        characters=preview.characters,
        size=preview.size if choice.size is None else choice.size,
        vocabulary=preview.vocabulary,
        script=", ".join(preview.scripts),
        whole=preview.whole,
        problem="",
    )


class HouseLibrary:
    """`chargru.text.library`, as the Corpus screen wants it."""

    def __init__(self, graphics: Graphics | None = None) -> None:
        self._graphics = graphics or Graphics()
        self._previews: dict[tuple[Any, ...], TextPreview] = {}
        # the text looked at last: (spec, encoding, replace), its preview, its beginning
        self._last: tuple[tuple[Any, ...], TextPreview, str] | None = None
        self._priors = Priors()

    def choices(self) -> list[Choice]:
        from chargru.text import library

        return [
            Choice(
                entry.name,
                entry.title,
                entry.description,
                entry.characters,
                "bundled" if entry.path is not None else "this Python",
                size=entry.characters if entry.path is not None else None,
                whole=False,
            )
            for entry in library.entries()
        ]

    def recent(self, specs: Sequence[str]) -> list[Choice]:
        return [_recent(spec) for spec in specs]

    def preview(self, spec: str, *, encoding: str | None = None, replace: bool = False) -> TextPreview:
        stamp = _stamp(spec)
        key = (spec, encoding, replace, stamp)
        if stamp is not None and (known := self._previews.get(key)) is not None:
            return known
        preview, text = _look(spec, encoding, replace)
        self._last = ((spec, encoding, replace), preview, text)
        if stamp is not None:
            if len(self._previews) >= _KEPT:
                with contextlib.suppress(KeyError, StopIteration, RuntimeError):  # another thread was quicker
                    del self._previews[next(iter(self._previews))]
            self._previews[key] = preview
        return preview

    def forecast(
        self,
        spec: str,
        seconds: float,
        settings: Mapping[str, Any],
        *,
        closely: bool = False,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Outlook | None:
        from chargru.training.forecast import forecast

        reading = (spec, settings.get("encoding"), bool(settings.get("replace_bad_bytes")))
        last = self._last
        _, preview, text = last if last is not None and last[0] == reading else (reading, *_look(*reading))
        threads = settings.get("threads")
        machine, settled = self._machine(settings, closely=closely)
        seen = Seen(text, preview.characters, preview.whole, lambda: _whole(*reading))
        prior, closely = self._priors.of(seen, threads, closely=closely, should_stop=should_stop)
        if should_stop():
            return None
        sizes = {name: settings.get(name) for name in ("hidden_size", "num_layers")}
        found = forecast(prior, preview.characters, preview.vocabulary, seconds, machine, **sizes)
        return Outlook(
            units=found.hidden_size,
            layers=found.num_layers,
            characters=found.characters,
            passes=found.passes,
            likely=found.likely,
            low=found.low,
            high=found.high,
            measured=found.measured,
            closely=(closely or prior is None) and settled,
            left_out=tuple(name for name in settings if name not in _FORESEEN),
            pilot=None if prior is None or prior.pilot is None else astuple(prior.pilot),
            gpu=machine.name,
        )

    def _machine(self, settings: Mapping[str, Any], *, closely: bool) -> tuple[Machine, bool]:
        """What a training with these settings is computed on, and whether a closer look would find nothing else."""
        from chargru.training.machines import Processor
        from chargru.training.speed import machine_speed

        settled, precision = True, settings.get("precision") or "float32"
        if settings.get("backend") != "numpy":
            gpu = self._graphics.look(precision) if closely else self._graphics.known(precision)
            if gpu is not None:
                return gpu, True
            settled = self._graphics.settled(precision)
        return Processor(machine_speed(settings.get("threads"))), settled


def _whole(spec: str, encoding: str | None, replace: bool) -> str:
    from chargru.text import library

    return library.load(spec, encoding=encoding, replace=replace).text


def _look(spec: str, encoding: str | None, replace: bool) -> tuple[TextPreview, str]:
    from chargru.text import library

    found, text = library.look(spec, lines=LINES, encoding=encoding, replace=replace)
    preview = TextPreview(
        name=found.name,
        lines=found.lines,
        characters=found.characters,
        vocabulary=found.vocab_size,
        encoding=found.encoding,
        scripts=found.scripts,
        notes=found.notes,
        whole=found.complete,
        source=found.source,
        size=found.size,
        read=found.characters_read,
        how=found.how,
        line_ends=found.line_ends,
        commonest=found.commonest,
        rarest=found.rarest,
        single=found.single,
        warnings=found.warnings,
    )
    return preview, text


def _stamp(spec: str) -> tuple[float, ...] | None:
    """What changes when the file does; None for a directory, whose own time says nothing of the files below."""
    try:
        found = Path(spec).stat()
    except (OSError, ValueError):
        return ()
    return None if S_ISDIR(found.st_mode) else (found.st_mtime_ns, found.st_size)


def _recent(spec: str) -> Choice:
    """A path as a row of the table; a look at its size only."""
    from chargru.text.reader import display_name, reason

    place = paths.abbreviated(os.path.dirname(spec))  # noqa: PTH120 - it may be no valid path at all
    choice = Choice(spec, display_name(spec), spec, None, place, recent=True, whole=False)
    try:
        path = Path(spec)
        return choice if path.is_dir() else replace(choice, size=path.stat().st_size)
    except FileNotFoundError:
        return replace(choice, problem="gone")
    except OSError as error:
        return replace(choice, problem=reason(error))
    except ValueError:
        return replace(choice, problem="no file")
