"""The sequence functions of `chargru.engine.gru` on a device, twice; tests hold both to the reference.

"gemm"    a step is two cuBLAS products with element-wise kernels between them: four calls forward, four back. The host
          launches each of them, which takes longer than a small step does.
"fused"   a step is two kernels forward and two back, each a product with its gates; a whole window of them, with
          whatever kernels stand before and after it, is captured once as a graph and replayed, so the host launches
          one thing. The product runs on ordinary float32 units.

`tensor_gru` has a third way, and `variants` chooses. Slabs are (T, B, 3H) with columns [z | r | h], as in the
reference: the input products, dW and dx are then one large product each over all gates, and a kernel that reads rows
of H numbers in one piece loses nothing by it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from chargru.engine.fused import cell_launches as cell
from chargru.engine.fused import window_launches as into
from chargru.engine.fused.kernels import DeviceArray, Launch
from chargru.engine.parameters import Parameters

if TYPE_CHECKING:
    from chargru.engine.device import Device

Work = Callable[[], None]


class DeviceLayer:
    """One layer's recurrent weights where the loops read them: masked and transposed copies, made once an update.

    U_zr (H, 2H), U_h (H, H), b (3H,); for the backward pass U_zr_T (2H, H) and U_h_T (H, H), so that it too reads
    whole rows.
    """

    def __init__(self, device: Device, hidden_size: int, *, train: bool) -> None:
        H, empty = hidden_size, device.xp.empty
        self.U_zr, self.U_h = empty((H, 2 * H), "float32"), empty((H, H), "float32")
        self.b = empty(3 * H, "float32")
        self.transposed: tuple[DeviceArray, ...] = ()
        if train:
            self.transposed = (empty((2 * H, H), "float32"), empty((H, H), "float32"))
        self._launcher = device.launcher

    def packing(self, parameters: Parameters, layer: int, counters: DeviceArray, kept: int) -> list[Work]:
        """What refreshes the copies, of recurrent weights of which `kept` of 256 are kept."""
        part, launcher = into.WEIGHT_MASKS + 2 * layer, self._launcher
        U_zr, U_h, b = (parameters[f"layers.{layer}.{name}"] for name in ("U_zr", "U_h", "b"))
        work: list[Work] = [
            into.drop(launcher, U_zr, self.U_zr, counters, part, kept),
            into.drop(launcher, U_h, self.U_h, counters, part + 1, kept),
            into.drop(launcher, b, self.b, counters, part, into.LEVELS),
        ]
        return work + self.copies()

    def copies(self) -> list[Work]:
        """What refreshes whatever else the loops read of the masked weights."""
        pairs = zip((self.U_zr, self.U_h), self.transposed, strict=False)
        return [into.transpose(self._launcher, source, to) for source, to in pairs]

    def masking(self, gradients: Parameters, layer: int, counters: DeviceArray, kept: int) -> list[Work]:
        """What gives a dropped weight no gradient and a kept one its scaled one."""
        part = into.WEIGHT_MASKS + 2 * layer
        dU_zr, dU_h = gradients[f"layers.{layer}.U_zr"], gradients[f"layers.{layer}.U_h"]
        return [
            into.drop(self._launcher, dU_zr, dU_zr, counters, part, kept),
            into.drop(self._launcher, dU_h, dU_h, counters, part + 1, kept),
        ]


class DeviceSequence(ABC):
    """Buffers and loops of one layer for windows of T steps and B rows; each variant has its own loops.

    `h` (T + 1, B, H) is the caller's, with h[0] the state before the window. The caller fills `a` (T, B, 3H) with x W
    (the loops add b) and does what is in `forward`, which leaves z, r, h̃ in `a` and fills h[1:]; it fills `dh`
    (T, B, H) with the gradient from above and does `backward`, which fills `da` (T, B, 3H).
    """

    def __init__(self, device: Device, weights: DeviceLayer, h: DeviceArray, *, train: bool) -> None:
        T, B, H = self.shape = (h.shape[0] - 1, h.shape[1], h.shape[2])
        empty = device.xp.empty
        self._device, self.weights, self.h = device, weights, h
        self.a = empty((T, B, 3 * H), "float32")
        self._kept = T if train else 1  # what only the backward pass reads needs no history without one
        self.s = empty((self._kept, B, H), "float32")  # r ⊙ h_{t−1}
        self._pair, self._single = empty((B, 2 * H), "float32"), empty((B, H), "float32")
        self.forward = self._forward()
        self.backward: list[Work] = []
        if train:
            self.dh, self.da = empty((T, B, H), "float32"), empty((T, B, 3 * H), "float32")
            self._carry = empty((B, H), "float32")
            self.backward = self._backward()

    @abstractmethod
    def _forward(self) -> list[Work]: ...

    @abstractmethod
    def _backward(self) -> list[Work]: ...

    def recurrent_gradients(self, dU_zr: DeviceArray, dU_h: DeviceArray) -> list[Work]:
        """What writes dU_zr = Σ h_{t−1}ᵀ [da_z da_r] and dU_h = Σ sᵀ da_h after `backward`: one product each."""
        T, B, H = self.shape
        N, product = T * B, self._device.product
        da = self.da.reshape(N, 3 * H)
        return [
            product(self.h[:T].reshape(N, H).T, da[:, : 2 * H], dU_zr),
            product(self.s.reshape(N, H).T, da[:, 2 * H :], dU_h),
        ]

    def _steps(self) -> list[tuple[DeviceArray, ...]]:
        """a, h, s and the next h of every step."""
        return [(self.a[t], self.h[t], self.s[t % self._kept], self.h[t + 1]) for t in range(self.shape[0])]

    def _start(self) -> Launch:
        last = self.shape[0] - 1
        return cell.back_start(
            self._device.launcher, self.dh[last], self.a[last], self.h[last], self.da[last], self._carry
        )


class FusedSequence(DeviceSequence):
    """Four kernels a step, each a product with its gates."""

    def _forward(self) -> list[Work]:
        launcher, weights, (first, second) = self._device.launcher, self.weights, self._rows()
        work: list[Work] = []
        for a, h, s, h_next in self._steps():
            work.append(cell.gru_gates(launcher, weights.U_zr, weights.b, a, h, s, first))
            work.append(cell.gru_candidate(launcher, weights.U_h, weights.b, a, h, s, h_next, second))
        return work

    def _backward(self) -> list[Work]:
        launcher, carry, q = self._device.launcher, self._carry, self._single
        U_zr_T, U_h_T = self.weights.transposed
        first, second = self._rows()
        a, h, da, dh = self.a, self.h, self.da, self.dh
        work: list[Work] = [self._start()]
        for t in reversed(range(self.shape[0])):
            work.append(cell.gru_back_first(launcher, U_zr_T, U_h_T, a[t], h[t], da[t], carry, q, first))
            if t > 0:  # what flows into the state before the window is nobody's
                before = (dh[t - 1], a[t - 1], h[t - 1], da[t - 1])
                work.append(cell.gru_back_second(launcher, U_zr_T, da[t], q, *before, carry, second))
        return work

    def _rows(self) -> list[int]:
        """Of a block, in both phases of a step: the first computes two halves of H columns."""
        _, B, H = self.shape
        return [cell.fitting_rows(self._device.facts.multiprocessors, B, H, halves) for halves in (2, 1)]


class GemmSequence(DeviceSequence):
    """Products by cuBLAS, in float32, and a kernel for each gate."""

    def _forward(self) -> list[Work]:
        launcher, weights = self._device.launcher, self.weights
        product = partial(self._device.product, exact=True)
        work: list[Work] = []
        for a, h, s, h_next in self._steps():
            work.append(product(h, weights.U_zr, self._pair))
            work.append(cell.gate_zr(launcher, self._pair, weights.b, a, h, s))
            work.append(product(s, weights.U_h, self._single))
            work.append(cell.gate_h(launcher, self._single, weights.b, a, h, h_next))
        return work

    def _backward(self) -> list[Work]:
        launcher, carry, single = self._device.launcher, self._carry, self._single
        product = partial(self._device.product, exact=True)
        U_zr_T, U_h_T = self.weights.transposed
        a, h, da, dh, H = self.a, self.h, self.da, self.dh, self.shape[2]
        work: list[Work] = [self._start()]
        for t in reversed(range(self.shape[0])):
            work.append(product(da[t][:, 2 * H :], U_h_T, single))
            work.append(cell.back_r(launcher, single, a[t], h[t], da[t], carry))
            if t > 0:
                before = (dh[t - 1], a[t - 1], h[t - 1], da[t - 1])
                work.append(product(da[t][:, : 2 * H], U_zr_T, single))
                work.append(cell.back_next(launcher, single, *before, carry))
        return work


def run(work: Sequence[Work]) -> None:
    """Do one after the other."""
    for each in work:
        each()


def in_graphs(device: Device, work: Sequence[Work]) -> list[Work]:
    """The same work, with kernels that follow each other launched as one graph; products cannot be a part of one."""
    found: list[Work] = []
    for kernels, group in groupby(work, key=lambda each: isinstance(each, Launch)):
        together = list(group)
        if kernels and len(together) > 1:
            found.append(device.captured(partial(run, together)))
        else:
            found += together
    return found


def sequence_bytes(seq_len: int, batch_size: int, hidden_size: int, *, train: bool, transposed: bool = True) -> int:
    """What one layer's buffers and copies of weights take, `h` not counted."""
    T, B, H = seq_len, batch_size, hidden_size
    rows = T * B * 3 + (T if train else 1) * B + 3 * B + (4 * T * B + B if train else 0)
    weights = 3 * H * H * (2 if train and transposed else 1) + 3 * H
    return 4 * (rows * H + weights)
