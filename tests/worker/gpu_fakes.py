"""Processes that stand in for the one with a GPU, started as `python -m tests.worker.gpu_fakes KIND`."""

from __future__ import annotations

import os
import sys
import time

from chargru.errors import BackendError
from chargru.worker import gpu
from tests.engine.cuda_on_cpu import emulated_device


def refuse(precision: str) -> None:
    raise BackendError("the self-check on it failed: dU_h is off", "use --backend numpy")


def main(kind: str) -> int:
    if kind == "emulated":
        from chargru.training import device_speed

        device_speed.device_speed = lambda device: device_speed.DeviceSpeed(8e-6, 3e13)  # type: ignore[assignment]
        return gpu.main(emulated_device)
    if kind == "refused":
        return gpu.main(refuse)  # type: ignore[arg-type]
    sys.stdin.readline()
    if kind == "dies":
        os.abort()
    if kind == "babbles":
        sys.stdout.write("half a line {\n")
    if kind == "odd":
        sys.stdout.write('{"name": "it"}\n{"end": true}\n')  # no speed
    if kind == "sleeps":
        time.sleep(60)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
