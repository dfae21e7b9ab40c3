"""Every kernel at two shapes, for NVIDIA's compute-sanitizer to look at.

    compute-sanitizer --tool memcheck python benchmarks/gpu_sanitize.py

Arrays are allocated one by one: in the memory of a pool, which is taken from CUDA in large pieces, the end of an array
is not the end of anything that the sanitizer knows of. Nothing is timed, and torch is not imported.
"""

from __future__ import annotations

import math
import sys

import common  # noqa: F401  which makes the package importable
import numpy as np

from chargru.config import PRECISIONS, ModelConfig, SamplingConfig, TrainingConfig
from chargru.engine import Device, DeviceLesson, sample_many
from chargru.engine.backend import open_device
from chargru.engine.fused import cell_launches as cell
from chargru.engine.fused.cupy_gru import run
from chargru.engine.fused.kernels import DeviceArray
from chargru.engine.fused.tensor_gru import TensorLayer, TensorSequence
from chargru.engine.fused.tensor_launches import TILES
from chargru.engine.fused.variants import make_layer, variants_for
from chargru.errors import BackendError

SHAPES = ((29, 40, 2, 6, 7), (65, 160, 1, 4, 33))  # characters, units, layers, steps, rows
UPDATES = 3  # the first loads the kernels, the second captures them, the third replays that


def exercise(device: Device, V: int, H: int, L: int, T: int, B: int) -> None:
    """Updates by every variant with everything that can be dropped, an evaluation, and draws of every kind."""
    model = ModelConfig(V, H, L)
    training = TrainingConfig(
        steps=9, batch_size=B, seq_len=T, dropout=0.2, weight_drop=0.1, state_reset=0.2, weight_decay=0.1
    )
    ids = np.random.default_rng(1).integers(0, V, 50 * B).astype(np.int32)
    for variant in variants_for(device.precision):
        lesson = DeviceLesson(device, ids, model, training, variant=variant)
        for _ in range(UPDATES):
            lesson.update(1e-3)
        assert all(map(math.isfinite, sum(lesson.collect(), ()))), "an update went wrong"
        window = [device.array(ids[i : i + T * B].reshape(T, B)) for i in (0, 1)]
        assert np.isfinite(lesson.network.losses(lesson.averaged, *window)).all()
    prompts = [ids[:3], ids[:1]]  # of different lengths: one begins later
    for kind in ({}, {"temperature": 0.0}, {"top_k": 5, "top_p": 0.9, "min_p": 0.01}):
        drawn = list(sample_many(device, lesson.averaged, prompts, SamplingConfig(count=3, length=4, seed=1, **kind)))
        assert all(chunk.ids.shape[0] == 6 for chunk in drawn)


def every_tile(device: Device, H: int, T: int, B: int) -> None:
    """A window forward and back with each tile that there is: those that fit other sizes too."""
    with device.active():
        if "tensor" not in variants_for(device.precision):
            every_row(device, H, B)
            return
        weights = make_layer(device, "tensor", H, train=True)
        assert isinstance(weights, TensorLayer)
        for tile in TILES:
            sequence = TensorSequence(device, weights, zeros(device, T + 1, B, H), train=True, tile=tile)
            for array in (weights.U_zr, weights.U_h, weights.b, sequence.a, sequence.dh):
                array.fill(0.01)
            run([*weights.copies(), *sequence.forward, *sequence.backward])
            assert np.isfinite(device.host(sequence.da)).all(), "a step went wrong"


def every_row(device: Device, H: int, B: int) -> None:
    """The float32 kernels of a step with as many rows for a block as there can be."""
    launcher, (U_zr, U_zr_T, U_h) = device.launcher, (zeros(device, *each) for each in ((H, 2 * H), (2 * H, H), (H, H)))
    a, da, before = (zeros(device, B, 3 * H) for _ in range(3))
    h, s, carry, q, dh = (zeros(device, B, H) for _ in range(5))
    b = zeros(device, 3 * H)
    for rows in cell.ROWS:
        cell.gru_gates(launcher, U_zr, b, a, h, s, rows)()
        cell.gru_candidate(launcher, U_h, b, a, h, s, h, rows)()
        cell.gru_back_first(launcher, U_zr_T, U_h, a, h, da, carry, q, rows)()
        cell.gru_back_second(launcher, U_zr_T, da, q, dh, a, h, before, carry, rows)()
        cell.dense(launcher, h, U_zr, zeros(device, B, 2 * H), rows)()
    assert np.isfinite(device.host(before)).all(), "a step went wrong"


def zeros(device: Device, *shape: int) -> DeviceArray:
    found = device.xp.empty(shape, "float32")
    found.fill(0)
    return found


def main() -> int:
    try:
        devices = [open_device(precision) for precision in PRECISIONS]
    except BackendError as error:
        print(f"no GPU to look at: {error.message}", file=sys.stderr)
        return 3
    devices[0].xp.cuda.set_allocator(None)
    for shape in SHAPES:
        for device in devices:
            exercise(device, *shape)
            every_tile(device, shape[1], *shape[3:])
    print(f"every kernel ran at {len(SHAPES)} shapes, in {' and '.join(PRECISIONS)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
