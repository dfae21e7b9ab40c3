"""`chargru.engine.network.Network` once more, on a device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from chargru.config import ModelConfig
from chargru.engine.device import Device
from chargru.engine.device_memory import network_bytes, told_if_full
from chargru.engine.dropout import kept_levels
from chargru.engine.fused import update_launches as update
from chargru.engine.fused import window_launches as into
from chargru.engine.fused.cupy_gru import Work, in_graphs, run
from chargru.engine.fused.kernels import DeviceArray, check
from chargru.engine.fused.variants import chosen, make_layer, make_sequence
from chargru.engine.parameters import Array, Parameters, parameter_count
from chargru.engine.shard import Regularization

_Plan = tuple[list[Work], list[Work], DeviceArray]


class DeviceNetwork:
    """As `engine.network.Network`, arrays on the device.

    `state` (L, B, H) is the hidden state before the next window; `gradients` (a flat device buffer with named views)
    the last window's, None without `train`. `variant` is one of `fused.variants`, or None for the quickest.

    A window is a plan: a list of launches and products over buffers that never move, made at the first window and
    gone through at every later one. Unless it is "gemm", whatever stands between two products is one graph.

    Raises:
        BackendError: the device's memory is too small; the message tells sizes that would fit.
    """

    def __init__(
        self,
        device: Device,
        config: ModelConfig,
        batch_size: int,
        seq_len: int,
        *,
        train: bool = True,
        variant: str | None = None,
        needed: Callable[[int], int] | None = None,
    ) -> None:
        """`needed(batch_size)`: the bytes of all that this is a part of, to be told when the memory is full."""
        self.device, self.config, self.shape = device, config, (seq_len, batch_size)
        self._train = train
        self.launches = 0
        """What the last `window` queued: kernels, graphs and products."""
        self._plans: dict[tuple[object, ...], _Plan] = {}
        needed = needed or partial(_bytes, config, seq_len, train, device.precision)
        with device.active(), told_if_full(device, batch_size, needed):
            self.variant = variant or chosen(device, batch_size, config.hidden_size)
            self._allocate()

    def _allocate(self) -> None:
        config, (T, B), xp = self.config, self.shape, self.device.xp
        V, H, L, N = config.vocab_size, config.hidden_size, config.num_layers, T * B
        self.inputs, self.targets = xp.zeros((T, B), "int32"), xp.zeros((T, B), "int32")
        self.state = xp.zeros((L, B, H), "float32")
        self.counters, self.rates = xp.zeros(into.COUNTERS, "int64"), xp.zeros(into.RATES, "float32")
        good = np.zeros(into.VERDICT, np.float32)
        good[update.OK] = 1.0
        self.verdict = xp.empty(into.VERDICT, "float32")
        self.device.copy(good, self.verdict)  # whoever judges its updates writes another
        self.h = xp.empty((L, T + 1, B, H), "float32")
        self._weights = [make_layer(self.device, self.variant, H, train=self._train) for _ in range(L)]
        self._layers = [
            make_sequence(self.device, self.variant, weights, h, train=self._train)
            for weights, h in zip(self._weights, self.h, strict=True)
        ]
        self._logits, self._losses = xp.empty((N, V), "float32"), xp.empty(N, "float32")
        self._partial = xp.empty(update.PARTS, "float64")
        self.ending = into.end_states(self.device.launcher, self.h, self.state, self.verdict)
        self.gradients: Parameters | None = None
        if self._train:
            self.gradients = Parameters(config, buffer=xp.zeros(parameter_count(config), "float32"))
            self._dropped = xp.empty((N, H), "float32")
            self._columns = xp.empty(into.column_parts(N) * max(3 * H, V), "float32")

    def loss_and_gradients(
        self, parameters: Parameters, inputs: DeviceArray, targets: DeviceArray, drop: Regularization | None = None
    ) -> DeviceArray:
        """Mean loss (nats per character) of a window: a device array () of float32, never waited for.

        `inputs` and `targets` are device int32 (T, B), `parameters` over a device buffer. Fills `gradients` and moves
        `state` on. The loss is overwritten by the next window.
        """
        drop = drop or Regularization()
        with self.device.active():
            self._take(inputs, targets)
            words = (drop.seed, drop.step, 0, 0)
            into.set_update(self.device.launcher, self.counters, self.rates, words, (0.0, 0.0, 0.0, 0.0))()
            self.window(parameters, drop.dropout, drop.weight_drop)
            self.ending()
            return self.verdict[update.LOSS : update.LOSS + 1].reshape(())

    def losses(self, parameters: Parameters, inputs: DeviceArray, targets: DeviceArray, *, pack: bool = True) -> Array:
        """Losses (T, B) in nats on the host, nothing dropped; moves `state` on.

        `pack=False` when `parameters` have not changed since the last call.
        """
        with self.device.active():
            self._take(inputs, targets)
            packing, work, _ = self._plan(parameters, 0.0, 0.0, 0.0, gradients=False)
            if pack:
                run(packing)
            run(work)
            self.ending()
            return self.device.host(self._losses).reshape(self.shape)

    def window(self, parameters: Parameters, dropout: float, weight_drop: float, forget: float = 0.0) -> None:
        """Loss and gradients of the window in `inputs` and `targets`; `state` is moved on by `ending`, not yet by this.

        The loss goes into the verdict; random numbers are those of the seed and step among the counters. Stands
        inside `device.active()`.
        """
        packing, work, _ = self._plan(parameters, dropout, weight_drop, forget, gradients=True)
        self.launches = len(packing) + len(work)
        run(packing)
        run(work)

    def grouped(self, work: Sequence[Work]) -> list[Work]:
        """The same work in as few launches as this variant can."""
        return list(work) if self.variant == "gemm" else in_graphs(self.device, work)

    def _take(self, inputs: DeviceArray, targets: DeviceArray) -> None:
        for own, given in ((self.inputs, inputs), (self.targets, targets)):
            check("a window's ids", given, np.int32, *self.shape)
            if given is not own:
                self.device.xp.copyto(own, given)

    def _plan(
        self, parameters: Parameters, dropout: float, weight_drop: float, forget: float, *, gradients: bool
    ) -> _Plan:
        """What is done for a window with these parameters: their packing, and the rest; and the buffer they lie in."""
        key = (id(parameters.flat), dropout, weight_drop, forget, gradients)
        if key not in self._plans:
            check("parameters", parameters.flat, np.float32, parameter_count(self.config))
            kept = kept_levels(weight_drop)
            packing: list[Work] = []
            for i, weights in enumerate(self._weights):
                packing += weights.packing(parameters, i, self.counters, kept)
            work = self._forward(parameters, kept_levels(dropout), forget, gradients)
            if gradients:
                work += self._backward(parameters, kept_levels(dropout), kept)
            # the plan keeps the buffer, so no other one takes over its id
            plan = (self.grouped(packing), self.grouped(work), parameters.flat)
            self._plans = {key: plan} | dict(list(self._plans.items())[:3])
        return self._plans[key]

    def _top(self, kept: int) -> DeviceArray:
        """What the output sees, (N, H): the last layer's states, or what dropout leaves of them."""
        return self._dropped if kept < into.LEVELS else self._states(len(self._layers) - 1)

    def _states(self, i: int) -> DeviceArray:
        """The states of layer i after every step, (N, H)."""
        return self.h[i, 1:].reshape(-1, self.config.hidden_size)

    def _forward(self, parameters: Parameters, kept: int, forget: float, gradients: bool) -> list[Work]:
        launcher, product, N = self.device.launcher, self.device.product, self.shape[0] * self.shape[1]
        work: list[Work] = [into.begin_states(launcher, self.state, self.h, self.counters, forget)]
        for i, layer in enumerate(self._layers):
            a, W = layer.a.reshape(N, -1), parameters[f"layers.{i}.W"]
            if i == 0:
                work.append(into.gather_rows(launcher, W, self.inputs.reshape(-1), a))
            else:
                work.append(product(self._states(i - 1), W, a))
            work += layer.forward
        last = self._states(len(self._layers) - 1)
        if kept < into.LEVELS:
            work.append(into.drop(launcher, last, self._dropped, self.counters, into.OUTPUT_MASK, kept))
        work.append(product(self._top(kept), parameters["output.W_y"], self._logits))
        b_y, targets = parameters["output.b_y"], self.targets.reshape(-1)
        scale = 1.0 / N if gradients else None
        work.append(into.cross_entropy(launcher, self._logits, b_y, targets, self._losses, scale))
        work += update.total(launcher, self._losses, self._partial, self.verdict, update.LOSS, scale=1.0 / N)
        return work

    def _backward(self, parameters: Parameters, kept: int, kept_weights: int) -> list[Work]:
        launcher, product, N = self.device.launcher, self.device.product, self.shape[0] * self.shape[1]
        gradients = self.gradients
        assert gradients is not None
        top, last = self._top(kept), self._layers[-1]
        dh = last.dh.reshape(N, -1)
        work: list[Work] = [
            product(top.T, self._logits, gradients["output.W_y"]),
            product(self._logits, parameters["output.W_y"].T, dh),
            *self._sum_columns(self._logits, gradients["output.b_y"]),
        ]
        if kept < into.LEVELS:
            work.append(into.drop(launcher, dh, dh, self.counters, into.OUTPUT_MASK, kept))
        for i in reversed(range(len(self._layers))):
            layer, dW = self._layers[i], gradients[f"layers.{i}.W"]
            da = layer.da.reshape(N, -1)
            work += layer.backward
            work += self._sum_columns(da, gradients[f"layers.{i}.b"])
            if i == 0:
                work.append(into.sum_rows_by_id(launcher, self.inputs.reshape(-1), da, dW))
            else:
                below = self._layers[i - 1].dh.reshape(N, -1)
                work.append(product(self._states(i - 1).T, da, dW))
                work.append(product(da, parameters[f"layers.{i}.W"].T, below))
            work += layer.recurrent_gradients(gradients[f"layers.{i}.U_zr"], gradients[f"layers.{i}.U_h"])
            if kept_weights < into.LEVELS:
                work += self._weights[i].masking(gradients, i, self.counters, kept_weights)
        return work

    def _sum_columns(self, source: DeviceArray, out: DeviceArray) -> tuple[Work, Work]:
        count, width = source.shape
        partial_sums = self._columns[: into.column_parts(count) * width]
        return into.sum_columns(self.device.launcher, source, partial_sums, out)


def _bytes(config: ModelConfig, seq_len: int, train: bool, precision: str, batch_size: int) -> int:
    return network_bytes(config, batch_size, seq_len, precision, train=train)
