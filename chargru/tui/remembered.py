"""What the app remembers from one time to the next: the last choices, and how the user likes it to look.

One dataclass a section, checked field by field like every other setting. `Remembered(None)` keeps them for this time
only; with a path they are read from that TOML file and written back to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chargru.config import Settings, setting


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


SECTIONS: dict[str, type[Settings]] = {
    "app": AppChoices,
    "corpus": CorpusChoices,
    "chart": ChartChoices,
    "play": PlayChoices,
}


@dataclass
class Remembered:
    """The choices, one attribute a section; `change` replaces fields of a section and keeps the file up to date."""

    path: Path | None
    app: AppChoices = field(default_factory=AppChoices)
    corpus: CorpusChoices = field(default_factory=CorpusChoices)
    chart: ChartChoices = field(default_factory=ChartChoices)
    play: PlayChoices = field(default_factory=PlayChoices)

    def change(self, section: str, **values: Any) -> None:
        """Remember other values of a section's fields. Raises ConfigError for an impossible value."""
        setattr(self, section, getattr(self, section).with_(**values))
