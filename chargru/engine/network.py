"""Character ids → row gather → GRU layers → softmax cross-entropy; the loss of a window and every gradient of it.

The batch is cut into shards, one for each worker, a helper process or a thread: a shard does the whole window for its
rows with buffers of its own and writes a gradient of its own; the gradients are then summed. Sums run in the order of
the shards, so a window's result depends on the number of shards and on nothing else.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from chargru.config import ModelConfig
from chargru.engine.optimizer import LARGE
from chargru.engine.parameters import Array, Parameters, parameter_count
from chargru.engine.remote import RemoteShards, Shared
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
        self._dtype = np.dtype(dtype)
        shards = min(self.crew.workers, batch_size)
        self._edges = [round(edge) for edge in np.linspace(0, batch_size, shards + 1)]
        self._shared = Shared(config, batch_size, seq_len, dtype, shards) if train and self.crew.processes else None
        self._remote: RemoteShards | None = None
        self._gradients: list[Parameters] = []
        if train:
            flats = self._shared.gradients if self._shared else np.zeros((shards, parameter_count(config)), dtype)
            self._gradients = [Parameters(config, dtype, flat) for flat in flats]
        self.gradients = self._gradients[0] if train else None
        state = (config.num_layers, batch_size, config.hidden_size)
        self.state = self._shared.state if self._shared else np.zeros(state, dtype)
        self._shards: dict[int, Shard] = {}  # made when they are needed: a helper's never are
        self._packed = PackedNetwork(config, dtype, train=train)

    def loss_and_gradients(
        self, parameters: Parameters, inputs: Array, targets: Array, drop: Regularization | None = None
    ) -> float:
        """Mean loss (nats per character) of a window of ids (T, B); fills `gradients` and moves `state` on.

        Raises:
            BackendError: a helper process has ended.
        """
        drop = drop or Regularization()
        scale = 1.0 / inputs.size
        remote = self._helped()
        if remote is not None:
            remote.start(parameters.flat, inputs, targets, drop, scale)
        self._packed.pack(parameters, drop, self.crew)

        def work(part: int) -> float:
            return self._shard(part).window(self._packed, inputs, targets, self.state, drop, scale, part)

        if remote is not None:
            total = sum([work(0), *remote.finish()])
        else:
            total = sum(self.crew.map(work, range(len(self._edges) - 1)))
        if not math.isfinite(total):
            return math.nan
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
            self._packed.pack(parameters, crew=self.crew)
        nothing = Regularization()

        def work(part: int) -> Array:
            shard = self._shard(part)
            x, y = inputs[:, shard.rows], targets[:, shard.rows]
            found = shard.forward(self._packed, x, y, self.state[:, shard.rows], nothing, part)
            return found.reshape(x.shape)

        return np.concatenate(self.crew.map(work, range(len(self._edges) - 1)), axis=1)

    def _shard(self, part: int) -> Shard:
        """The shard of one part of the batch, in this process."""
        if part not in self._shards:
            gradients = self._gradients[part] if self._gradients else None
            start, stop = self._edges[part : part + 2]
            self._shards[part] = Shard(self.config, start, stop, self.shape[0], self._dtype, gradients)
        return self._shards[part]

    def _helped(self) -> RemoteShards | None:
        """The other shards in the crew's helpers, while it has some."""
        helpers = self.crew.helpers
        if helpers is None or self._shared is None or len(self._gradients) < 2:
            return None
        if self._remote is None or self._remote.helpers is not helpers:
            self._remote = RemoteShards(helpers, self._shared, self.config, self._edges)
        return self._remote

    def _sum_gradients(self) -> None:
        """Add the other shards' gradients to the first one's, if they are large a stretch for each thread."""
        flats = [gradients.flat for gradients in self._gradients]
        if len(flats) == 1:
            return
        parts = len(flats) if len(flats[0]) >= LARGE else 1
        edges = np.linspace(0, len(flats[0]), parts + 1).astype(int)

        def add(part: int) -> None:
            stretch = slice(edges[part], edges[part + 1])
            for other in flats[1:]:
                flats[0][stretch] += other[stretch]

        self.crew.map(add, range(parts))
