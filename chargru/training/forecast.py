"""What a training will be like, told before it begins: its sizes, how much it reads, and how good it may get.

The sizes are those that `autotune.choose` gives the training. The loss is predicted from the text itself: n-gram models
are counted on it, and a training is expected to go a share q of the way from the loss h of single letters to the loss b
of the best n-gram model (and beyond it, q > 1),

    q = reach − pace · (500 / U)^0.8 − context · r + capacity

after U updates, where r is the part of that way which only contexts of more than two characters gain: long contexts are
learned late. The three coefficients are fitted to real trainings by benchmarks/forecast.py, `capacity` to those of the
recipe; benchmarks/LOG.md tells how well they hold for texts that they were not fitted to, and the range that is given
is made from that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from chargru.config import ModelConfig, TrainingConfig
from chargru.text.stream import fit_shape
from chargru.training import autotune
from chargru.training.difficulty import Difficulty, difficulty, difficulty_of
from chargru.training.material import Material
from chargru.training.speed import characters_in, machine_speed, updates_in

__all__ = [
    "Forecast",
    "features",
    "forecast",
    "forecast_training",
    "likely_loss",
    "loss_after",
    "machine_speed",
    "margin",
    "share_after",
]

VAL_FRACTION = 0.1
COEFFICIENTS = (1.359, -0.222, -0.844)  # of `features`
_FITTED = (30.0, 10_000.0)  # updates of the trainings that were fitted to, from the fewest to the most


@dataclass(frozen=True)
class Forecast:
    """A training of `hidden_size` units in `num_layers` layers that reads about `characters` (`passes` times the text).

    `likely` is the expected validation loss in nats per character; nine of ten trainings should end between `low` and
    `high`. `measured`: the text has a held-out part; without one there is no validation loss, and the three only bound
    what is possible.
    """

    hidden_size: int
    num_layers: int
    characters: float
    passes: float
    low: float
    likely: float
    high: float
    measured: bool = True

    def told(self) -> str:
        """One line: about 4.1 M characters read (3.7 times over), 256 units, likely 1.55 nats (1.41 to 1.69)."""
        units = f"{self.num_layers} × {self.hidden_size}" if self.num_layers > 1 else str(self.hidden_size)
        line = f"about {_short(self.characters)} characters read ({_times(self.passes)}), {units} units, "
        if not self.measured:
            return line + "no part held out to measure on"
        return line + f"likely {self.likely:.2f} nats ({self.low:.2f} to {self.high:.2f})"


def forecast(
    sample: str,
    characters: int,
    vocab_size: int,
    seconds: float,
    speed: float,
    *,
    hidden_size: int | None = None,
    num_layers: int | None = None,
) -> Forecast:
    """What `seconds` of training on a text will be like on a machine of this speed (`machine_speed`).

    Args:
        sample: the text, or its beginning where `characters` says that there is more of it; a megabyte is enough.
        characters: of the whole text, perhaps estimated.
        vocab_size: distinct characters.
        seconds: the time budget.
        speed: floating-point operations a second of the training step.
        hidden_size: units, if they are given by hand.
        num_layers: layers, if they are given by hand.
    """
    characters = max(characters, len(sample), 1)
    n_train = max(1, int(characters * (1 - VAL_FRACTION)))
    sizes = autotune.choose(n_train, vocab_size, characters_in(seconds, vocab_size, speed))
    model = ModelConfig(vocab_size, hidden_size or sizes.hidden_size, num_layers or sizes.num_layers)
    shape = fit_shape(n_train, sizes.batch_size, sizes.seq_len)
    whole = len(sample) >= characters
    hard = difficulty_of(sample, whole=whole, val_fraction=VAL_FRACTION)
    return _forecast(hard, model, shape, n_train, characters - n_train, seconds, speed, whole=whole)


def forecast_training(
    material: Material, model: ModelConfig, training: TrainingConfig, speed: float, *, updates: float | None = None
) -> Forecast:
    """The same for a training that is about to begin, with a budget of time and all sizes known.

    `updates`: how many the budget holds, where it is not this machine's processor that makes them.
    """
    assert training.time is not None
    hard = difficulty(material.train, material.val, model.vocab_size)
    shape = (training.batch_size, training.seq_len)
    sizes = (len(material.train), len(material.val))
    return _forecast(hard, model, shape, *sizes, training.time, speed, whole=True, updates=updates)


def likely_loss(hard: Difficulty, model: ModelConfig, n_train: int, updates: float, characters: float) -> float:
    """The loss to be expected after so many `updates` that read `characters` of a text with `n_train` to learn from."""
    best = hard.best_at(min(n_train, characters))
    weighed = zip(COEFFICIENTS, features(hard, best, updates), strict=True)
    share = sum(weight * value for weight, value in weighed) + capacity(model.hidden_size, model.num_layers)
    return min(math.log(model.vocab_size), loss_after(max(0.0, share), hard.unigram, best))


def features(hard: Difficulty, best: float, updates: float) -> tuple[float, float, float]:
    """1, (500 / U)^0.8, r: what the share q is a weighted sum of."""
    way = max(hard.unigram - best, 1e-9)
    late = min(1.0, max(0.0, (hard.trigram - best) / way))
    return 1.0, (500 / updates) ** 0.8, late


def capacity(hidden_size: int, num_layers: int) -> float:
    """What a second layer, and weights beyond those of 192 units, add to the share."""
    larger = math.log2(hidden_size**2 * (2 * num_layers - 1) / 192**2)
    return 0.036 * min(num_layers - 1, 1) + 0.012 * min(max(0.0, larger), 4.0)


def share_after(loss: float, unigram: float, best: float) -> float:
    """The share q of the way from `unigram` to `best` that a training with this loss has gone."""
    way = max(unigram - best, 1e-9)
    return (unigram - loss) / way if loss >= best else 1 - math.log(loss / best) * best / way


def loss_after(share: float, unigram: float, best: float) -> float:
    """The inverse of `share_after`: beyond the best n-gram model the loss falls ever slower, and never below 0."""
    way = max(unigram - best, 1e-9)
    if share <= 1 or best <= 0:
        return max(best if share > 1 else 0.0, unigram - share * way)
    return best * math.exp(-(share - 1) * way / best)


def _forecast(
    hard: Difficulty | None,
    model: ModelConfig,
    shape: tuple[int, int],
    n_train: int,
    n_val: int,
    seconds: float,
    speed: float,
    *,
    whole: bool,
    updates: float | None = None,
) -> Forecast:
    batch_size, seq_len = shape
    if updates is None:
        updates = updates_in(seconds, model, batch_size, seq_len, n_val, speed)
    characters = updates * batch_size * seq_len
    uniform = math.log(model.vocab_size)
    if hard is None:
        low, likely, high = 0.0, uniform, uniform
    else:
        likely = likely_loss(hard, model, n_train, updates, characters)
        off = margin(hard, hard.best_at(min(n_train, characters)), updates, whole=whole)
        low, high = max(0.0, likely - min(off, 0.5 * likely)), min(uniform, likely + off)
    sizes = (model.hidden_size, model.num_layers)
    return Forecast(*sizes, characters, characters / n_train, low, likely, high, measured=hard is not None)


def margin(hard: Difficulty, best: float, updates: float, *, whole: bool) -> float:
    """How far off the loss may be, in nats: nine of ten of the trainings in benchmarks/LOG.md were nearer."""
    way = hard.unigram - best
    few, many = _FITTED
    outside = max(0.0, math.log(few / updates), math.log(updates / many))  # beyond what was ever tried
    part = way * (0.06 + 0.04 * math.sqrt(500 / updates) + 0.02 * outside + (0.0 if whole else 0.05))
    return part + 2.5 / math.sqrt(hard.measured)


def _short(count: float) -> str:
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= size:
            scaled = count / size
            return f"{scaled:.1f}{letter}" if scaled < 9.95 else f"{scaled:.0f}{letter}"
    return f"{count:.0f}"


def _times(passes: float) -> str:
    if passes < 0.95:
        return f"{100 * passes:.2g} % of the text"
    return f"{passes:.1f} times over" if passes < 99.5 else f"{passes:,.0f} times over"
