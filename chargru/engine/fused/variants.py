"""The ways through a time step on a device, and which of them is taken.

Nobody foresees which is the quickest on a GPU that has not been seen: where a device can be timed, those that compute
in its precision race over a few steps of the size in question, and the quickest trains.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from chargru.engine.fused.cupy_gru import (
    DeviceLayer,
    DeviceSequence,
    FusedSequence,
    GemmSequence,
    in_graphs,
    run,
    sequence_bytes,
)
from chargru.engine.fused.kernels import DeviceArray
from chargru.engine.fused.tensor_gru import TensorLayer, TensorSequence, tensor_bytes

if TYPE_CHECKING:
    from chargru.engine.device import Device

_SEQUENCES: dict[str, tuple[type[DeviceLayer], type[DeviceSequence]]] = {
    "gemm": (DeviceLayer, GemmSequence),
    "fused": (DeviceLayer, FusedSequence),
    "tensor": (TensorLayer, TensorSequence),
}
VARIANTS = tuple(_SEQUENCES)
_OF_PRECISION = {"float32": ("gemm", "fused"), "tf32": VARIANTS, "bf16": ("tensor",)}

_STEPS, _ROUNDS = 8, 5  # of a race
_SECONDS = 0.003  # that a contender runs in a round


def variants_for(precision: str) -> tuple[str, ...]:
    """Those that compute in a precision: what "gemm" and "fused" multiply in a step is float32."""
    return _OF_PRECISION[precision]


def make_layer(device: Device, variant: str, hidden_size: int, *, train: bool) -> DeviceLayer:
    """A layer's weights for this variant.

    Raises:
        ValueError: there is no such variant, or not in the device's precision.
    """
    if variant not in variants_for(device.precision):
        raise ValueError(f"there is no variant {variant} in {device.precision}")
    return _SEQUENCES[variant][0](device, hidden_size, train=train)


def make_sequence(device: Device, variant: str, weights: DeviceLayer, h: DeviceArray, *, train: bool) -> DeviceSequence:
    """A layer's buffers and loops, for weights that `make_layer` has made for the same variant."""
    return _SEQUENCES[variant][1](device, weights, h, train=train)


def layer_bytes(seq_len: int, batch_size: int, hidden_size: int, precision: str, *, train: bool) -> int:
    """What one layer's weights and buffers take at most, `h` not counted."""
    float32 = partial(sequence_bytes, seq_len, batch_size, hidden_size, train=train)
    if "tensor" not in variants_for(precision):
        return float32()
    rounded = tensor_bytes(batch_size, hidden_size, precision, train=train)
    return max(float32(), float32(transposed=False) + rounded)


def chosen(device: Device, batch_size: int, hidden_size: int) -> str:
    """The variant for steps of this size; a device remembers it, so that equal sizes always get the same.

    Where no clock tells, the last one that the precision has.
    """
    key = (batch_size, hidden_size)
    if key not in device.chosen:
        names = variants_for(device.precision)
        race = len(names) > 1 and device.can_be_timed
        device.chosen[key] = quickest({name: _seconds(device, name, *key) for name in names}) if race else names[-1]
    return device.chosen[key]


def quickest(seconds: dict[str, list[float]]) -> str:
    """The contender with the least median."""
    return min(seconds, key=lambda name: sorted(seconds[name])[len(seconds[name]) // 2])


def _seconds(device: Device, variant: str, batch_size: int, hidden_size: int) -> list[float]:
    """What a few steps forward and back take, several times over; of whatever the memory holds."""
    with device.active():
        h = device.xp.zeros((_STEPS + 1, batch_size, hidden_size), "float32")
        weights = make_layer(device, variant, hidden_size, train=True)
        sequence = make_sequence(device, variant, weights, h, train=True)
        work = in_graphs(device, [*sequence.forward, *sequence.backward])

        def timed(count: int) -> float:
            start = time.perf_counter()
            for _ in range(count):
                run(work)
            device.synchronize()
            return (time.perf_counter() - start) / count

        timed(2)  # the first loads the kernels, the second captures them
        count = max(1, min(100, int(_SECONDS / max(timed(2), 1e-6))))
        return [timed(count) for _ in range(_ROUNDS)]
