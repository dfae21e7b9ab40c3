"""The sequence functions of `chargru.engine.gru` as machine code, made for this processor and these sizes.

One call does a layer's whole window: nothing of it waits for the interpreter's lock, weights are read in the order in
which they lie, sums begin as what they are added to, and gates never leave the cache before they are used. NumPy's
loops (`numpy_gru`) compute the same wherever this cannot.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chargru.engine.fused import compiler
from chargru.engine.fused.numpy_gru import PackedLayer, SequenceGru
from chargru.engine.fused.sequence import LANES, LayerWeights, Sequence, aligned
from chargru.engine.parameters import Array

SWITCH = "CHARGRU_COMPILED"
"""The environment variable that, set to 0, keeps to NumPy's loops."""

_HALF, _ONE = np.array([0.5], np.float32), np.array([1], np.float32)
_SMALLEST = 64  # units; below, a window takes less than compiling does
_MANY = 50_000  # weights, from which on compiling their update pays
_CLOSE = 1e-4  # of the largest number, what may lie between the two ways to compute a window

_LOCK = threading.Lock()


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


class AdamFunctions(NamedTuple):
    """Compiled for any number of weights; what each is given stands in `update_code`."""

    adam: Any
    adam_decayed: Any
    code: compiler.Compiled

    def __call__(self, stretch: slice, numbers: Array, flats: tuple[Array, ...], decayed: Array | None) -> None:
        """Update a stretch of flat buffers (w, g, m, v, averaged), a multiple of 16 long."""
        arrays = _addresses(numbers, *(each[stretch] for each in flats))
        if decayed is None:
            self.adam(stretch.stop - stretch.start, *arrays)
        else:
            self.adam_decayed(stretch.stop - stretch.start, *arrays, *_addresses(decayed[stretch]))


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
        self._weight.pack(width, *_addresses(weights, factor, panels[gate], transposed[gate]))


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
            self._room = aligned((room_for(hidden_size),), dtype)

    def read(self, x: Array, weights: LayerWeights) -> None:
        """Fill `a` from what is below, `x` (T·B, H)."""
        self._window.read_inputs(self.shape[0], *_addresses(x, weights.W, weights.b, self.a))

    def forward(self, weights: LayerWeights) -> None:
        """All T steps; fills `h[1:]`."""
        assert isinstance(weights, CompiledLayer)
        T = self.shape[0]
        self._window.forward(T, int(self.kept == T), *_addresses(self.a, self.h, self.s, self.d, weights.U))

    def backward(self, weights: LayerWeights) -> None:
        """All T steps back; fills `da` from `dh`. The equations stand at `chargru.engine.gru.sequence_backward`."""
        assert isinstance(weights, CompiledLayer)
        self._carried.fill(0)
        arrays = (self.a, self.s, self.d, self.dh, self.da, self._carried, self._ds, weights.U_T)
        self._window.backward(self.shape[0], *_addresses(*arrays))

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
        self._weight.sum_by_character(len(ids), *_addresses(ids, self.da, dW))

    def input_gradients(self, x: Array, dW: Array, db: Array) -> None:
        """Write dW = Σ xᵀ da and db = Σ da, of what `read` was given."""
        H = self.shape[2]
        for gate in range(3):
            self._weight_gradient(x, gate, dW[:, gate * H : (gate + 1) * H])
        db.fill(0)
        self._weight.sum_rows(len(x), *_addresses(self.da, db))

    def gradient_below(self, weights: LayerWeights, dx: Array) -> None:
        """Write dx (T·B, H) = da Wᵀ, of what `read` was given."""
        assert isinstance(weights, CompiledLayer)
        self._window.input_gradient(self.shape[0], *_addresses(self.da, weights.W_T, dx))

    def _weight_gradient(self, x: Array, gate: int, out: Array) -> None:
        T, B, _ = self.shape
        width = out.strides[0] // out.itemsize
        self._weight.weight_gradient(T * B, width, *_addresses(x, self.da[gate], out, self._room))


def layer_weights(inputs: int, hidden_size: int, dtype: npt.DTypeLike, *, first: bool, train: bool) -> LayerWeights:
    """Weights for the loops that `sequence` makes of the same sizes, of the `first` layer or of another."""
    if compiles(hidden_size, dtype):
        return CompiledLayer(inputs, hidden_size, dtype, first=first)
    return PackedLayer(inputs, hidden_size, dtype, train=train)


def sequence(seq_len: int, batch_size: int, hidden_size: int, dtype: npt.DTypeLike, *, train: bool) -> Sequence:
    """The fastest loops there are for these sizes on this machine.

    Which they are depends on the sizes and on the machine alone, so that a training which is resumed computes what it
    would have.
    """
    kind = CompiledGru if compiles(hidden_size, dtype) else SequenceGru
    return kind(seq_len, batch_size, hidden_size, dtype, train=train)


def compiles(hidden_size: int, dtype: npt.DTypeLike) -> bool:
    """Whether a layer of so many units is compiled on this machine."""
    return _fits(hidden_size, dtype) and not why_not()


def missed(hidden_size: int, dtype: npt.DTypeLike) -> str:
    """What there is to tell of a network that would be compiled and is not, in a line; empty if nothing."""
    reason = why_not() if _fits(hidden_size, dtype) else ""
    return f"training runs in NumPy's loops, slower than compiled ones: {reason}" if reason else ""


def why_not() -> str:
    """Why nothing is compiled on this machine, in a few words; empty where it is."""
    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH} is 0"
    if not compiler.installed():
        return "llvmlite is not installed"
    if compiler.host() is None:
        return "this processor has neither AVX2 nor NEON"
    return _problem()


def _fits(hidden_size: int, dtype: npt.DTypeLike) -> bool:
    return hidden_size >= _SMALLEST and hidden_size % LANES == 0 and np.dtype(dtype) == np.float32


@functools.cache
def _problem() -> str:
    """What speaks against compiling here: a system that forbids it, or a first small window that comes out wrong."""
    try:
        right = _is_right()
    except (OSError, RuntimeError, MemoryError) as error:
        return f"compiling failed: {next(iter(str(error).splitlines()), type(error).__name__)}"
    return "" if right else "what was compiled computes something else"


def _is_right() -> bool:
    """Whether a window comes out as NumPy's loops have it, forward and back."""
    T, B, H, V, rng = 3, 7, 64, 5, np.random.default_rng(1)

    def draw(*shape: int) -> Array:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    x, h, dh, ids = draw(T * B, H), draw(B, H), draw(T, B, H), rng.integers(0, V, T * B)
    W, U_zr, U_h, b = draw(H, 3 * H), draw(H, 2 * H), draw(H, H), draw(3 * H)
    ways: list[tuple[LayerWeights, Sequence]] = [
        (PackedLayer(H, H, x.dtype), SequenceGru(T, B, H, x.dtype)),
        (CompiledLayer(H, H, x.dtype), CompiledGru(T, B, H, x.dtype)),
    ]
    found: list[list[Array]] = []
    for weights, loops in ways:
        dU_zr, dU_h, dW, db, dV, dx = (np.empty_like(each) for each in (U_zr, U_h, W, b, draw(V, 3 * H), x))
        weights.pack(W, U_zr, U_h, b)
        loops.h[0], loops.dh[:] = h, dh
        loops.read(x, weights)
        loops.forward(weights)
        loops.backward(weights)
        loops.recurrent_gradients(dU_zr, dU_h)
        loops.input_gradients(x, dW, db)
        loops.gradient_below(weights, dx)
        loops.character_gradients(ids, dV)
        found.append([loops.h, loops.da, dU_zr, dU_h, dW, db, dV, dx])
    return all(
        float(abs(ours - other).max()) <= _CLOSE * float(abs(ours).max()) for ours, other in zip(*found, strict=True)
    )


def compiled_adam(count: int, dtype: npt.DTypeLike) -> AdamFunctions | None:
    """The update of `count` weights (see `update_code`), or None where NumPy's is to be used."""
    if count < _MANY or np.dtype(dtype) != np.float32 or why_not():
        return None
    with _LOCK:
        return _adam()


@functools.cache
def _adam() -> AdamFunctions:
    from chargru.engine.fused.update_code import update_module

    target = compiler.host()
    assert target is not None
    code = compiler.Compiled(update_module(), target)
    return AdamFunctions(**code.functions(adam=(1, 6), adam_decayed=(1, 7)))


def window_functions(rows: int, hidden_size: int) -> WindowFunctions:
    """Those for these sizes, compiled when they are first asked for."""
    with _LOCK:
        return _window_functions(rows, hidden_size)


def weight_functions(hidden_size: int) -> WeightFunctions:
    """Those for so many units, compiled when they are first asked for."""
    with _LOCK:
        return _weight_functions(hidden_size)


@functools.cache
def _window_functions(rows: int, hidden_size: int) -> WindowFunctions:
    from chargru.engine.fused.cell_code import window_module

    target = compiler.host()
    assert target is not None
    code = compiler.Compiled(window_module(rows, hidden_size, target.rows), target)
    return WindowFunctions(**code.functions(forward=(2, 5), backward=(1, 8), read_inputs=(1, 4), input_gradient=(1, 3)))


@functools.cache
def _weight_functions(hidden_size: int) -> WeightFunctions:
    from chargru.engine.fused.product_code import weight_module

    target = compiler.host()
    assert target is not None
    code = compiler.Compiled(weight_module(hidden_size, target.rows), target)
    return WeightFunctions(
        **code.functions(pack=(1, 4), weight_gradient=(2, 4), sum_by_character=(1, 3), sum_rows=(1, 2))
    )


def _addresses(*arrays: Array) -> list[int]:
    return [each.ctypes.data for each in arrays]
