"""A network's shards in helper processes: what they share, and both ends of it."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.config import ModelConfig
from chargru.engine.arena import Arena
from chargru.engine.helpers import Helpers
from chargru.engine.parameters import Array, Parameters, parameter_count
from chargru.engine.shard import PackedNetwork, Regularization, Shard

_keys = itertools.count()


class Shared:
    """What a network of `shards` shards and its helpers have in common.

    `weights` (P,), `gradients` (shards, P), `state` (L, B, H) and `ids` (2, T, B), inputs and targets.
    """

    def __init__(
        self,
        config: ModelConfig,
        batch_size: int,
        seq_len: int,
        dtype: npt.DTypeLike,
        shards: int,
        descriptor: int | None = None,
    ) -> None:
        P = parameter_count(config)
        state = (config.num_layers, batch_size, config.hidden_size)
        self.arena = Arena(
            [((P,), dtype), ((shards, P), dtype), (state, dtype), ((2, seq_len, batch_size), np.intp)], descriptor
        )
        self.weights, self.gradients, self.state, self.ids = self.arena.arrays


class RemoteShards:
    """This process's end: all shards but the first, each in a helper."""

    def __init__(self, helpers: Helpers, shared: Shared, config: ModelConfig, edges: list[int]) -> None:
        """Have `helpers` make the shards [edges[i], edges[i + 1]) of the batch, i ≥ 1."""
        self.helpers, self._shared, self._key = helpers, shared, next(_keys)
        _, T, B = shared.ids.shape
        build = {
            "op": "build",
            "network": self._key,
            "config": dataclasses.asdict(config),
            "batch_size": B,
            "seq_len": T,
            "dtype": shared.weights.dtype.name,
            "edges": edges,
        }
        helpers.tell([build | {"part": part} for part in self._parts()], [shared.arena.descriptor])
        helpers.hear()

    def start(self, weights: Array, inputs: Array, targets: Array, drop: Regularization, scale: float) -> None:
        """Begin a window; `finish` ends it. The state is the shared one."""
        shared = self._shared
        shared.weights[:], shared.ids[0], shared.ids[1] = weights, inputs, targets
        window = {"op": "window", "network": self._key, "drop": dataclasses.asdict(drop), "scale": scale}
        self.helpers.tell([window for _ in self._parts()])

    def finish(self) -> list[float]:
        """The sums of the shards' losses; their gradients lie in the shared memory."""
        return [float(total) for total in self.helpers.hear()]

    def _parts(self) -> range:
        return range(1, len(self._shared.gradients))


class RemoteShard:
    """A helper's end: one shard, its gradients and its part of the state in shared memory."""

    def __init__(
        self,
        *,
        config: dict[str, Any],
        batch_size: int,
        seq_len: int,
        dtype: str,
        edges: list[int],
        part: int,
        descriptor: int,
    ) -> None:
        model = ModelConfig(**config)
        self._shared = Shared(model, batch_size, seq_len, dtype, len(edges) - 1, descriptor)
        self._shared.arena.close()
        self._part = part
        gradients = Parameters(model, dtype, self._shared.gradients[part])
        self._shard = Shard(model, edges[part], edges[part + 1], seq_len, dtype, gradients)
        self._packed = PackedNetwork(model, dtype, train=True)
        self._parameters = Parameters(model, dtype, self._shared.weights)

    def window(self, drop: dict[str, Any], scale: float) -> float:
        """One window, forward and back; the sum of its losses, in nats."""
        regularization = Regularization(**drop)
        self._packed.pack(self._parameters, regularization)
        ids, state = self._shared.ids, self._shared.state
        return self._shard.window(self._packed, ids[0], ids[1], state, regularization, scale, self._part)
