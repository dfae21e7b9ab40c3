"""The softmax output and its cross-entropy: y = softmax(h W_y + b_y), loss −log y[target]."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chargru.engine.parameters import Array


class OutputWeights:
    """W_y (H, V) and b_y (V,) as `SoftmaxOutput` wants them: as they are."""

    W_y: Array
    b_y: Array

    def pack(self, W_y: Array, b_y: Array) -> None:
        """Take them, after every update."""
        self.W_y, self.b_y = W_y, b_y


class SoftmaxOutput:
    """Buffers for the cross-entropy of T steps of B rows over V characters."""

    def __init__(self, seq_len: int, batch_size: int, hidden_size: int, vocab_size: int, dtype: npt.DTypeLike) -> None:
        self.shape = (seq_len, batch_size, hidden_size, vocab_size)
        self._make_room(dtype)

    def losses(self, h: Array, targets: Array, weights: OutputWeights) -> Array:
        """−log y[target] in nats for each row of `h` (T·B, H); `targets` (T·B,) are ids. Keeps y for `gradients`."""
        p = self._p
        np.matmul(h, weights.W_y, out=p)
        p += weights.b_y
        p -= p.max(axis=1, keepdims=True)  # exp never overflows
        chosen = p[self._rows, targets]
        np.exp(p, out=p)
        sums = p.sum(axis=1, keepdims=True)
        p /= sums
        result: Array = np.log(sums[:, 0]) - chosen
        return result

    def gradients(
        self, h: Array, targets: Array, weights: OutputWeights, scale: float, dW_y: Array, db_y: Array, dh: Array
    ) -> None:
        """Gradients of `scale` times the sum of the losses, after `losses`: writes dW_y, db_y and dh (T·B, H)."""
        p = self._p
        p[self._rows, targets] -= 1
        p *= scale
        np.matmul(h.T, p, out=dW_y)
        np.sum(p, axis=0, out=db_y)
        np.matmul(p, weights.W_y.T, out=dh)

    def _make_room(self, dtype: npt.DTypeLike) -> None:
        T, B, _, V = self.shape
        self._p = np.empty((T * B, V), dtype)
        self._rows = np.arange(T * B)
