"""Many prompts, many completions each, drawn on the device one character at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from chargru.config import ModelConfig, SamplingConfig
from chargru.engine.device import Device
from chargru.engine.device_memory import told_if_full
from chargru.engine.fused import cell_launches as cell
from chargru.engine.fused import update_launches as update
from chargru.engine.fused import window_launches as into
from chargru.engine.fused.cupy_gru import Work, run
from chargru.engine.fused.kernels import DeviceArray
from chargru.engine.parameters import Array, Parameters, parameter_count


class Chunk(NamedTuple):
    """The next n characters of every completion, on the host: `ids` (N, n) int32, `nats` (N, n) float32.

    `nats` is each character's surprisal under the model at temperature 1.
    """

    ids: Array
    nats: Array


def sample_many(
    device: Device,
    parameters: Parameters,
    prompts: Sequence[Array],
    config: SamplingConfig,
    *,
    chunk: int = 32,
) -> Iterator[Chunk]:
    """`config.count` completions of each prompt, `config.length` characters each, up to `chunk` at a time.

    `parameters` is over a host or a device buffer; a prompt is a row of at least one id. Row p·count + c of a chunk is
    completion c of prompt p. `config.stop` is the caller's to look for: it may stop iterating at any time.

    Raises:
        BackendError: the device's memory is too small.
        ValueError: no prompt, an empty one, or ids outside the vocabulary.
    """
    V = parameters.config.vocab_size
    for prompt in prompts:
        if len(prompt) == 0 or min(prompt) < 0 or max(prompt) >= V:
            raise ValueError("a prompt is a row of at least one id of the vocabulary")
    if not prompts:
        raise ValueError("there is no prompt")
    return _sample(device, parameters, prompts, config, chunk)


def _sample(
    device: Device, parameters: Parameters, prompts: Sequence[Array], config: SamplingConfig, chunk: int
) -> Iterator[Chunk]:
    sampler = DeviceSampler(device, parameters, len(prompts) * config.count, config, slots=chunk)
    sampler.read([prompt for prompt in prompts for _ in range(config.count)])
    for start in range(0, config.length, chunk):
        yield sampler.write(min(chunk, config.length - start))


class DeviceSampler:
    """N states side by side. A character is one graph: logits, the draw, and the states moved on past what was drawn.

    All of it are our own kernels, products too: cuBLAS cannot be captured, and N rows are few. Random numbers are
    counted by row and character, so a completion does not depend on how many are made or in what chunks.
    """

    def __init__(
        self, device: Device, parameters: Parameters, rows: int, config: SamplingConfig, *, slots: int = 32
    ) -> None:
        """`slots` characters are kept on the device until they are fetched."""
        model, xp = parameters.config, device.xp
        V, H, L, N = model.vocab_size, model.hidden_size, model.num_layers, rows
        self._device, self._rows, self._slots = device, rows, slots
        seed = np.random.SeedSequence().entropy if config.seed is None else config.seed
        self._seed = int(seed or 0) % 2**63  # type: ignore[arg-type]
        self._layers = L
        with device.active(), told_if_full(device, N, partial(_bytes, model, slots), _hint):
            on_host = isinstance(parameters.flat, np.ndarray) and xp.ndarray is not np.ndarray
            flat = device.array(parameters.flat) if on_host else parameters.flat
            self._parameters = Parameters(model, buffer=flat)
            self._counters, self._rates = xp.zeros(into.COUNTERS, "int64"), xp.zeros(into.RATES, "float32")
            self._ids = xp.zeros(N, "int32")
            self._state = xp.zeros((L, N, H), "float32")
            self._a, self._s = xp.empty((N, 3 * H), "float32"), xp.empty((N, H), "float32")
            self._logits, self._weights = xp.empty((N, V), "float32"), xp.empty((N, V), "float64")
            self._written = xp.zeros((slots, N), "int32")
            self._nats = xp.zeros((slots, N), "float32")
        reading = self._reading()
        self._hold: Work = update.hold_states(device.launcher, self._state, self._ids)
        self._read_step = device.captured(partial(run, [*reading, self._hold]))
        self._write_step = device.captured(partial(run, [*self._writing(config), *reading]))

    def read(self, prompts: Sequence[Array]) -> None:
        """Read a prompt (n,) into each row, from empty states; they end together, so shorter ones begin later."""
        longest = max(map(len, prompts))
        fed = np.full((longest, self._rows), -1, np.int32)
        for row, prompt in enumerate(prompts):
            fed[longest - len(prompt) :, row] = prompt
        launcher, xp = self._device.launcher, self._device.xp
        with self._device.active():
            self._state.fill(0)
            on_device = self._device.array(fed)
            for each in on_device:
                xp.copyto(self._ids, each)
                self._read_step()
            words = (self._seed, 0, 0, 0)
            into.set_update(launcher, self._counters, self._rates, words, (0.0, 0.0, 0.0, 0.0))()

    def write(self, count: int) -> Chunk:
        """The next `count` characters (at most as many as there are slots) of every row."""
        if not 1 <= count <= self._slots:
            raise ValueError(f"{count} characters do not fit into {self._slots} slots")
        with self._device.active():
            # the device counts slots on, and only a last chunk is shorter than all of them
            for _ in range(count):
                self._write_step()
            ids, nats = (self._device.host(each[:count]) for each in (self._written, self._nats))
        return Chunk(np.ascontiguousarray(ids.T), np.ascontiguousarray(nats.T))

    def _reading(self) -> list[Work]:
        """Move every state on by the character in `ids`."""
        launcher, parameters = self._device.launcher, self._parameters
        work: list[Work] = []
        for i in range(self._layers):
            W, U_zr, U_h, b = (parameters[f"layers.{i}.{name}"] for name in ("W", "U_zr", "U_h", "b"))
            if i == 0:
                work.append(into.gather_rows(launcher, W, self._ids, self._a))
            else:
                work.append(self._dense(self._state[i - 1], W, self._a))
            h, H = self._state[i], U_h.shape[0]
            work.append(cell.gru_gates(launcher, U_zr, b, self._a, h, self._s, self._fitting(H, 2)))
            work.append(cell.gru_candidate(launcher, U_h, b, self._a, h, self._s, h, self._fitting(H)))
        return work

    def _writing(self, config: SamplingConfig) -> list[Work]:
        """Draw a character for every state."""
        launcher, parameters = self._device.launcher, self._parameters
        W_y, b_y, counters = parameters["output.W_y"], parameters["output.b_y"], self._counters
        results = self._ids, self._written, self._nats
        return [
            self._dense(self._state[-1], W_y, self._logits),
            update.draw(launcher, self._logits, b_y, self._weights, counters, *results, config),
            update.advance(launcher, counters, self._slots),
        ]

    def _dense(self, left: DeviceArray, right: DeviceArray, out: DeviceArray) -> Work:
        return cell.dense(self._device.launcher, left, right, out, self._fitting(right.shape[1]))

    def _fitting(self, columns: int, halves: int = 1) -> int:
        """The rows of a block that suit a product of all completions."""
        return cell.fitting_rows(self._device.facts.multiprocessors, self._rows, columns, halves)


def _bytes(config: ModelConfig, slots: int, rows: int) -> int:
    """What a sampler takes of the device's memory."""
    V, H, L = config.vocab_size, config.hidden_size, config.num_layers
    return 4 * (parameter_count(config) + rows * ((L + 4) * H + 3 * V + 2 * slots + 1))


def _hint(fitting: int) -> str:
    return f"{fitting} completions at once would fit (--count)" if fitting else "use --backend numpy"
