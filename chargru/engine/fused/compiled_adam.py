"""The optimizer's update in compiled code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chargru.engine.fused import compiler
from chargru.engine.fused.choice import why_not
from chargru.engine.parameters import Array

_MANY = 50_000  # weights, from which on compiling their update pays


class AdamFunctions(NamedTuple):
    """Compiled for any number of weights; what each is given stands in `update_code`."""

    adam: Any
    adam_decayed: Any
    code: compiler.Compiled

    def __call__(self, stretch: slice, numbers: Array, flats: tuple[Array, ...], decayed: Array | None) -> None:
        """Update a stretch of flat buffers (w, g, m, v, averaged), a multiple of 16 long."""
        arrays = compiler.addresses(numbers, *(each[stretch] for each in flats))
        if decayed is None:
            self.adam(stretch.stop - stretch.start, *arrays)
        else:
            self.adam_decayed(stretch.stop - stretch.start, *arrays, *compiler.addresses(decayed[stretch]))


def compiled_adam(count: int, dtype: npt.DTypeLike) -> AdamFunctions | None:
    """The update of `count` weights (see `update_code`), or None where NumPy's is to be used."""
    return None if count < _MANY or np.dtype(dtype) != np.float32 or why_not() else _adam()


@compiler.once
def _adam() -> AdamFunctions:
    from chargru.engine.fused.update_code import update_module

    code = compiler.compiled(lambda _: update_module())
    return AdamFunctions(**code.functions(adam=(1, 6), adam_decayed=(1, 7)))
