"""The softmax output and its cross-entropy: y = softmax(h W_y + b_y), loss −log y[target]."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chargru.engine.parameters import Array


class SoftmaxOutput:
    """Buffers for the cross-entropy of N rows (N = T·B) over V characters."""

    def __init__(self, rows: int, vocab_size: int, dtype: npt.DTypeLike) -> None:
        self._p = np.empty((rows, vocab_size), dtype)
        self._rows = np.arange(rows)

    def losses(self, h: Array, targets: Array, W_y: Array, b_y: Array) -> Array:
        """−log y[target] in nats for each row of `h` (N, H); `targets` (N,) are ids. Keeps y for `gradients`."""
        p = self._p
        np.matmul(h, W_y, out=p)
        p += b_y
        p -= p.max(axis=1, keepdims=True)  # exp never overflows
        chosen = p[self._rows, targets]
        np.exp(p, out=p)
        sums = p.sum(axis=1, keepdims=True)
        p /= sums
        result: Array = np.log(sums[:, 0]) - chosen
        return result

    def gradients(
        self, h: Array, targets: Array, W_y: Array, scale: float, dW_y: Array, db_y: Array, dh: Array
    ) -> None:
        """Gradients of `scale` times the sum of the losses, after `losses`: writes dW_y, db_y and dh (N, H)."""
        p = self._p
        p[self._rows, targets] -= 1
        p *= scale
        np.matmul(h.T, p, out=dW_y)
        np.sum(p, axis=0, out=db_y)
        np.matmul(p, W_y.T, out=dh)
