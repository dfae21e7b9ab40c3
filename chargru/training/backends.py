"""Which backend a training gets, and what follows from it: sizes, memory, what there is to tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chargru.config import ModelConfig, TrainingConfig, TrainRequest
from chargru.engine import Backend, available_cores, blas, choose_backend
from chargru.engine.backend import explained
from chargru.engine.device import Device
from chargru.engine.fused import choice
from chargru.errors import BackendError, ConfigError
from chargru.training import autotune, device_memory, memory
from chargru.training.device_speed import device_speed
from chargru.training.machines import sizes_on_gpu
from chargru.training.trusted import verify

Made = TypeVar("Made")


def backend_for(request: TrainRequest) -> Backend:
    """The backend that was asked for.

    Raises:
        BackendError: it cannot be had.
    """
    return choose_backend(request.backend, request.precision or "float32", verify)


def backend_again(request: TrainRequest, training: TrainingConfig, backend: Backend) -> Backend:
    """The backend for a run that goes on, which may have been made with numbers that a GPU is not for."""
    if backend.gpu is None:
        return backend
    if training.dtype != "float32":
        reason = f"this run is in {training.dtype}, and the GPU path is float32 only"
        if request.backend == "cupy":
            raise ConfigError(reason, "go on with --backend numpy")
        return dataclasses.replace(choose_backend("numpy"), note=f"computing on the processor: {reason}")
    if training.precision == backend.gpu.precision:
        return backend
    return choose_backend(request.backend, training.precision, verify)


def attempted(request: TrainRequest, backend: Backend, work: Callable[[Backend], Made]) -> tuple[Backend, Made]:
    """What `work` makes on the backend, or on NumPy's where a GPU that nobody insisted on fails at it.

    Raises:
        BackendError: a GPU that was insisted on fails at it.
    """
    if backend.gpu is None:
        return backend, work(backend)
    try:
        with explained():
            return backend, work(backend)
    except BackendError as error:
        if request.backend == "cupy":
            raise
        note = f"computing on the processor: {error.message}"
    backend = dataclasses.replace(choose_backend("numpy"), note=note)
    return backend, work(backend)


def about(backend: Backend, model: ModelConfig, training: TrainingConfig) -> tuple[str, ...]:
    """What there is to tell of the place where it is computed, a line each."""
    if backend.gpu is not None:
        return ()
    told = (
        backend.note,
        "" if blas.known() else blas.UNKNOWN,
        choice.missed(model.hidden_size, training.dtype),
        "" if training.precision == "float32" else f"{training.precision} is a GPU's: NumPy computes in float32",
    )
    return tuple(note for note in told if note)


def with_room(
    request: TrainRequest, backend: Backend, model: ModelConfig, training: TrainingConfig, characters: int
) -> Backend:
    """The backend, or NumPy's where these sizes do not fit the GPU's memory and no GPU was insisted on.

    Raises:
        ConfigError: there is no memory for these sizes, with some that fit.
    """
    if backend.gpu is not None:
        try:
            device_memory.refuse_impossible(backend.gpu, model, training, characters)
            return backend
        except ConfigError as error:
            if request.backend == "cupy":
                raise
            note = f"computing on the processor: {error.message} ({error.hint})"
            backend = dataclasses.replace(choose_backend("numpy"), note=note)
    memory.refuse_impossible(model, training, request.threads or available_cores())
    return backend


def sizes_for_device(
    device: Device, budget: Mapping[str, Any], request: TrainRequest, characters: int, vocab_size: int
) -> autotune.Sizes:
    """Sizes for a GPU, for a text of so many characters; `budget` has one of time, steps and epochs."""
    return sizes_on_gpu(
        budget,
        characters,
        vocab_size,
        lambda: device_speed(device),
        device.memory()[0],
        batch_size=request.batch_size,
        seq_len=request.seq_len,
    )
