"""Everything that an update changes, on the device: the host queues updates and reads losses now and then."""

from __future__ import annotations

import math

import numpy as np

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine.device import Device
from chargru.engine.device_memory import HISTORY, lesson_bytes, told_if_full
from chargru.engine.device_network import DeviceNetwork
from chargru.engine.fused import update_launches as update
from chargru.engine.fused import window_launches as into
from chargru.engine.fused.cupy_gru import run
from chargru.engine.fused.kernels import DeviceArray
from chargru.engine.parameters import Array, Parameters, parameter_count

_STRETCH = 1 << 24  # ids that are copied at once


class DeviceAdam:
    """`engine.optimizer.Adam` on a device: one kernel over flat buffers, clipping and averaging included.

    The same arithmetic, but nothing moves when the verdict on the update is not a good one.
    """

    def __init__(self, device: Device, model: ModelConfig, config: TrainingConfig, network: DeviceNetwork) -> None:
        count, xp = parameter_count(model), device.xp
        self._config, self._network = config, network
        self.parameters = Parameters(model, buffer=xp.zeros(count, "float32"))
        self.averaged = Parameters(model, buffer=xp.zeros(count, "float32"))
        self.m, self.v = xp.zeros(count, "float32"), xp.zeros(count, "float32")
        assert network.gradients is not None
        flats = (self.parameters.flat, self.averaged.flat, self.m, self.v, network.gradients.flat)
        decayed = device.array(Parameters(model).decayed()) if config.weight_decay else None
        self.update = update.adam(device.launcher, *flats, decayed, network.rates, network.verdict, config)

    def rates(self, step: int, learning_rate: float) -> tuple[float, float, float, float]:
        """Rate, epsilon, shrink and average of update number `step` (from 1 on), see `engine.optimizer.Adam`."""
        config = self._config
        correction = math.sqrt(1 - config.beta2**step)
        average = 1 - min(config.averaging, step / (10 + step)) if config.averaging else 1.0
        rate = learning_rate * correction / (1 - config.beta1**step)
        return rate, config.epsilon * correction, learning_rate * config.weight_decay, average


class DeviceLesson:
    """Weights, averages, both moments, hidden state, place in the text and dropout counters, all on the device.

    `step` and `position` are the host's counters: updates queued, characters that each reader has consumed. An update
    whose loss or gradient is not finite changes nothing on the device (but both counters move on), and `collect`
    tells of it.

    Raises:
        BackendError: the device's memory is too small; the message tells sizes that would fit.
        ValueError: ids outside the vocabulary, or none; arrays of another model.
    """

    def __init__(
        self,
        device: Device,
        ids: Array,
        model: ModelConfig,
        training: TrainingConfig,
        *,
        arrays: tuple[Array, ...] | None = None,
        step: int = 0,
        position: int = 0,
        variant: str | None = None,
    ) -> None:
        """`ids` (n,) are the training text's; `arrays` those of a checkpoint, as `arrays()` returns them."""
        if ids.ndim != 1 or len(ids) == 0 or ids.min() < 0 or ids.max() >= model.vocab_size:
            raise ValueError("ids must be a row of at least one id of the vocabulary")
        if training.dtype != "float32":
            raise ValueError("a device computes in float32 only")
        self.device, self.model, self.training = device, model, training
        self.step, self.position = step, position
        self._seen: list[tuple[float, float]] = []  # collected before anybody asked
        self._queued = 0  # updates in the device's history
        T, B = training.seq_len, training.batch_size

        def needed(rows: int) -> int:
            return lesson_bytes(model, rows, T, len(ids), device.precision, decay=training.weight_decay > 0)

        with device.active(), told_if_full(device, B, needed):
            self._ids = _uploaded(device, ids)
            self.network = DeviceNetwork(device, model, B, T, variant=variant, needed=needed)
            self._adam = DeviceAdam(device, model, training, self.network)
            self._history = device.xp.zeros((HISTORY, 2), "float32")
            self._good = tuple(device.xp.empty(each.shape, "float32") for each in self._arrays())
            partials = device.xp.empty(update.PARTS, "float64")
        network, launcher = self.network, device.launcher
        assert network.gradients is not None
        self._window = into.window(launcher, self._ids, network.counters, network.inputs, network.targets)
        gradients = network.gradients.flat
        self._finish = network.grouped(
            [
                *update.total(launcher, gradients, partials, network.verdict, update.NORM, norm=True),
                update.judge(launcher, network.verdict, network.counters, self._history, training.clip_norm),
                self._adam.update,
                network.ending,
            ]
        )
        if arrays is None:
            initial = Parameters.initial(model, training.seed).flat
            empty = np.zeros_like(initial)
            state = np.zeros((model.num_layers, B, model.hidden_size), np.float32)
            arrays = (initial, initial, empty, empty, state)
        self.load(arrays, step, position)
        self.remember()

    @property
    def parameters(self) -> Parameters:
        """The weights being trained, over a device buffer."""
        return self._adam.parameters

    @property
    def averaged(self) -> Parameters:
        """The averaged weights, over a device buffer: what is evaluated and sampled."""
        return self._adam.averaged

    @property
    def epoch(self) -> float:
        """How often the text has been read so far, all readers together."""
        return self.position * self.training.batch_size / len(self._ids)

    @property
    def launches(self) -> int:
        """What an update queues, about: kernels, graphs and products."""
        return self.network.launches + len(self._finish) + 2

    def update(self, rate: float) -> None:
        """Queue one update at this learning rate; never waits (but see `HISTORY`)."""
        training, network = self.training, self.network
        with self.device.active():
            if self._queued == HISTORY:
                self._harvest()
            words = (training.seed, self.step, self.position, self._queued)
            numbers = self._adam.rates(self.step + 1, rate)
            into.set_update(self.device.launcher, network.counters, network.rates, words, numbers)()
            self._window()
            network.window(self.parameters, training.dropout, training.weight_drop, training.state_reset)
            run(self._finish)
        self.step += 1
        self.position += training.seq_len
        self._queued += 1

    def collect(self) -> list[tuple[float, float]]:
        """Wait; (loss in nats per character, gradient norm) of each update since the last call, nan if not finite."""
        with self.device.active():
            self._harvest()
        found, self._seen = self._seen, []
        return found

    def arrays(self) -> tuple[Array, ...]:
        """Host copies: weights, averaged, m, v (P,) each, and state (L, B, H)."""
        with self.device.active():
            return tuple(self.device.host(each) for each in self._arrays())

    def load(self, arrays: tuple[Array, ...], step: int, position: int) -> None:
        """Take all of that over from host arrays.

        Raises:
            ValueError: arrays of another model or batch.
        """
        current = self._arrays()
        for array, to in zip(arrays, current, strict=True):
            if array.shape != to.shape:
                raise ValueError(f"an array of shape {to.shape} is needed, not {array.shape}")
        with self.device.active():
            for array, to in zip(arrays, current, strict=True):
                self.device.copy(np.ascontiguousarray(array, np.float32), to)
        self.step, self.position = step, position

    def remember(self) -> None:
        """This state is a good one to fall back to: kept on the device."""
        with self.device.active():
            for array, to in zip(self._arrays(), self._good, strict=True):
                self.device.xp.copyto(to, array)
        self._good_counters = (self.step, self.position)

    def fall_back(self) -> None:
        """Return to the last state that was remembered, the counters too."""
        with self.device.active():
            for array, to in zip(self._good, self._arrays(), strict=True):
                self.device.xp.copyto(to, array)
        self.step, self.position = self._good_counters

    def _arrays(self) -> tuple[DeviceArray, ...]:
        adam = self._adam
        return (adam.parameters.flat, adam.averaged.flat, adam.m, adam.v, self.network.state)

    def _harvest(self) -> None:
        """Fetch what the device remembers of losses and norms."""
        if self._queued:
            lines = self.device.host(self._history[: self._queued])
            self._seen += [(float(loss), float(norm)) for loss, norm in lines]
            self._queued = 0


def _uploaded(device: Device, ids: Array) -> DeviceArray:
    """The ids (n,) on the device as int32, in stretches: those of a large text are a memory map, and stay one here."""
    found = device.xp.empty(len(ids), "int32")
    for start in range(0, len(ids), _STRETCH):
        stretch = slice(start, start + _STRETCH)
        device.copy(np.asarray(ids[stretch], np.int32), found[stretch])
    return found
