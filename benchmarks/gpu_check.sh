#!/bin/sh
# Every test and benchmark that needs a GPU, under nine minutes; the figures go to benchmarks/gpu_results.md.
# PYTHON chooses another Python than python3: one with NumPy, CuPy, pytest, safetensors, tqdm and (as a peer) torch.
set -eu
cd "$(dirname "$0")/.."
exec "${PYTHON:-python3}" benchmarks/gpu_check.py "$@"
