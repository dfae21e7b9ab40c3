"""Sizes that a GPU has no memory for are refused before anything is allocated, with sizes that fit."""

from __future__ import annotations

import re
import types

import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.errors import ConfigError
from chargru.training.device_memory import bytes_needed, fits, refuse_impossible


def device(free, total=24 << 30):
    return types.SimpleNamespace(name="Imaginary GPU", memory=lambda: (free, total))


def training(**sizes):
    return TrainingConfig(steps=1, **sizes)


def test_usual_sizes_fit_a_small_gpu():
    refuse_impossible(device(2 << 30), ModelConfig(65, 512, 2), training(batch_size=64), 1_000_000)


def test_everything_counts():
    base = bytes_needed(ModelConfig(65, 256, 2), 64, 64, 1_000_000)
    assert bytes_needed(ModelConfig(65, 512, 2), 64, 64, 1_000_000) > base
    assert bytes_needed(ModelConfig(65, 256, 3), 64, 64, 1_000_000) > base
    assert bytes_needed(ModelConfig(65, 256, 2), 128, 64, 1_000_000) > base
    assert bytes_needed(ModelConfig(65, 256, 2), 64, 128, 1_000_000) > base
    assert bytes_needed(ModelConfig(65, 256, 2), 64, 64, 2_000_000) == base + 4_000_000


@pytest.mark.parametrize(("hidden", "layers", "rows", "free"), [(2048, 2, 4096, 8), (8192, 6, 64, 16), (4096, 1, 1, 1)])
def test_what_does_not_fit_is_refused_with_what_does(hidden, layers, rows, free):
    gpu, model = device(free << 30), ModelConfig(65, hidden, layers)
    with pytest.raises(ConfigError) as refused:
        refuse_impossible(gpu, model, training(batch_size=rows, seq_len=256), 1_000_000)
    assert "of Imaginary GPU are free" in refused.value.message
    assert f"batch size {rows}" in refused.value.message
    found = re.search(r"--hidden-size (\d+) --layers (\d+) --batch-size (\d+)", refused.value.hint)
    assert found is not None
    smaller = ModelConfig(65, int(found[1]), int(found[2]))
    assert fits(free << 30, smaller, int(found[3]), 256, 1_000_000)
    assert (smaller.hidden_size, int(found[3])) < (hidden, rows)


def test_a_gpu_that_is_full_has_no_sizes_to_offer():
    with pytest.raises(ConfigError) as refused:
        refuse_impossible(device(1 << 20), ModelConfig(65, 512, 2), training(), 1_000_000)
    assert "--backend numpy" in refused.value.hint
