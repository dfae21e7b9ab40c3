"""What is said when a device's memory is full, and what networks and lessons take of it."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig, SamplingConfig, TrainingConfig
from chargru.engine import DeviceLesson, DeviceNetwork, Parameters
from chargru.engine.device_memory import lesson_bytes, network_bytes, told_if_full
from chargru.engine.device_sampling import DeviceSampler, _bytes
from chargru.errors import BackendError
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

MODEL = ModelConfig(vocab_size=30, hidden_size=64, num_layers=2)


class Full:
    """An array library that is out of memory after so many bytes."""

    def __init__(self, xp, size):
        self._xp, self._left = xp, size

    def _take(self, shape, dtype):
        self._left -= int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self._left < 0:
            raise MemoryError

    def empty(self, shape, dtype):
        self._take(shape, dtype)
        return self._xp.empty(shape, dtype)

    def zeros(self, shape, dtype):
        self._take(shape, dtype)
        return self._xp.zeros(shape, dtype)

    def __getattr__(self, name):
        return getattr(self._xp, name)


def small_device(size):
    device = emulated_device()
    device.xp, device.memory = Full(device.xp, size), lambda: (size, 4 * size)
    return device


def test_a_batch_that_would_fit_is_told():
    size = int(network_bytes(MODEL, 8, 16, "float32") * 1.3)
    with pytest.raises(BackendError, match=r"memory is full: .* GiB are needed, .* were free") as error:
        DeviceNetwork(small_device(size), MODEL, 32, 16)
    assert error.value.hint == "a batch of 8 would fit: --batch-size 8"
    DeviceNetwork(small_device(size), MODEL, 8, 16)


def test_a_lesson_counts_all_that_it_needs():
    training = TrainingConfig(steps=1, batch_size=32, seq_len=16)
    ids = np.zeros(5000, int)
    size = int(lesson_bytes(MODEL, 8, 16, 5000, "float32") * 1.3)
    with pytest.raises(BackendError) as error:
        DeviceLesson(small_device(size), ids, MODEL, training)
    assert error.value.hint == "a batch of 8 would fit: --batch-size 8"


def test_a_network_too_large_for_any_batch():
    with pytest.raises(BackendError) as error:
        DeviceNetwork(small_device(1000), MODEL, 32, 16)
    assert "--hidden-size" in error.value.hint


def test_completions_that_would_fit_are_told():
    size = int(_bytes(MODEL, 32, 16) * 1.3)
    with pytest.raises(BackendError, match="full") as error:
        DeviceSampler(small_device(size), Parameters(MODEL), 1000, SamplingConfig())
    assert error.value.hint == "15 completions at once would fit (--count)"


def test_other_errors_are_not_taken_for_a_full_memory():
    with pytest.raises(KeyError), told_if_full(emulated_device(), 1, lambda rows: rows):
        raise KeyError


@needs_compiler
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_lessons_bytes_are_what_is_allocated(decay):
    training = TrainingConfig(steps=1, batch_size=5, seq_len=3, weight_decay=decay)
    ids = np.zeros(77, int)
    device = emulated_device()
    DeviceLesson(device, ids, MODEL, training)
    allocated = device.xp.taken
    copied = 4 * Parameters(MODEL).flat.size if decay else 0  # by device.array, outside of xp
    assert allocated + copied == lesson_bytes(MODEL, 5, 3, 77, "float32", decay=decay > 0)
