"""The sequence functions of `chargru.engine.gru` as machine code, made for this processor and these sizes.

One call does a layer's whole window: nothing of it waits for the interpreter's lock, weights are read in the order in
which they lie, sums begin as what they are added to, and gates never leave the cache before they are used. NumPy's
loops (`numpy_gru`) compute the same wherever this cannot.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chargru.engine.fused import compiler
from chargru.engine.fused.sequence import LANES, LayerWeights, Sequence, aligned
from chargru.engine.parameters import Array

_HALF, _ONE = np.array([0.5], np.float32), np.array([1], np.float32)


class WindowFunctions(NamedTuple):
    """Compiled for one number of rows and units; what each is given stands in `cell_code` and `product_code`."""

    forward: Any
    backward: Any
    read_inputs: Any
    input_gradient: Any
    code: compiler.Compiled


class WeightFunctions(NamedTuple):
    """Compiled for one number of units; what each is given stands in `product_code` and `layout_code`."""

    pack: Any
    weight_gradient: Any
    sum_by_character: Any
    sum_rows: Any
    code: compiler.Compiled


class CompiledLayer(LayerWeights):
    """U (3, H // 16, H, 16) in panels of 16 columns, and those of its transpose.

    So is W of all layers but the first, whose W (3, V, H) is gathered from.
    """

    def __init__(self, inputs: int, hidden_size: int, dtype: npt.DTypeLike, *, first: bool = False) -> None:
        super().__init__(inputs, hidden_size, dtype)
        panels = (3, hidden_size // LANES, hidden_size, LANES)
        self._first, self._weight = first, weight_functions(hidden_size)
        self.U, self.U_T = aligned(panels, dtype), aligned(panels, dtype)
        if not first:
            self.W, self.W_T = aligned(panels, dtype), aligned(panels, dtype)

    def pack(self, W: Array, U_zr: Array, U_h: Array, b: Array) -> None:
        """Copy one layer's W (I, 3H), U_zr (H, 2H), U_h (H, H) and b (3H,)."""
        super().pack(W, U_zr, U_h, b)
        H = len(U_h)
        for gate, U in enumerate((U_zr[:, :H], U_zr[:, H:], U_h)):
            self._to_panels(U, gate, self.U, self.U_T)

    def _pack_inputs(self, W: Array) -> None:
        if self._first:
            super()._pack_inputs(W)
            return
        for gate, part in enumerate(np.split(W, 3, axis=1)):
            self._to_panels(part, gate, self.W, self.W_T)

    def _to_panels(self, weights: Array, gate: int, panels: Array, transposed: Array) -> None:
        factor = _HALF if gate < 2 else _ONE
        width = weights.strides[0] // weights.itemsize
        self._weight.pack(width, *compiler.addresses(weights, factor, panels[gate], transposed[gate]))


class CompiledGru(Sequence):
    """The compiled loops, for weights of `CompiledLayer`."""

    def __init__(
        self, seq_len: int, batch_size: int, hidden_size: int, dtype: npt.DTypeLike, *, train: bool = True
    ) -> None:
        super().__init__(seq_len, batch_size, hidden_size, dtype, train=train)
        self._window, self._weight = window_functions(batch_size, hidden_size), weight_functions(hidden_size)
        if train:
            from chargru.engine.fused.product_code import room_for

            self._carried, self._ds = aligned((2, batch_size, hidden_size), dtype)
            self._room = aligned((room_for(hidden_size, hidden_size),), dtype)

    def read(self, x: Array, weights: LayerWeights) -> None:
        """Fill `a` from what is below, `x` (T·B, H)."""
        self._window.read_inputs(self.shape[0], *compiler.addresses(x, weights.W, weights.b, self.a))

    def forward(self, weights: LayerWeights) -> None:
        """All T steps; fills `h[1:]`."""
        assert isinstance(weights, CompiledLayer)
        T = self.shape[0]
        self._window.forward(T, int(self.kept == T), *compiler.addresses(self.a, self.h, self.s, self.d, weights.U))

    def backward(self, weights: LayerWeights) -> None:
        """All T steps back; fills `da` from `dh`. The equations stand at `chargru.engine.gru.sequence_backward`."""
        assert isinstance(weights, CompiledLayer)
        self._carried.fill(0)
        arrays = (self.a, self.s, self.d, self.dh, self.da, self._carried, self._ds, weights.U_T)
        self._window.backward(self.shape[0], *compiler.addresses(*arrays))

    def recurrent_gradients(self, dU_zr: Array, dU_h: Array) -> None:
        """Write dU_zr = Σ h_{t−1}ᵀ [da_z da_r] and dU_h = Σ sᵀ da_h."""
        H = self.shape[2]
        for gate, (x, dU) in enumerate(((self.h, dU_zr[:, :H]), (self.h, dU_zr[:, H:]), (self.s, dU_h))):
            self._weight_gradient(x, gate, dU)

    def character_gradients(self, ids: Array, dW: Array) -> None:
        """Write dW (V, 3H), whose row c is the sum of `da` where the character read, of `ids` (T·B,), was c.

        Raises:
            IndexError: there is no row for one of the ids.
        """
        ids = np.ascontiguousarray(ids, np.int64)
        if ids.min() < 0 or ids.max() >= len(dW):
            raise IndexError("a character that the model does not know")  # compiled code would write beside dW
        dW.fill(0)
        self._weight.sum_by_character(len(ids), *compiler.addresses(ids, self.da, dW))

    def input_gradients(self, x: Array, dW: Array, db: Array) -> None:
        """Write dW = Σ xᵀ da and db = Σ da, of what `read` was given."""
        H = self.shape[2]
        for gate in range(3):
            self._weight_gradient(x, gate, dW[:, gate * H : (gate + 1) * H])
        db.fill(0)
        self._weight.sum_rows(len(x), *compiler.addresses(self.da, db))

    def gradient_below(self, weights: LayerWeights, dx: Array) -> None:
        """Write dx (T·B, H) = da Wᵀ, of what `read` was given."""
        assert isinstance(weights, CompiledLayer)
        self._window.input_gradient(self.shape[0], *compiler.addresses(self.da, weights.W_T, dx))

    def _weight_gradient(self, x: Array, gate: int, out: Array) -> None:
        T, B, _ = self.shape
        width = out.strides[0] // out.itemsize
        self._weight.weight_gradient(T * B, width, *compiler.addresses(x, self.da[gate], out, self._room))


@compiler.once
def window_functions(rows: int, hidden_size: int) -> WindowFunctions:
    """Those for these sizes, compiled when they are first asked for."""
    from chargru.engine.fused.cell_code import window_module

    code = compiler.compiled(lambda target: window_module(rows, hidden_size, target.rows))
    return WindowFunctions(**code.functions(forward=(2, 5), backward=(1, 8), read_inputs=(1, 4), input_gradient=(1, 3)))


@compiler.once
def weight_functions(hidden_size: int) -> WeightFunctions:
    """Those for so many units, compiled when they are first asked for."""
    from chargru.engine.fused.product_code import weight_module

    code = compiler.compiled(lambda target: weight_module(hidden_size, target.rows))
    return WeightFunctions(
        **code.functions(pack=(1, 4), weight_gradient=(2, 4), sum_by_character=(1, 3), sum_rows=(1, 2))
    )
