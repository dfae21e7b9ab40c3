"""A checkpoint comes back to the bit, and what cannot is refused in one line. Malformed files: test_malformed."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from chargru.engine.parameters import Parameters
from chargru.errors import CheckpointError
from chargru.storage.checkpoint import load, peek, save
from chargru.storage.metadata import to_plain

from .samples import Parts, make_checkpoint, same, saved_bytes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("hidden", "layers", "batch", "letters"),
    [(1, 1, 1, "a"), (3, 2, 4, "\x00a😀"), (8, 6, 1, "한국어"), (33, 1, 7, "ab")],
)
def test_everything_comes_back_to_the_bit(
    hidden: int, layers: int, batch: int, letters: str, dtype: str, tmp_path: Path
) -> None:
    checkpoint = make_checkpoint(hidden=hidden, layers=layers, batch=batch, letters=letters, dtype=dtype)
    checkpoint.weights[0] = -0.0
    checkpoint.adam_v[0] = np.finfo(dtype).smallest_subnormal
    checkpoint.adam_m[0] = np.finfo(dtype).max
    save(checkpoint, tmp_path / "file.safetensors")
    loaded = load(tmp_path / "file.safetensors")
    assert same(loaded, checkpoint)
    assert all(array.flags.writeable for array in (loaded.weights, loaded.averaged, loaded.adam_m, loaded.state))


def test_the_file_is_a_safetensors_file_with_the_engine_s_names_and_shapes(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(layers=2)
    save(checkpoint, tmp_path / "file.safetensors")
    tensors = safetensors.numpy.load_file(tmp_path / "file.safetensors")
    for group in ("weights", "averaged"):
        views = Parameters(checkpoint.model, buffer=getattr(checkpoint, group)).views
        for name, view in views.items():
            np.testing.assert_array_equal(tensors.pop(f"{group}.{name}"), view)
    np.testing.assert_array_equal(tensors.pop("state"), checkpoint.state)
    assert set(tensors) == {"adam_m", "adam_v"}


def test_saving_the_same_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    assert saved_bytes(tmp_path) == saved_bytes(tmp_path)


def test_an_array_that_is_not_contiguous_is_saved_right(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(batch=4)
    turned = make_checkpoint(batch=4, state=np.asfortranarray(checkpoint.state))
    spread = make_checkpoint(batch=4, weights=np.repeat(checkpoint.weights, 2)[::2])
    for each in (turned, spread):
        save(each, tmp_path / "file.safetensors")
        assert same(load(tmp_path / "file.safetensors"), checkpoint)


def test_peek_gives_the_metadata_without_reading_the_tensors(tmp_path: Path) -> None:
    data = saved_bytes(tmp_path)
    path = tmp_path / "file.safetensors"
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert to_plain(peek(path)) == to_plain(make_checkpoint())
    with pytest.raises(CheckpointError, match="SHA-256"):
        load(path)


def test_loading_needs_little_more_memory_than_the_arrays(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(hidden=200)
    size = 4 * checkpoint.weights.nbytes
    save(checkpoint, tmp_path / "file.safetensors")
    tracemalloc.start()
    try:
        load(tmp_path / "file.safetensors")
        assert size < tracemalloc.get_traced_memory()[1] < 1.3 * size + (1 << 20)
    finally:
        tracemalloc.stop()


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    path = str(tmp_path / "file.safetensors")
    save(make_checkpoint(), path)
    assert same(load(path), make_checkpoint())
    assert peek(path).step == 3


@pytest.mark.parametrize("name", ["weights", "averaged", "adam_m", "adam_v", "state"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_not_saved(name: str, bad: float, tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    save(make_checkpoint(1), path)
    checkpoint = make_checkpoint(2)
    getattr(checkpoint, name).reshape(-1)[-1] = bad
    with pytest.raises(CheckpointError, match=f"{name} holds numbers that are not finite"):
        save(checkpoint, path)
    assert same(load(path), make_checkpoint(1))


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.zeros(3, np.float32)},
        {"adam_v": np.zeros((2, 2), np.float32)},
        {"state": np.zeros((1, 3, 3), np.float32)},
        {"state": np.zeros((1, 2, 3), np.float64)},
        {"averaged": [0.0]},
        {"val_loss": float("nan")},
        {"val_loss": "low"},
        {"vocabulary": make_checkpoint(letters="ab").vocabulary},
        {"history": [{"loss": b"bytes"}]},
        {"created": None},
    ],
)
def test_what_does_not_fit_together_is_not_saved(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"file\.safetensors was not saved: ."):
        save(make_checkpoint(**changes), tmp_path / "file.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_header_that_would_be_refused_is_not_written(tmp_path: Path) -> None:
    history = [{"note": "한" * 2000} for _ in range(200)]
    with pytest.raises(CheckpointError, match="do not fit in the header"):
        save(make_checkpoint(history=history), tmp_path / "file.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_told_with_its_name(tmp_path: Path) -> None:
    for read in (load, peek):
        with pytest.raises(CheckpointError, match=r"missing\.safetensors cannot be used: there is no such file"):
            read(tmp_path / "missing.safetensors")
    with pytest.raises(CheckpointError, match="was not saved: there is no such file or directory"):
        save(make_checkpoint(), tmp_path / "missing" / "file.safetensors")


@pytest.mark.usefixtures("no_hanging")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_not_a_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, kind in {
        tmp_path / "pipe": "a named pipe",
        tmp_path: "a directory",
        Path("/dev/zero"): "a device",
    }.items():
        for read in (load, peek):
            with pytest.raises(CheckpointError, match=kind):
                read(path)


@pytest.mark.parametrize("path", ["a\0b", "n" * 5000])
def test_impossible_paths_are_refused(path: str) -> None:
    for read in (load, peek):
        with pytest.raises(CheckpointError, match=r"."):
            read(path)


def test_the_message_is_one_printable_line_whatever_the_file_is_called_and_holds(tmp_path: Path) -> None:
    parts = Parts(saved_bytes(tmp_path))
    parts.meta["model"]["\x1b[31m\n" * 1000] = 1
    path = tmp_path / "evil\x1b[2J\n\u202e.safetensors"
    path.write_bytes(parts.seal().join())
    with pytest.raises(CheckpointError, match="unknown setting") as raised:
        load(path)
    assert raised.value.message.isprintable()
    assert len(raised.value.message) < 1000
    assert raised.value.hint


def test_memory_that_runs_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_bytes(tmp_path)

    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "empty", full)
    with pytest.raises(CheckpointError, match="not enough memory"):
        load(tmp_path / "original.safetensors")
