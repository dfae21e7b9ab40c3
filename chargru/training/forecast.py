"""What a training will be like, told before it begins: its sizes, how much it reads, and how good it may get.

The sizes are those that the training's machine chooses, the loss is that of `chargru.training.likely`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from chargru.config import ModelConfig
from chargru.text.stream import fit_shape
from chargru.training.likely import likely_loss, margin
from chargru.training.machines import Machine
from chargru.training.prior import VAL_FRACTION, Prior


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
    prior: Prior | None,
    characters: int,
    vocab_size: int,
    seconds: float,
    machine: Machine,
    *,
    hidden_size: int | None = None,
    num_layers: int | None = None,
) -> Forecast:
    """What `seconds` of training on a text will be like on a machine.

    Args:
        prior: what is known of the text; None where it is too short to hold a part out.
        characters: of the whole text, perhaps estimated.
        vocab_size: distinct characters.
        seconds: the time budget.
        machine: what computes it.
        hidden_size: units, if they are given by hand.
        num_layers: layers, if they are given by hand.
    """
    characters = max(characters, 1)
    n_train = max(1, int(characters * (1 - VAL_FRACTION)))
    sizes = machine.sizes(seconds, n_train, vocab_size)
    model = ModelConfig(vocab_size, hidden_size or sizes.hidden_size, num_layers or sizes.num_layers)
    batch_size, seq_len = fit_shape(n_train, sizes.batch_size, sizes.seq_len)
    updates = machine.updates_in(seconds, model, batch_size, seq_len, characters - n_train)
    return forecast_training(prior, model, n_train, updates, updates * batch_size * seq_len)


def forecast_training(
    prior: Prior | None, model: ModelConfig, n_train: int, updates: float, characters: float
) -> Forecast:
    """The same for a training of known size: so many `updates` that read `characters` of a text of `n_train`."""
    uniform = math.log(model.vocab_size)
    if prior is None:
        low, likely, high = 0.0, uniform, uniform
    else:
        likely = likely_loss(prior, model, n_train, updates, characters)
        off = margin(prior, likely, n_train, updates, characters)
        low, high = max(0.0, likely - min(off, 0.5 * likely)), min(uniform, likely + off)
    sizes = (model.hidden_size, model.num_layers)
    return Forecast(*sizes, characters, characters / n_train, low, likely, high, measured=prior is not None)


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
