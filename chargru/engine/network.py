"""Character ids → row gather → GRU layers → softmax cross-entropy; the loss of a window and every gradient of it.

The batch is cut into shards, one for each thread: a shard does the whole window for its rows with buffers of its own
and writes a gradient of its own; the gradients are then summed. Sums run in the order of the shards, so a window's
result depends on the number of shards and on nothing else.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from chargru.config import ModelConfig
from chargru.engine.parameters import Array, Parameters
from chargru.engine.shard import PackedNetwork, Regularization, Shard
from chargru.engine.threads import Crew


class Network:
    """Windows of T steps and B rows through the model, with the state carried from one to the next.

    `state` (L, B, H) is the hidden state before the next window; `gradients` the last window's.
    """

    def __init__(
        self,
        config: ModelConfig,
        batch_size: int,
        seq_len: int,
        dtype: npt.DTypeLike = np.float32,
        *,
        crew: Crew | None = None,
        train: bool = True,
    ) -> None:
        self.config = config
        self.crew = crew or Crew(1)
        self.shape = (seq_len, batch_size)
        self.state = np.zeros((config.num_layers, batch_size, config.hidden_size), dtype)
        edges = np.linspace(0, batch_size, min(self.crew.workers, batch_size) + 1).round().astype(int)
        self._shards = [
            Shard(config, int(start), int(stop), seq_len, dtype, train=train)
            for start, stop in itertools.pairwise(edges)
        ]
        self._packed = PackedNetwork(config, dtype, train=train)
        self.gradients = self._shards[0].gradients

    def loss_and_gradients(
        self, parameters: Parameters, inputs: Array, targets: Array, drop: Regularization | None = None
    ) -> float:
        """Mean loss (nats per character) of a window of ids (T, B); fills `gradients` and moves `state` on."""
        drop = drop or Regularization()
        self._packed.pack(parameters, drop)
        scale = 1.0 / inputs.size

        def work(part: int) -> float:
            shard = self._shards[part]
            x, y = inputs[:, shard.rows], targets[:, shard.rows]
            losses = shard.forward(self._packed, x, y, self.state[:, shard.rows], drop, part)
            total = float(losses.sum(dtype=np.float64))
            if math.isfinite(total):
                shard.backward(self._packed, x, y, scale, drop.dropout > 0)
            return total

        total = sum(self.crew.map(work, range(len(self._shards))))
        if not math.isfinite(total):
            return math.nan  # the gradients are not worth computing; nobody may use them
        self._sum_gradients()
        if drop.weight_drop > 0:
            assert self.gradients is not None
            self._packed.mask_gradients(self.gradients)
        return total * scale

    def losses(self, parameters: Parameters, inputs: Array, targets: Array, *, pack: bool = True) -> Array:
        """Losses (T, B) in nats of a window of ids (T, B), nothing dropped; moves `state` on.

        `pack=False` when `parameters` have not changed since the last call.
        """
        if pack:
            self._packed.pack(parameters)
        nothing = Regularization()

        def work(part: int) -> Array:
            shard = self._shards[part]
            x, y = inputs[:, shard.rows], targets[:, shard.rows]
            found = shard.forward(self._packed, x, y, self.state[:, shard.rows], nothing, part)
            return found.reshape(x.shape)

        return np.concatenate(self.crew.map(work, range(len(self._shards))), axis=1)

    def _sum_gradients(self) -> None:
        """Add the other shards' gradients to the first one's, a stretch of the buffer for each thread."""
        if len(self._shards) == 1:
            return
        flats = [shard.gradients.flat for shard in self._shards if shard.gradients is not None]
        edges = np.linspace(0, len(flats[0]), len(flats) + 1).astype(int)

        def add(part: int) -> None:
            stretch = slice(edges[part], edges[part + 1])
            for other in flats[1:]:
                flats[0][stretch] += other[stretch]

        self.crew.map(add, range(len(flats)))
