"""How well a model predicts a text: nats and bits per character, by protocol.

`stream`: one stateful pass over the text, from a cold state. It is computed in parallel lanes, each warmed on the
`WARM_UP` characters before it, which are not scored: after that many the state of these networks no longer depends on
where it began (the tests hold it to the plain pass within 1e-4).

`window`: every window of `window` characters from a cold state, as nanoGPT evaluates, but all windows, in order,
instead of a random choice.

Both score every character of the text but its first, which nothing precedes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from chargru.config import ModelConfig
from chargru.engine import Crew, Network, Parameters

WARM_UP = 512
QUICK_WARM_UP = 128  # for a small part of the text, on the way: the curve does not show the difference
_LANES = 64
_STEPS = 64

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Score:
    """A mean loss over `chars` characters."""

    nats_per_char: float
    chars: int
    protocol: str

    @property
    def bits_per_char(self) -> float:
        return self.nats_per_char / math.log(2)

    @property
    def perplexity(self) -> float:
        return math.exp(min(self.nats_per_char, 700.0))

    def to_record(self) -> dict[str, Any]:
        """The object that `chargru eval --json` prints."""
        return {
            "nats_per_char": self.nats_per_char,
            "bits_per_char": self.bits_per_char,
            "perplexity": self.perplexity,
            "chars": self.chars,
            "protocol": self.protocol,
        }


class Scorer(Protocol):
    """A network that only scores: so many steps at a time of so many rows of text side by side."""

    @property
    def shape(self) -> tuple[int, int]:
        """(steps, rows)"""

    def forget(self) -> None:
        """Begin from a cold state."""

    def losses(self, parameters: Parameters, inputs: Array, targets: Array, *, pack: bool = True) -> Array:
        """As `engine.Network.losses`; ids and losses (steps, rows) are on the host."""


Scorers = Callable[[ModelConfig, int, int], Scorer]
"""Makes a scorer of a model for so many rows and steps."""


def on_processor(crew: Crew | None, dtype: npt.DTypeLike) -> Scorers:
    """Scorers that compute with NumPy."""
    return lambda config, rows, steps: _Scoring(config, rows, steps, dtype, crew=crew, train=False)


class _Scoring(Network):
    def forget(self) -> None:
        self.state.fill(0)


class Lane(NamedTuple):
    """Positions begin..end−1 are read from a cold state; predictions made at `scored` and later count."""

    begin: int
    scored: int
    end: int


def stream_lanes(predictions: int, limit: int | None = None) -> list[Lane]:
    """Lanes of the stream protocol over a text with so many predictions (its length less one).

    With a `limit`, about that many predictions in stretches spread evenly over the text.
    """
    small = limit is not None and limit < _LANES * 4 * WARM_UP
    warm_up = QUICK_WARM_UP if small else WARM_UP
    most = _LANES if limit is None else max(1, limit // warm_up)  # the warm-up never costs more than the scoring
    count = max(1, min(_LANES, most, predictions // warm_up))
    starts = [predictions * lane // count for lane in range(count + 1)]
    scored = max(1, math.ceil((limit or predictions) / count))
    return [
        Lane(max(0, start - warm_up), start, min(stop, start + scored)) for start, stop in itertools.pairwise(starts)
    ]


def window_lanes(predictions: int, window: int) -> list[Lane]:
    """Lanes of the window protocol."""
    return [Lane(start, start, min(start + window, predictions)) for start in range(0, predictions, window)]


def evaluate(
    parameters: Parameters,
    ids: Array,
    *,
    protocol: str = "stream",
    window: int = 256,
    limit: int | None = None,
    crew: Crew | None = None,
    scorers: Scorers | None = None,
    advance: Callable[[int], object] | None = None,
) -> Score | None:
    """Score `ids` (n,), nothing of the model or of anybody's training state is changed; None when n < 2.

    `limit` (stream only) scores about so many characters, spread over the text. `scorers` are NumPy's, on `crew`, if
    there are no others. `advance` is told how many characters were scored since it was last called.

    Raises:
        ValueError: an unknown protocol, or a window below 1.
    """
    if protocol not in ("stream", "window") or window < 1:
        raise ValueError(f"no such protocol: {protocol} {window}")
    predictions = len(ids) - 1
    if predictions < 1:
        return None
    lanes = stream_lanes(predictions, limit) if protocol == "stream" else window_lanes(predictions, window)
    rows = min(_LANES, len(lanes))
    steps = min(_STEPS, max(lane.end - lane.begin for lane in lanes))
    network = (scorers or on_processor(crew, parameters.flat.dtype))(parameters.config, rows, steps)
    total, counted, packed = [0.0], 0, False
    for first in range(0, len(lanes), rows):
        for losses in _group(network, parameters, ids, lanes[first : first + rows], pack=not packed):
            packed = True
            total.append(float(losses.sum(dtype=np.float64)))
            counted += losses.size
            if advance is not None:
                advance(losses.size)
    return Score(math.fsum(total) / counted, counted, protocol)


def _group(network: Scorer, parameters: Parameters, ids: Array, lanes: Sequence[Lane], *, pack: bool) -> Any:
    """Yield the scored losses of lanes that run side by side, window for window."""
    steps, rows = network.shape
    begin = np.array([lane.begin for lane in lanes])
    scored = np.array([lane.scored for lane in lanes])
    end = np.array([lane.end for lane in lanes])
    inputs = np.zeros((steps, rows), np.intp)
    targets = np.zeros((steps, rows), np.intp)
    network.forget()
    last = len(ids) - 2
    for start in range(0, int((end - begin).max()), steps):
        at = begin + np.arange(start, start + steps)[:, None]  # (steps, lanes)
        read = np.minimum(at, last)  # lanes that are through read on where it does not count
        inputs[:, : len(lanes)] = ids[read]
        targets[:, : len(lanes)] = ids[read + 1]
        losses = network.losses(parameters, inputs, targets, pack=pack and start == 0)
        yield losses[:, : len(lanes)][(at >= scored) & (at < end)]
