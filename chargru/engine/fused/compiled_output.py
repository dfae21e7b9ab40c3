"""The softmax output in compiled code, for the same numbers as `chargru.engine.output`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chargru.engine.fused import compiler
from chargru.engine.fused.sequence import LANES, STEPS, aligned, up_to
from chargru.engine.output import OutputWeights, SoftmaxOutput
from chargru.engine.parameters import Array


class OutputFunctions(NamedTuple):
    """Compiled for one number of rows, units and characters; what each is given stands in `output_code`."""

    losses: Any
    errors: Any
    weight_gradient: Any
    code: compiler.Compiled


class CompiledOutputWeights(OutputWeights):
    """W_y in panels of 16 columns, (⌈V / 16⌉, H, 16), and those of its transpose, (H // 16, V, 16).

    Columns beyond V are zero and have a bias of −∞, so that they never come; rows of the transpose are filled up with
    zeros to whole `STEPS`.
    """

    def __init__(self, hidden_size: int, vocab_size: int, dtype: npt.DTypeLike) -> None:
        H, V = hidden_size, vocab_size
        self.panels = aligned((up_to(V, LANES) // LANES, H, LANES), dtype)
        self.transposed = aligned((H // LANES, up_to(V, STEPS), LANES), dtype)
        self.bias = aligned((up_to(V, LANES),), dtype)
        self._columns = np.zeros((H, len(self.bias)), dtype)
        self.transposed.fill(0)
        self.bias.fill(-np.inf)

    def pack(self, W_y: Array, b_y: Array) -> None:
        """Copy them, after every update."""
        super().pack(W_y, b_y)
        H, V = W_y.shape
        self._columns[:, :V] = W_y
        self.panels[:] = self._columns.reshape(H, -1, LANES).transpose(1, 0, 2)
        self.transposed[:, :V] = W_y.reshape(-1, LANES, V).transpose(0, 2, 1)
        self.bias[:V] = b_y


class CompiledOutput(SoftmaxOutput):
    """Compiled, for weights of `CompiledOutputWeights`."""

    def losses(self, h: Array, targets: Array, weights: OutputWeights) -> Array:
        """−log y[target] in nats for each row of `h` (T·B, H); `targets` (T·B,) are ids. Keeps y for `gradients`.

        Raises:
            IndexError: there is no such character.
        """
        assert isinstance(weights, CompiledOutputWeights)
        self._targets = targets = np.ascontiguousarray(targets, np.int64)
        if targets.min() < 0 or targets.max() >= self.shape[3]:
            raise IndexError("a character that the model does not know")  # compiled code would read beside the row
        arrays = (h, targets, weights.panels, weights.bias, self._p, self._sums, self._chosen)
        self._functions.losses(self.shape[0], *compiler.addresses(*arrays))
        result: Array = np.log(self._sums) - self._chosen
        return result

    def gradients(
        self, h: Array, targets: Array, weights: OutputWeights, scale: float, dW_y: Array, db_y: Array, dh: Array
    ) -> None:
        """Gradients of `scale` times the sum of the losses, after `losses`: writes dW_y, db_y and dh (T·B, H)."""
        assert isinstance(weights, CompiledOutputWeights)
        T, B, H, V = self.shape
        self._db.fill(0)
        factor = np.array([scale], self._p.dtype)
        arrays = (self._targets, weights.transposed, self._sums, factor, self._p, self._db, dh)
        self._functions.errors(T, *compiler.addresses(*arrays))
        db_y[:] = self._db[:V]
        self._functions.weight_gradient(T * B, H, *compiler.addresses(self._p, h, self._dW, self._room))
        dW_y[:] = self._dW.T

    def _make_room(self, dtype: npt.DTypeLike) -> None:
        from chargru.engine.fused.product_code import room_for

        T, B, H, V = self.shape
        columns = up_to(V, LANES)
        self._functions = output_functions(B, H, V)
        self._p = aligned((T * B, columns), dtype)
        self._sums, self._chosen = (np.empty(T * B, dtype) for _ in range(2))
        self._dW, self._db = aligned((V, H), dtype), aligned((columns,), dtype)
        self._room = aligned((room_for(V, H),), dtype)


@compiler.once
def output_functions(rows: int, hidden_size: int, vocab_size: int) -> OutputFunctions:
    """Those for these sizes, compiled when they are first asked for."""
    from chargru.engine.fused.output_code import output_module

    code = compiler.compiled(lambda target: output_module(rows, hidden_size, vocab_size, target.rows))
    return OutputFunctions(**code.functions(losses=(1, 7), errors=(1, 7), weight_gradient=(2, 4)))
