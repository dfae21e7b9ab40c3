"""What the app remembers from one time to the next: the last choices, and how the user likes it to look.

One dataclass a section, checked field by field like every other setting. `Remembered(None)` keeps them for this time
only; with a path they are read from that TOML file and written back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from chargru.config import Settings, setting
from chargru.tui import choices_file


@dataclass(frozen=True)
class AppChoices(Settings):
    """How the app looks and where it was left."""

    screen: str = setting("corpus", "the screen shown last", choices=("corpus", "train", "play", "runs"))
    theme: str = setting("chargru", "the theme")
    characters: str = setting("auto", "what may be drawn with", choices=("auto", "unicode", "ascii"))


@dataclass(frozen=True)
class CorpusChoices(Settings):
    """The last text and times."""

    last: str = setting("", "the text chosen last: a name of the library or a path")
    budget: str = setting("3 min", "the time chosen last: 30 s, 3 min, 10 min, or one typed by hand")
    recent: tuple[str, ...] = setting((), "paths of one's own trained on, the newest first")


@dataclass(frozen=True)
class ChartChoices(Settings):
    """How losses are shown."""

    units: str = setting("nats", "unit of losses", choices=("nats", "bits"))
    axis: str = setting("log", "scale of the loss axis", choices=("log", "linear"))
    landmarks: bool = setting(True, "draw what simple models reach")


@dataclass(frozen=True)
class PlayChoices(Settings):
    """How completions are drawn and shown."""

    count: int = setting(3, "completions side by side", low=1, high=8)
    temperature: float = setting(0.8, "0 takes the likeliest character, 1 samples as learned", low=0, high=100)
    top_k: int = setting(0, "draw among the k likeliest only, 0 for all", low=0, high=200_000)
    top_p: float = setting(1.0, "draw among the likeliest that sum to p", low=0, high=1)
    min_p: float = setting(0.0, "drop what is less likely than this fraction of the likeliest", low=0, high=1)
    length: int = setting(200, "characters to write", low=0, high=20_000)
    stop: str = setting("", "end a completion after this text; empty for none")
    ghost: bool = setting(True, "show how the model would go on while typing")
    surprisal: bool = setting(False, "tint characters by how unlikely the model found them")
    copied: bool = setting(False, "underline what stands verbatim in the training text")
    follow: bool = setting(True, "refresh completions while the model learns")


@dataclass(frozen=True)
class RunsChoices(Settings):
    """How runs are listed and compared."""

    order: str = setting("newest", "what comes first", choices=("newest", "best", "name", "corpus"))
    across: str = setting("steps", "the x axis of their curves", choices=("steps", "time", "characters"))


@dataclass(frozen=True)
class LayoutChoices(Settings):
    """Where the user put the dividers between columns: the side column's share of the width, 0 for as designed."""

    corpus: float = setting(0.0, "share of the texts on the Corpus screen", low=0, high=0.9)
    train: float = setting(0.0, "share of the numbers on the Train screen", low=0, high=0.9)
    play: float = setting(0.0, "share of the side column on the Play screen", low=0, high=0.9)
    runs: float = setting(0.0, "share of the side column on the Runs screen", low=0, high=0.9)


SECTIONS: dict[str, type[Settings]] = {
    "app": AppChoices,
    "corpus": CorpusChoices,
    "chart": ChartChoices,
    "play": PlayChoices,
    "runs": RunsChoices,
    "layout": LayoutChoices,
}


class Remembered:
    """The choices, one attribute a section; `change` replaces fields of a section and asks for the file to be written.

    `problems` are the lines about what could not be used when the file was read; `changed` is called after each change.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.app = AppChoices()
        self.corpus = CorpusChoices()
        self.chart = ChartChoices()
        self.play = PlayChoices()
        self.runs = RunsChoices()
        self.layout = LayoutChoices()
        self.problems: list[str] = []
        self.changed: Callable[[], None] = lambda: None
        self._told = ""  # why the file is not used, as it was told already
        self._lock = Lock()  # changes come from the screens' thread, writing is done in another
        self._changes: dict[tuple[str, str], Any] = {}
        if path is not None:
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            tables = choices_file.read(path)
        except choices_file.UnusableFileError as error:
            self._told = str(error)
            self.problems.append(f"{path} is not used: {error}. Choices are kept for this time only.")
            return
        for section, kind in SECTIONS.items():
            if section in tables:
                choices, problems = choices_file.checked(kind, section, tables[section], path.name)
                setattr(self, section, choices)
                self.problems += problems

    def change(self, section: str, **values: Any) -> None:
        """Remember other values of a section's fields. Raises ConfigError for an impossible value."""
        before = getattr(self, section)
        after = before.with_(**values)
        changes = {(section, name): value for name, value in values.items() if getattr(before, name) != value}
        if not changes:
            return
        setattr(self, section, after)
        with self._lock:
            self._changes.update(changes)
        self.changed()

    def write(self) -> list[str]:
        """Write what has changed since the last time; gives a line for each problem. From any thread."""
        with self._lock:
            changes, self._changes = self._changes, {}
        if self.path is None or not changes:
            return []
        known = False
        try:
            return choices_file.write(self.path, changes)
        except choices_file.UnusableFileError as error:
            problem = f"{self.path} is left as it is: {error}. Choices are kept for this time only."
            known = str(error) == self._told
        except OSError as error:
            problem = f"{self.path} cannot be written: {error.strerror or error}. Choices are kept for this time only."
        with self._lock:  # perhaps it can be later; newer changes win
            self._changes = {**changes, **self._changes}
        return [] if known else [problem]
