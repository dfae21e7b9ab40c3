"""Windows over the ring: nothing dropped, nothing out of order, and resuming is going on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.text import stream as stream_module
from chargru.text.stream import WindowStream, fit_shape, identity, split

SMALL = st.integers(1, 12)


@given(st.integers(1, 60), SMALL, SMALL, st.integers(0, 200))
def test_every_window_is_the_text_read_round_the_ring(length: int, batch: int, steps: int, position: int) -> None:
    ids = np.arange(length)
    stream = WindowStream(ids, batch, steps, position)
    for _ in range(3):
        start = stream.position
        inputs, targets = stream.next_window()
        assert inputs.shape == targets.shape == (steps, batch)
        assert inputs.dtype == targets.dtype == np.intp
        for b in range(batch):
            for t in range(steps):
                place = b * length // batch + start + t
                assert inputs[t, b] == place % length
                assert targets[t, b] == (place + 1) % length
        assert stream.position == start + steps


@given(SMALL, SMALL, st.integers(1, 5), st.integers(0, 50))
def test_each_character_is_predicted_exactly_once_an_epoch(batch: int, steps: int, windows: int, offset: int) -> None:
    length = batch * steps * windows
    stream = WindowStream(np.arange(length), batch, steps, position=offset * steps)
    begin = stream.epoch
    seen = np.concatenate([stream.next_window()[1].ravel() for _ in range(windows)])
    assert sorted(seen.tolist()) == list(range(length))
    assert stream.epoch == pytest.approx(begin + 1)


@given(st.integers(1, 60), SMALL, SMALL, st.integers(0, 20), st.integers(0, 20))
def test_resuming_equals_going_on(length: int, batch: int, steps: int, before: int, after: int) -> None:
    ids = np.random.default_rng(length).integers(0, 9, length).astype(np.uint8)
    whole = WindowStream(ids, batch, steps)
    for _ in range(before):
        whole.next_window()
    resumed = WindowStream(ids, batch, steps, whole.position)
    for _ in range(after):
        for one, two in zip(whole.next_window(), resumed.next_window(), strict=True):
            assert (one == two).all()
    assert whole.position == resumed.position
    assert whole.epoch == resumed.epoch


@given(st.integers(2, 60), SMALL, SMALL)
def test_each_reader_goes_on_where_it_stopped(length: int, batch: int, steps: int) -> None:
    stream = WindowStream(np.arange(length), batch, steps)
    _, before = stream.next_window()
    after, _ = stream.next_window()
    assert (before[-1] == after[0]).all()


def test_a_text_of_one_character_predicts_itself() -> None:
    inputs, targets = WindowStream(np.zeros(1, np.uint8), 2, 3).next_window()
    assert inputs.tolist() == targets.tolist() == [[0, 0]] * 3


def test_windows_are_contiguous_and_do_not_change_later() -> None:
    stream = WindowStream(np.arange(100, dtype=np.uint8), 4, 5)
    inputs, targets = stream.next_window()
    assert inputs.flags.c_contiguous
    assert targets.flags.c_contiguous
    copy = inputs.copy()
    stream.next_window()
    assert (inputs == copy).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_a_memory_map_gives_plain_arrays(tmp_path: Path, dtype: type) -> None:
    written = np.memmap(tmp_path / "ids", dtype=dtype, mode="w+", shape=(90,))
    written[:] = np.arange(90)
    written.flush()
    mapped = np.memmap(tmp_path / "ids", dtype=dtype, mode="r")
    one, two = WindowStream(mapped, 3, 7), WindowStream(np.arange(90), 3, 7)
    for _ in range(10):
        inputs, _ = one.next_window()
        assert type(inputs) is np.ndarray
        assert (inputs == two.next_window()[0]).all()


def test_a_far_position_is_exact() -> None:
    stream = WindowStream(np.arange(10), 2, 3, position=10**15 + 4)
    assert stream.next_window()[0].tolist() == [[4, 9], [5, 0], [6, 1]]
    assert stream.position == 10**15 + 7


@pytest.mark.parametrize(
    ("ids", "batch", "steps", "position"),
    [
        (np.zeros(0, np.uint8), 1, 1, 0),
        (np.zeros((2, 2), np.uint8), 1, 1, 0),
        (np.zeros(4), 1, 1, 0),
        (np.zeros(4, np.uint8), 0, 1, 0),
        (np.zeros(4, np.uint8), 1, 0, 0),
        (np.zeros(4, np.uint8), 1, 1, -1),
    ],
)
def test_impossible_streams(ids: np.ndarray, batch: int, steps: int, position: int) -> None:
    with pytest.raises(ValueError, match="must"):
        WindowStream(ids, batch, steps, position)


class TestSplit:
    def test_as_everyone_splits(self) -> None:
        train, val = split(np.zeros(1_115_394, np.uint8), 0.1)
        assert (len(train), len(val)) == (1_003_854, 111_540)

    @given(st.integers(1, 500), st.floats(0, 0.99))
    def test_nothing_is_lost_and_val_is_the_tail(self, length: int, fraction: float) -> None:
        ids = np.arange(length)
        train, val = split(ids, fraction)
        assert len(train) >= 1
        assert np.concatenate([train, val]).tolist() == ids.tolist()
        assert len(train) == max(1, int(length * (1 - fraction)))

    def test_views_not_copies(self) -> None:
        ids = np.arange(10)
        train, val = split(ids, 0.3)
        assert np.shares_memory(train, ids)
        assert np.shares_memory(val, ids)

    @pytest.mark.parametrize(("length", "fraction"), [(0, 0.1), (5, -0.1), (5, 1.0), (5, float("nan"))])
    def test_impossible_splits(self, length: int, fraction: float) -> None:
        with pytest.raises(ValueError, match=r"split|fraction"):
            split(np.zeros(length, np.uint8), fraction)


class TestFitShape:
    @given(st.integers(1, 5_000), st.integers(1, 80), st.integers(1, 200))
    def test_every_reader_has_a_window_of_its_own(self, length: int, batch: int, steps: int) -> None:
        fitted_batch, fitted_steps = fit_shape(length, batch, steps)
        assert 1 <= fitted_batch <= batch
        assert 1 <= fitted_steps <= steps
        assert fitted_batch * fitted_steps <= length
        if length >= 2 * batch * steps:
            assert (fitted_batch, fitted_steps) == (batch, steps)
        if fitted_steps < steps:
            assert fitted_batch == 1  # the batch shrinks first
        if length >= 2:
            assert 2 * fitted_batch * fitted_steps <= length

    @pytest.mark.parametrize(
        ("length", "fitted"),
        [
            (100_000, (32, 64)),
            (4_096, (32, 64)),
            (4_095, (31, 64)),
            (300, (2, 64)),
            (128, (1, 64)),
            (100, (1, 50)),
            (1, (1, 1)),
        ],
    )
    def test_examples(self, length: int, fitted: tuple[int, int]) -> None:
        assert fit_shape(length, 32, 64) == fitted

    @pytest.mark.parametrize("arguments", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
    def test_impossible_shapes(self, arguments: tuple[int, int, int]) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            fit_shape(*arguments)


class TestIdentity:
    @given(st.text(max_size=50))
    def test_is_the_hash_of_utf8(self, text: str) -> None:
        assert identity(text).sha256 == hashlib.sha256(text.encode()).hexdigest()
        assert identity(text).characters == len(text)

    def test_chunks_make_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text = "한글 and 🙂" * 9
        whole = identity(text)
        monkeypatch.setattr(stream_module, "_CHUNK", 4)
        assert identity(text) == whole

    def test_lone_surrogates_do_not_crash(self) -> None:
        assert identity("\ud800") != identity("\udfff")
