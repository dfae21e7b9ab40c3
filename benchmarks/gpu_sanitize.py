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
from chargru.engine.fused.variants import variants_for
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
    print(f"every kernel ran at {len(SHAPES)} shapes, in {' and '.join(PRECISIONS)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
