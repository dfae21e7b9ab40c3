"""What computes a window on this machine: compiled code, if it can be made and has shown that it is right, or NumPy."""

from __future__ import annotations

import functools
import os

import numpy as np
import numpy.typing as npt

from chargru.engine.fused import compiler
from chargru.engine.fused.compiled_gru import CompiledGru, CompiledLayer
from chargru.engine.fused.compiled_output import CompiledOutput, CompiledOutputWeights
from chargru.engine.fused.numpy_gru import PackedLayer, SequenceGru
from chargru.engine.fused.sequence import LANES, LayerWeights, Sequence
from chargru.engine.output import OutputWeights, SoftmaxOutput
from chargru.engine.parameters import Array

SWITCH = "CHARGRU_COMPILED"
"""The environment variable that, set to 0, keeps to NumPy's loops."""

_SMALLEST = 64  # units; below, a window takes less than compiling does
_CLOSE = 1e-4  # of the largest number, what may lie between the two ways to compute a window


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


def output_weights(hidden_size: int, vocab_size: int, dtype: npt.DTypeLike) -> OutputWeights:
    """Weights for the output that `softmax_output` makes of the same sizes."""
    return CompiledOutputWeights(hidden_size, vocab_size, dtype) if compiles(hidden_size, dtype) else OutputWeights()


def softmax_output(
    seq_len: int, batch_size: int, hidden_size: int, vocab_size: int, dtype: npt.DTypeLike
) -> SoftmaxOutput:
    """The fastest output there is for these sizes on this machine; which it is is decided as for `sequence`."""
    kind = CompiledOutput if compiles(hidden_size, dtype) else SoftmaxOutput
    return kind(seq_len, batch_size, hidden_size, vocab_size, dtype)


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
    W_y, b_y, kind = draw(H, V), draw(V), np.dtype(np.float32)
    ways: list[tuple[LayerWeights, Sequence, OutputWeights, SoftmaxOutput]] = [
        (
            PackedLayer(H, H, kind),
            SequenceGru(T, B, H, kind),
            OutputWeights(),
            SoftmaxOutput(T, B, H, V, kind),
        ),
        (
            CompiledLayer(H, H, kind),
            CompiledGru(T, B, H, kind),
            CompiledOutputWeights(H, V, kind),
            CompiledOutput(T, B, H, V, kind),
        ),
    ]
    found: list[list[Array]] = []
    for weights, loops, of_output, output in ways:
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
        dW_y, db_y, below = (np.empty_like(each) for each in (W_y, b_y, x))
        of_output.pack(W_y, b_y)
        losses = output.losses(x, ids, of_output)
        output.gradients(x, ids, of_output, 0.1, dW_y, db_y, below)
        found.append([loops.h, loops.da, dU_zr, dU_h, dW, db, dV, dx, losses, dW_y, db_y, below])
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is wrong, and no reason to warn anybody
        return all(
            float(abs(ours - other).max()) <= _CLOSE * float(abs(ours).max())
            for ours, other in zip(*found, strict=True)
        )
