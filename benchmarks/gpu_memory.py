"""What training takes of a GPU's memory: foretold, taken, and whether it stays flat.

    python benchmarks/gpu_memory.py [--updates 2000] [--json FILE]

Taken is what is missing of the device's free memory, CUDA's own context and cuBLAS included where it is the first.
"""

from __future__ import annotations

import time

import gpu_shapes
import numpy as np
from gpu_common import arguments, device, machine, print_table, write

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine.device_lesson import DeviceLesson
from chargru.training.device_memory import bytes_needed

V, CHARACTERS = 65, 1_000_000
SHAPES = gpu_shapes.MEMORY


def main() -> None:
    parser = arguments(__doc__, 0.0)
    parser.add_argument("--updates", type=int, default=600)
    options = parser.parse_args()
    gpu = device()
    print(f"{machine(gpu)}\n")
    ids = np.random.default_rng(0).integers(0, V, CHARACTERS).astype(np.uint8)
    begin, figures, rows = time.monotonic(), [], []
    for H, B, T, L in SHAPES:
        if time.monotonic() - begin > options.limit:
            break
        model, training = ModelConfig(V, H, L), TrainingConfig(steps=1, batch_size=B, seq_len=T, dropout=0.1)
        gpu.free_pool()
        before, _ = gpu.memory()
        lesson = DeviceLesson(gpu, ids, model, training)
        marks: list[int] = []
        each = max(1, min(64, (1 << 24) // (B * H)))  # updates that are waited for together: few where they are long
        for part in range(4):
            updates = 3 if part == 0 else max(1, options.updates // 3)
            for _ in range(updates):
                if time.monotonic() - begin > options.limit:
                    break
                lesson.update(1e-4)
                if lesson.step % each == 0:
                    lesson.collect()
            lesson.collect()
            marks.append(before - gpu.memory()[0])
        told = bytes_needed(model, B, T, CHARACTERS)
        figures.append({"shape": (H, B, T, L), "foretold": told, "taken": marks})
        write(options.json, figures)
        rows.append((gpu_shapes.shape(H, B, T, L), f"{told / 2**20:,.0f}", *(f"{each / 2**20:,.0f}" for each in marks)))
        print(rows[-1], flush=True)
        del lesson
    print()
    print_table(("shape", "foretold, MiB", "taken at first", "after a third", "two thirds", "all updates"), rows)


if __name__ == "__main__":
    main()
