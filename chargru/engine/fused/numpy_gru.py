"""The sequence functions of `chargru.engine.gru`, written to be fast on NumPy; tests hold one to the other.

What makes the loop fast, measured in benchmarks/LOG.md:

- every array and every view of a time step exists before the loop; `out=` everywhere, so the loop allocates nothing;
- slabs are gate-major, (3, T, B, H): whatever a step touches lies in one piece per gate, which NumPy's loops run
  through five to ten times faster than through the strided columns of a (T, B, 3H) slab;
- z and r come from one product and one tanh, since σ(x) = ½ + ½ tanh(x/2); the ½ inside is folded into packed
  copies of the weights, made once an update;
- the backward products read transposed copies of U, packed at the same time;
- U is packed as blocks of columns and a step's product is cut to suit BLAS's small kernels (see `products.py`);
- what only sums over time (dU) is one large product after the loop.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chargru.engine.fused.products import block_width, blocks, factors, results, rows_at_once
from chargru.engine.fused.sequence import LayerWeights, Sequence
from chargru.engine.parameters import Array


class PackedLayer(LayerWeights):
    """U in K blocks of n columns beside W and b: U_zr (2, K, 1, H, n) and U_h (K, 1, H, n), and so their transposes.

    `width` is n if it is not to be chosen; `unhalved` is what W was last packed from.
    """

    def __init__(
        self, inputs: int, hidden_size: int, dtype: npt.DTypeLike, *, train: bool = True, width: int | None = None
    ) -> None:
        super().__init__(inputs, hidden_size, dtype)
        H = hidden_size
        n = self.width = width or block_width(H, dtype)
        self.unhalved = np.empty((inputs, 3 * H), dtype)
        self.U_zr = np.empty((2, H // n, 1, H, n), dtype)
        self.U_h = np.empty((H // n, 1, H, n), dtype)
        self.train = train
        if train:
            self.U_zr_T = np.empty_like(self.U_zr)
            self.U_h_T = np.empty_like(self.U_h)

    def pack(self, W: Array, U_zr: Array, U_h: Array, b: Array) -> None:
        """Copy one layer's W (I, 3H), U_zr (H, 2H), U_h (H, H) and b (3H,)."""
        super().pack(W, U_zr, U_h, b)
        self.unhalved = W
        H, n = len(U_h), self.width
        for gate in range(2):
            U = U_zr[:, gate * H : (gate + 1) * H]
            np.multiply(blocks(U, n), 0.5, out=self.U_zr[gate, :, 0])
            if self.train:
                np.copyto(self.U_zr_T[gate, :, 0], blocks(U.T, n))
        np.copyto(self.U_h[:, 0], blocks(U_h, n))
        if self.train:
            np.copyto(self.U_h_T[:, 0], blocks(U_h.T, n))


class SequenceGru(Sequence):
    """The loops on NumPy, for weights of `PackedLayer`; `width` is that of their blocks if it is not to be chosen."""

    def __init__(
        self,
        seq_len: int,
        batch_size: int,
        hidden_size: int,
        dtype: npt.DTypeLike,
        *,
        train: bool = True,
        width: int | None = None,
    ) -> None:
        super().__init__(seq_len, batch_size, hidden_size, dtype, train=train)
        T, B, H, kept = *self.shape, self.kept
        width = width or block_width(H, dtype)
        rows = rows_at_once(B, H, width)
        self._half, self._one = np.array(0.5, dtype), np.array(1, dtype)  # numbers would be converted at every call
        self._pair = np.empty((2, B, H), dtype)
        self._single = np.empty((B, H), dtype)
        self._pair_blocks, self._single_blocks = results(self._pair, rows, width), results(self._single, rows, width)
        h_rows, s_rows = factors(self.h, rows), factors(self.s, rows)
        self._forward_views = [
            (
                *(self.a[:2, t], *self.a[:, t], self.h[t], self.h[t + 1], self.s[t % kept], self.d[t % kept]),
                *(h_rows[t], s_rows[t % kept]),
            )
            for t in range(T)
        ]
        self._below: Array | None = None
        if train:
            self._carried, self._scratch = np.empty((B, H), dtype), np.empty((B, H), dtype)
            da_rows = factors(self.da, rows)
            self._backward_views = [
                (self.dh[t], *self.a[:, t], self.s[t], self.d[t], *self.da[:, t], da_rows[2, t], da_rows[:2, t])
                for t in reversed(range(T))
            ]

    def forward(self, weights: LayerWeights) -> None:
        """All T steps; fills `h[1:]`."""
        assert isinstance(weights, PackedLayer)
        matmul, add, multiply, subtract, tanh = np.matmul, np.add, np.multiply, np.subtract, np.tanh
        pair, single, pair_blocks, single_blocks = self._pair, self._single, self._pair_blocks, self._single_blocks
        U_zr, U_h, half = weights.U_zr, weights.U_h, self._half
        for zr, z, r, h_tilde, h, h_next, s, d, h_rows, s_rows in self._forward_views:
            matmul(h_rows, U_zr, pair_blocks)
            add(zr, pair, pair)
            tanh(pair, pair)
            multiply(pair, half, pair)
            add(pair, half, zr)
            multiply(r, h, s)
            matmul(s_rows, U_h, single_blocks)
            add(h_tilde, single, single)
            tanh(single, h_tilde)
            subtract(h_tilde, h, d)
            multiply(z, d, h_next)
            add(h_next, h, h_next)

    def backward(self, weights: LayerWeights) -> None:
        """All T steps back; fills `da` from `dh`. The equations stand at `chargru.engine.gru.sequence_backward`."""
        assert isinstance(weights, PackedLayer)
        matmul, add, multiply, subtract = np.matmul, np.add, np.multiply, np.subtract
        carried, scratch, ds = self._carried, self._scratch, self._single
        (first, second), pair_blocks, ds_blocks = self._pair, self._pair_blocks, self._single_blocks
        U_zr_T, U_h_T, one = weights.U_zr_T, weights.U_h_T, self._one
        carried.fill(0)
        for g, z, r, h_tilde, s, d, da_z, da_r, da_h, da_h_rows, da_zr_rows in self._backward_views:
            add(g, carried, g)
            multiply(h_tilde, h_tilde, scratch)
            subtract(one, scratch, scratch)
            multiply(g, z, first)
            multiply(first, scratch, da_h)
            matmul(da_h_rows, U_h_T, ds_blocks)
            subtract(one, z, scratch)
            multiply(g, scratch, carried)
            multiply(first, d, second)
            multiply(second, scratch, da_z)
            subtract(one, r, scratch)
            multiply(scratch, s, scratch)
            multiply(ds, scratch, da_r)  # ds ⊙ h ⊙ r ⊙ (1 − r), with s = r ⊙ h
            multiply(ds, r, ds)
            add(carried, ds, carried)
            matmul(da_zr_rows, U_zr_T, pair_blocks)
            add(carried, first, carried)
            add(carried, second, carried)

    def gradient_below(self, weights: LayerWeights, dx: Array) -> None:
        """Write dx (T·B, H) = da Wᵀ, of what `read` was given."""
        assert isinstance(weights, PackedLayer)
        N, H = dx.shape
        da = self.da.reshape(3, N, H)
        if self._below is None:
            self._below = np.empty_like(dx)
        for gate in range(3):
            W = weights.unhalved[:, gate * H : (gate + 1) * H]
            np.matmul(da[gate], W.T, out=dx if gate == 0 else self._below)
            if gate > 0:
                dx += self._below
