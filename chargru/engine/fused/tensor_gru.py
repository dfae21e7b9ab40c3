"""The sequence functions on tensor cores: "tensor", the fused kernels with products in TF32 or bfloat16.

As in `cupy_gru`, a step is two kernels forward and two back, and a window of them is a graph. State, gates and
gradients are float32 and lie where the other variants have them; only what a step multiplies is rounded, into arrays
that the next step overwrites.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chargru.engine.fused.cupy_gru import DeviceLayer, DeviceSequence, Work
from chargru.engine.fused.kernels import DeviceArray
from chargru.engine.fused.tensor_launches import LOW, TensorStep, Tile, filled, lower_columns, lower_rows

if TYPE_CHECKING:
    from chargru.engine.device import Device


class TensorLayer(DeviceLayer):
    """The weights packed for tensor cores: for each column that a product computes, a row of rounded numbers.

    U_zr_T (2H, depth) and U_h_T (H, depth); for the backward pass U_zr_low (2H, depth), whose rows are U_z[0], U_r[0],
    U_z[1], and so on, and U_h_low (H, depth).
    """

    def __init__(self, device: Device, hidden_size: int, *, train: bool) -> None:
        super().__init__(device, hidden_size, train=False)
        H, self._precision, self._train = hidden_size, device.precision, train
        shapes = [(rows, filled(H, self._precision)) for rows in (2 * H, H)]
        empty = partial(device.xp.empty, dtype=LOW[self._precision])
        self.U_zr_T, self.U_h_T = map(empty, shapes)
        if train:
            self.U_zr_low, self.U_h_low = map(empty, shapes)

    def copies(self) -> list[Work]:
        """What packs the masked weights."""
        columns, rows = (partial(lower, self._launcher, self._precision) for lower in (lower_columns, lower_rows))
        work: list[Work] = [columns(self.U_zr, self.U_zr_T), columns(self.U_h, self.U_h_T)]
        if self._train:
            work.append(rows(self.U_zr.reshape(-1, len(self.U_h)), self.U_zr_low))
            work.append(rows(self.U_h, self.U_h_low))
        return work


class TensorSequence(DeviceSequence):
    """`DeviceSequence` by the kernels of `tensor.cu`."""

    weights: TensorLayer

    def __init__(
        self, device: Device, weights: TensorLayer, h: DeviceArray, *, train: bool, tile: Tile | None = None
    ) -> None:
        """`tile`: that one in all kernels, whatever fits."""
        _, B, H = h.shape
        self._step = TensorStep(device.launcher, device.facts, device.precision, B, H, tile=tile)
        # zeros, since nobody writes what fills up the rows
        depth, low, zeros = self._step.depth, self._step.low, device.xp.zeros
        self._h_low, self._s_low = zeros((B, depth), low), zeros((B, depth), low)
        self._da_low = zeros((3, B, depth), low) if train else None
        super().__init__(device, weights, h, train=train)

    def _forward(self) -> list[Work]:
        device, step, weights = self._device, self._step, self.weights
        work: list[Work] = [lower_rows(device.launcher, device.precision, self.h[0], self._h_low)]
        for a, h, s, h_next in self._steps():
            work.append(step.gates(weights.U_zr_T, weights.b, a, h, self._h_low, s, self._s_low))
            work.append(step.candidate(weights.U_h_T, weights.b, a, h, self._s_low, h_next, self._h_low))
        return work

    def _backward(self) -> list[Work]:
        step, da_low, carry, q = self._step, self._da_low, self._carry, self._single
        U_zr, U_h = self.weights.U_zr_low, self.weights.U_h_low
        a, h, da, dh = self.a, self.h, self.da, self.dh
        last = self.shape[0] - 1
        work: list[Work] = [step.back_start(dh[last], a[last], h[last], da[last], da_low, carry)]
        for t in reversed(range(self.shape[0])):
            work.append(step.back_first(U_zr, U_h, a[t], h[t], da[t], da_low, carry, q))
            if t > 0:  # what flows into the state before the window is nobody's
                before = (dh[t - 1], a[t - 1], h[t - 1], da[t - 1])
                work.append(step.back_second(U_zr, q, *before, da_low, carry))
        return work


def tensor_bytes(batch_size: int, hidden_size: int, precision: str, *, train: bool) -> int:
    """What a layer's rounded copies take, of weights and of a step."""
    depth = filled(hidden_size, precision)
    rows = 3 * hidden_size * (2 if train else 1) + batch_size * (5 if train else 2)
    return rows * depth * LOW[precision](0).itemsize
