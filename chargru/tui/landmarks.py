"""What simple models reach on the same held-out text, in names and words, so that a loss means something."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chargru.events import Landmarks
from chargru.tui.scales import Scale


@dataclass(frozen=True)
class Yardstick:
    """One simple model: its short label, its name in a sentence, its loss in nats."""

    label: str
    name: str
    loss: float


def yardsticks(told: Landmarks | None) -> tuple[Yardstick, ...]:
    """The simple models, the weakest first; none while they are not known, and none that has no finite loss."""
    if told is None:
        return ()
    known = (
        Yardstick("uniform", "guessing evenly", told.uniform),
        Yardstick("letters", "letter frequencies", told.unigram),
        Yardstick("3-gram", "the 3-gram model", told.trigram),
        Yardstick("5-gram", "the 5-gram model", told.fivegram),
    )
    return tuple(sorted((each for each in known if math.isfinite(each.loss)), key=lambda each: -each.loss))


def comparison(told: Landmarks | None, loss: float | None, scale: Scale, *, next_too: bool = True) -> str:
    """A validation loss (nats) in words: which simple model it beats, and how far the next one is; may be empty."""
    known = yardsticks(told)
    if loss is None or not math.isfinite(loss) or not known:
        return ""
    beaten = [each for each in known if loss < each.loss]
    ahead = [each for each in known if loss >= each.loss]
    words = f"better than {beaten[-1].name}" if beaten else f"not yet better than {known[0].name}"
    if ahead and beaten and next_too:
        words += f", {scale.told(loss - ahead[0].loss, 2)} above {ahead[0].name.removesuffix(' model')}"
    return words
