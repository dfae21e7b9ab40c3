"""What a training learns when a GPU multiplies in TF32 or bfloat16, computed on a processor that rounds as they do.

    python benchmarks/precision_learning.py TEXT [--steps 1750] [--seeds 1,2,3] [--units 192] [--layers 2] [--json FILE]

The factors of a time step's products are rounded to the precision, those of all other products to TF32 (float32: none),
and sums, states, gates, gradients and weights are float32: what the kernels of tensor.cu and cuBLAS compute, but for
the order of sums. One process a training, as many side by side as there are cores. The settings are those of
`chargru train --steps`, the loss is that of the held-out tenth by one stateful pass. Says nothing about speed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from common import print_table

from chargru.config import TrainRequest
from chargru.engine import available_cores, shard
from chargru.engine.fused.numpy_gru import PackedLayer, SequenceGru
from chargru.engine.output import OutputWeights, SoftmaxOutput
from chargru.events import Finished
from chargru.training.session import open_session

PRECISIONS = ("float32", "tf32", "bf16")
_HALF, _KEPT = {"tf32": 0x1000, "bf16": 0x7FFF}, {"tf32": 0xFFFFE000, "bf16": 0xFFFF0000}

precision = "float32"


def rounded(x: np.ndarray, kind: str) -> np.ndarray:
    """The nearest numbers of a kind, as float32."""
    if precision == "float32":
        return x
    bits = np.ascontiguousarray(x).view(np.uint32)
    even = (bits >> 16 & 1) if kind == "bf16" else 0
    return ((bits + np.uint32(_HALF[kind]) + even) & np.uint32(_KEPT[kind])).view(np.float32)


def step(x: np.ndarray) -> np.ndarray:
    return rounded(x, precision)


def large(x: np.ndarray) -> np.ndarray:
    return rounded(x, "tf32")


class RoundedLayer(PackedLayer):
    def pack(self, W: np.ndarray, U_zr: np.ndarray, U_h: np.ndarray, b: np.ndarray) -> None:
        super().pack(W, step(U_zr), step(U_h), b)


class RoundedGru(SequenceGru):
    """One way through the loops that shows every product; slower than NumPy's own."""

    def read(self, x: np.ndarray, weights: Any) -> None:
        N, H = x.shape
        for gate in range(3):
            np.matmul(large(x), large(weights.W[gate]), out=self.a[gate].reshape(N, H))
            self.a[gate] += weights.b[gate]

    def forward(self, weights: Any) -> None:
        (U_z, U_r), U_h = weights.U_zr[:, 0, 0], weights.U_h[0, 0]
        for t in range(self.shape[0]):
            h, (z, r, h_tilde), kept = self.h[t], self.a[:, t], t % self.kept
            low = step(h)
            z[...] = 0.5 + 0.5 * np.tanh(z + low @ U_z)
            r[...] = 0.5 + 0.5 * np.tanh(r + low @ U_r)
            np.multiply(r, h, out=self.s[kept])
            h_tilde[...] = np.tanh(h_tilde + step(self.s[kept]) @ U_h)
            np.subtract(h_tilde, h, out=self.d[kept])
            self.h[t + 1] = h + z * self.d[kept]

    def backward(self, weights: Any) -> None:
        (U_z_T, U_r_T), U_h_T = weights.U_zr_T[:, 0, 0], weights.U_h_T[0, 0]
        carried = np.zeros_like(self.h[0])
        for t in reversed(range(self.shape[0])):
            (z, r, h_tilde), (da_z, da_r, da_h) = self.a[:, t], self.da[:, t]
            g = self.dh[t] + carried
            da_h[...] = g * z * (1 - h_tilde * h_tilde)
            da_z[...] = g * z * (1 - z) * self.d[t]
            ds = step(da_h) @ U_h_T
            da_r[...] = ds * self.s[t] * (1 - r)
            carried = g * (1 - z) + ds * r + step(da_z) @ U_z_T + step(da_r) @ U_r_T

    def recurrent_gradients(self, dU_zr: np.ndarray, dU_h: np.ndarray) -> None:
        T, B, H = self.shape
        before, da = large(self.h[:T].reshape(T * B, H)).T, large(self.da.reshape(3, T * B, H))
        for gate in range(2):
            np.matmul(before, da[gate], out=dU_zr[:, gate * H : (gate + 1) * H])
        np.matmul(large(self.s.reshape(T * B, H)).T, da[2], out=dU_h)

    def input_gradients(self, x: np.ndarray, dW: np.ndarray, db: np.ndarray) -> None:
        N, H = x.shape
        for gate, da in enumerate(self.da.reshape(3, N, H)):
            np.matmul(large(x).T, large(da), out=dW[:, gate * H : (gate + 1) * H])
            np.sum(da, axis=0, out=db[gate * H : (gate + 1) * H])

    def gradient_below(self, weights: Any, dx: np.ndarray) -> None:
        N, H = dx.shape
        da = large(self.da.reshape(3, N, H))
        dx[...] = sum(da[i] @ large(weights.unhalved[:, i * H : (i + 1) * H]).T for i in range(3))


class RoundedOutput(SoftmaxOutput):
    def losses(self, h: np.ndarray, targets: np.ndarray, weights: OutputWeights) -> np.ndarray:
        low = OutputWeights()
        low.pack(large(weights.W_y), weights.b_y)
        return super().losses(large(h), targets, low)

    def gradients(self, h: Any, targets: Any, weights: Any, scale: float, dW_y: Any, db_y: Any, dh: Any) -> None:
        p = self._p
        p[self._rows, targets] -= 1
        p *= scale
        np.sum(p, axis=0, out=db_y)
        np.matmul(large(h).T, large(p), out=dW_y)
        np.matmul(large(p), large(weights.W_y).T, out=dh)


def learn(text: str, kind: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """One training, in this process."""
    global precision
    precision = kind
    shard.layer_weights = lambda inputs, H, dtype, *, first, train: RoundedLayer(inputs, H, dtype, train=train, width=H)
    shard.sequence = lambda T, B, H, dtype, *, train: RoundedGru(T, B, H, dtype, train=train, width=H)
    shard.output_weights = lambda H, V, dtype: OutputWeights()
    shard.softmax_output = RoundedOutput
    with tempfile.TemporaryDirectory() as runs:
        request = TrainRequest(
            corpus=text, steps=options.steps, hidden_size=options.units, num_layers=options.layers,
            seed=seed, threads=1, out=runs, backend="numpy", evaluations=4,
        )  # fmt: skip
        finished = list(open_session(request).run())[-1]
    assert isinstance(finished, Finished)
    return {"precision": kind, "seed": seed, "steps": finished.steps, "loss": finished.val_loss}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text")
    parser.add_argument("--steps", type=int, default=1750)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--units", type=int, default=192)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", help=argparse.SUPPRESS)  # of one process: precision and seed
    options = parser.parse_args()
    if options.only:
        kind, seed = options.only.split(",")
        print(json.dumps(learn(options.text, kind, int(seed), options)))
        return
    found: list[dict[str, Any]] = []

    def one(job: tuple[str, str]) -> None:
        words = ["--steps", str(options.steps), "--units", str(options.units), "--layers", str(options.layers)]
        command = [sys.executable, __file__, options.text, *words, "--only", ",".join(job)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        found.append(json.loads(told))
        print(told, flush=True)
        if options.json:
            options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")

    with ThreadPoolExecutor(available_cores()) as pool:
        jobs = [(kind, seed) for seed in options.seeds.split(",") for kind in PRECISIONS]
        for _ in pool.map(one, jobs):
            pass
    columns = ("precision", *(f"seed {seed}" for seed in options.seeds.split(",")))
    losses = {(each["precision"], str(each["seed"])): f"{each['loss']:.4f}" for each in found}
    print_table(columns, [(kind, *(losses[kind, seed] for seed in options.seeds.split(","))) for kind in PRECISIONS])


if __name__ == "__main__":
    main()
