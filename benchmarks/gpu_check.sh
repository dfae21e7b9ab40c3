#!/bin/sh
# Every test and benchmark that needs a GPU, under nine minutes; the figures go to benchmarks/gpu_results.md.
# PYTHON chooses another Python than python3: one with NumPy, CuPy, pytest, safetensors, tqdm and (as a peer) torch.
set -eu
exec "${PYTHON:-python3}" "$(dirname "$0")/gpu_check.py" "$@"
