"""A run's validation loss in a few cells of a table."""

from __future__ import annotations

from collections.abc import Sequence

from chargru.storage.sparkline import levels
from chargru.tui.glyphs import Glyphs


def sparkline(losses: Sequence[float], cells: int, alphabet: Glyphs) -> str:
    """The curve drawn with the alphabet's ramp; empty for fewer than two values."""
    if len(losses) < 2:
        return ""
    return "".join(alphabet.ramp[level] for level in levels(losses, cells, len(alphabet.ramp)))
