"""One state, moved on by a character in compiled code."""

from __future__ import annotations

import functools
import time
from typing import Any, NamedTuple

import numpy as np

from chargru.config import ModelConfig
from chargru.engine import gru
from chargru.engine.fused import compiler
from chargru.engine.fused.companion import Companion, Worth, companion
from chargru.engine.fused.sequence import aligned
from chargru.engine.fused.step_layout import HELPED, SHARED, laid_out, step_layout
from chargru.engine.parameters import Array, Parameters

_LARGE = 2 << 20  # bytes of weights, from which on a companion helps
_PATIENCE = 20_000  # times that it asks whether there is something to do: half a millisecond, some twenty characters
_CLOSE = 1e-4  # what may lie between logits computed in the two ways


class StepFunctions(NamedTuple):
    """Compiled for the models of one shape; what each is given stands in `step_code`."""

    step: Any
    predict: Any
    step_along: Any
    serve: Any
    code: compiler.Compiled


class CompiledRow:
    """A step of one state (L, 1, H), with `laid_out` weights; `logits` (1, V) are of the last one.

    Where the weights are more than one core's cache holds, a companion reads half of them, when there is a core for it.
    """

    def __init__(self, config: ModelConfig, weights: Array, state: Array) -> None:
        layout, dtype = step_layout(config), weights.dtype
        self._functions = step_functions(config)
        self._kept = (weights, state, aligned((2 * layout.units,), dtype), aligned((1, layout.padded), dtype))
        self._addresses = compiler.addresses(*self._kept)
        self._kept[3].fill(0)
        self.logits = self._kept[3][:, : config.vocab_size]
        self._companion: Companion | None = companion() if weights.nbytes >= _LARGE else None
        self._worth = Worth()
        self._shared = aligned((SHARED,), np.int64)
        self._shared.fill(0)

    def step(self, ids: Array) -> Array:
        """Move the state on by a character, `ids` (1,): `logits`.

        Raises:
            IndexError: the model knows no such character.
        """
        character = int(ids[0])
        if not 0 <= character < self.logits.shape[1]:
            raise IndexError(f"no character {character}")  # compiled code would read beside the weights
        if self._companion is None:
            self._functions.step(character, *self._addresses)
        else:
            self._step_along(character, self._companion)
        return self.logits

    def predict(self) -> Array:
        """`logits` of the state as it is."""
        self._functions.predict(*self._addresses)
        return self.logits

    def _step_along(self, character: int, companion: Companion) -> None:
        before = time.perf_counter()
        self._functions.step_along(character, self._shared.ctypes.data, *self._addresses)
        together, now = bool(self._shared[HELPED]), time.perf_counter()
        if not together and self._worth.wanted(now):
            companion.call(self._serve)
            now = time.perf_counter()
        self._worth.took(now - before, together=together, now=now)

    def _serve(self) -> None:
        """The companion's part, until nothing has been asked of it for a while."""
        self._functions.serve(_PATIENCE, self._shared.ctypes.data, *self._addresses)


@functools.cache
def is_right() -> bool:
    """Whether steps of a small model are those of the readable reference: a compiler is not to be believed unseen."""
    config = ModelConfig(vocab_size=5, hidden_size=80, num_layers=2)
    parameters = Parameters.initial(config, 1)
    parameters.flat += np.random.default_rng(1).normal(0, 0.1, parameters.flat.shape).astype(np.float32)
    row = CompiledRow(config, laid_out(parameters), np.zeros((2, 1, 80), np.float32))
    h = np.zeros((2, 1, 80))
    for character in range(5):
        x = np.eye(5)[[character]]
        for i in range(2):
            W, U_zr, U_h, b = (parameters[f"layers.{i}.{name}"] for name in ("W", "U_zr", "U_h", "b"))
            x = h[i] = gru.step(x @ W + b, h[i], U_zr, U_h)[0]
        expected = x @ parameters["output.W_y"] + parameters["output.b_y"]
        if not float(abs(row.step(np.array([character])) - expected).max()) <= _CLOSE:
            return False
    return True


def step_functions(config: ModelConfig) -> StepFunctions:
    """Those for models of this shape, compiled when they are first asked for."""
    return _step_functions(config.vocab_size, config.hidden_size, config.num_layers)


@compiler.once
def _step_functions(V: int, H: int, L: int) -> StepFunctions:
    from chargru.engine.fused.step_code import step_module

    code = compiler.compiled(lambda _: step_module(step_layout(ModelConfig(V, H, L)), compiler.triple()))
    return StepFunctions(**code.functions(step=(1, 4), predict=(0, 4), step_along=(1, 5), serve=(1, 5)))
