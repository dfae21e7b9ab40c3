"""A one-hot input product is a gather of rows, and its gradient a sum over equal characters."""

from __future__ import annotations

import numpy as np

from chargru.engine.parameters import Array

ONE_HOT_LIMIT = 160
"""Up to this many characters a one-hot matrix product is faster than sorting (benchmarks/LOG.md)."""


def sum_by_character(ids: Array, da: Array, dW: Array) -> None:
    """dW[c] = Σ of the rows of `da` whose character is c, for each gate.

    `ids` (N,), `da` (3, N, H) gate-major, `dW` (V, 3H) is overwritten.
    """
    V, H = len(dW), da.shape[2]
    if V <= ONE_HOT_LIMIT:
        one_hot = np.zeros((V, len(ids)), da.dtype)
        one_hot[ids, np.arange(len(ids))] = 1
        for gate in range(3):
            np.matmul(one_hot, da[gate], out=dW[:, gate * H : (gate + 1) * H])
        return
    order = np.argsort(ids, kind="stable")
    characters, starts = np.unique(ids[order], return_index=True)
    dW.fill(0)
    for gate in range(3):
        dW[characters, gate * H : (gate + 1) * H] = np.add.reduceat(da[gate][order], starts, axis=0)
