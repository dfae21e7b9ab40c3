"""A layer's weights and buffers as the fast loops want them, whichever loops those are: gate-major, in whole lines."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from chargru.engine.gather import sum_by_character
from chargru.engine.parameters import Array

LANES = 16
"""Numbers that compiled code takes at once."""

STEPS = 4
"""Steps along a sum that it makes at a time."""

_LINE = 64  # bytes of a line of the cache


class LayerWeights:
    """One layer's weights as the loops want them; `pack` refreshes the copies after an update.

    Gate-major: W (3, I, H) and b (3, 1, H). The z and r parts of whatever is used forward are halved, since
    σ(x) = ½ + ½ tanh(x/2); what is used backward is not, since it works with gradients of the unhalved sums.
    """

    def __init__(self, inputs: int, hidden_size: int, dtype: npt.DTypeLike) -> None:
        self.W = np.empty((3, inputs, hidden_size), dtype)
        self.b = np.empty((3, 1, hidden_size), dtype)

    def pack(self, W: Array, U_zr: Array, U_h: Array, b: Array) -> None:
        """Copy one layer's W (I, 3H), U_zr (H, 2H), U_h (H, H) and b (3H,)."""
        self._pack_inputs(W)
        for gate, (factor, part) in enumerate(zip((0.5, 0.5, 1.0), np.split(b, 3), strict=True)):
            np.multiply(part, factor, out=self.b[gate, 0])

    def _pack_inputs(self, W: Array) -> None:
        for gate, (factor, part) in enumerate(zip((0.5, 0.5, 1.0), np.split(W, 3, axis=1), strict=True)):
            np.multiply(part, factor, out=self.W[gate])


class Sequence(ABC):
    """Buffers and loops of one layer for windows of T steps and B rows, `shape` (T, B, H).

    First `a` (3, T, B, H) is filled with x W + b of the packed (halved) weights, by `read` or by the caller, and `h[0]`
    with the state before the window; then comes `forward`. For the way back the caller fills `dh` (T, B, H) with the
    gradient from above and calls `backward`, after which `da` (3, T, B, H) is the gradient of the unhalved sums, from
    which the other gradients come. `forward` overwrites `a` with the gates z, r, h̃; `backward` overwrites `dh`.

    Between them `s` = r ⊙ h_{t−1} and `d` = h̃ − h_{t−1} are kept, (T, B, H); one step of them if not to `train`.
    """

    def __init__(
        self, seq_len: int, batch_size: int, hidden_size: int, dtype: npt.DTypeLike, *, train: bool = True
    ) -> None:
        T, B, H = self.shape = (seq_len, batch_size, hidden_size)
        self.kept = T if train else 1  # what only the way back reads needs no history without one
        self.a = aligned((3, T, B, H), dtype)
        self.h = aligned((T + 1, B, H), dtype)
        self.h.fill(0)
        self.s = aligned((self.kept, B, H), dtype)
        self.d = aligned((self.kept, B, H), dtype)
        if train:
            self.dh = aligned((T, B, H), dtype)
            self.dh.fill(0)
            self.da = aligned((3, T, B, H), dtype)

    def read(self, x: Array, weights: LayerWeights) -> None:
        """Fill `a` from what is below, `x` (T·B, H)."""
        N, H = x.shape
        for gate in range(3):
            np.matmul(x, weights.W[gate], out=self.a[gate].reshape(N, H))
            self.a[gate] += weights.b[gate]

    @abstractmethod
    def forward(self, weights: LayerWeights) -> None:
        """All T steps; fills `h[1:]`. The weights are of the kind that belongs to these loops."""

    @abstractmethod
    def backward(self, weights: LayerWeights) -> None:
        """All T steps back; fills `da` from `dh`. The equations stand at `chargru.engine.gru.sequence_backward`."""

    def recurrent_gradients(self, dU_zr: Array, dU_h: Array) -> None:
        """Write dU_zr = Σ h_{t−1}ᵀ [da_z da_r] and dU_h = Σ sᵀ da_h."""
        T, B, H = self.shape
        before, da = self.h[:T].reshape(T * B, H).T, self.da.reshape(3, T * B, H)
        for gate in range(2):
            np.matmul(before, da[gate], out=dU_zr[:, gate * H : (gate + 1) * H])
        np.matmul(self.s.reshape(T * B, H).T, da[2], out=dU_h)

    def character_gradients(self, ids: Array, dW: Array) -> None:
        """Write dW (V, 3H), whose row c is the sum of `da` where the character read, of `ids` (T·B,), was c."""
        T, B, H = self.shape
        sum_by_character(ids, self.da.reshape(3, T * B, H), dW)

    def input_gradients(self, x: Array, dW: Array, db: Array) -> None:
        """Write dW = Σ xᵀ da and db = Σ da, of what `read` was given."""
        N, H = x.shape
        for gate, da in enumerate(self.da.reshape(3, N, H)):
            np.matmul(x.T, da, out=dW[:, gate * H : (gate + 1) * H])
            np.sum(da, axis=0, out=db[gate * H : (gate + 1) * H])

    @abstractmethod
    def gradient_below(self, weights: LayerWeights, dx: Array) -> None:
        """Write dx (T·B, H) = da Wᵀ, of what `read` was given."""


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """An array as `numpy.empty` makes it that begins with a line of the cache."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def up_to(count: int, step: int) -> int:
    """The next multiple of `step`."""
    return -(-count // step) * step
