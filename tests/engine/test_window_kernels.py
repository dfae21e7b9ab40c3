"""The kernels into and out of a window, the optimizer's, and the random numbers, on the processor."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import TrainingConfig
from chargru.engine.fused import update_launches as update
from chargru.engine.fused import window_launches as into
from chargru.text.stream import WindowStream
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler, philox

pytestmark = needs_compiler

SEED, STEP = 2**62 + 12345678901, 2**33 + 5


class Bench:
    """A device with its counters set, and arrays on it."""

    def __init__(self, position=0, slot=0, order=0, rates=(0.0, 0.0, 0.0, 0.0)):
        self.device = emulated_device(order=order)
        self.launcher, self.xp = self.device.launcher, self.device.xp
        self.counters, self.rates = self.xp.empty(4, np.int64), self.xp.empty(4)
        into.set_update(self.launcher, self.counters, self.rates, (SEED, STEP, position, slot), rates)()
        self.rng = np.random.default_rng(1)

    def array(self, values, dtype=np.float32):
        values = np.asarray(values, dtype)
        found = self.xp.empty(values.shape, dtype)
        found[...] = values
        return found

    def run(self, launches):
        for launch in launches if isinstance(launches, tuple) else (launches,):
            launch()
        self.xp.check()


def test_philox_is_the_published_one():
    """The known answers of Random123 (Salmon et al. 2011)."""
    answers = {
        (0, 0): [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8],
        (0xFFFFFFFF, 0xFFFFFFFF): [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
    }
    for (counter, key), words in answers.items():
        assert philox.philox((counter,) * 4, (key, key)).tolist() == words
    words = [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]
    counters = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert philox.philox(counters, (0xA4093822, 0x299F31D0)).tolist() == words


@pytest.mark.parametrize("shape", [(1,), (511,), (513,), (3, 7, 41), (5000,)])
@pytest.mark.parametrize("kept", [1, 128, 205, 256])
def test_masks_are_their_twin_and_keep_what_they_promise(shape, kept):
    bench = Bench()
    x = bench.array(bench.rng.normal(size=shape))
    out = bench.xp.empty(shape)
    bench.run(into.drop(bench.launcher, x, out, bench.counters, 18, kept))
    mask = philox.mask(SEED, STEP, 18, kept, shape)
    assert np.array_equal(out, x * mask)
    if x.size == 5000:
        assert abs((mask != 0).mean() - kept / 256) < 0.03
        assert mask.max() == pytest.approx(256 / kept)
    bench.run(into.drop(bench.launcher, x, x, bench.counters, 18, kept))
    assert np.array_equal(out, x)


def test_masks_differ_by_part_step_and_seed():
    masks = [philox.mask(*words, 128, (4096,)) for words in [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2)]]
    for i, one in enumerate(masks):
        for other in masks[:i]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 0.06


@pytest.mark.parametrize(("n", "B", "T"), [(1, 1, 1), (10, 3, 4), (1000, 7, 13), (5, 4, 9)])
def test_windows_are_those_of_the_stream(n, B, T):
    ids = np.random.default_rng(n).integers(0, 100, n)
    for position in (0, 1, n - 1, n, 12345678901):
        bench = Bench(position)
        inputs, targets = bench.xp.empty((T, B), np.int32), bench.xp.empty((T, B), np.int32)
        bench.run(into.window(bench.launcher, bench.array(ids, np.int32), bench.counters, inputs, targets))
        expected = WindowStream(ids, B, T, position).next_window()
        assert np.array_equal(inputs, expected[0])
        assert np.array_equal(targets, expected[1])


def test_rows_are_gathered_and_summed_back():
    bench = Bench()
    for V, width, N in [(2, 3, 5), (65, 300, 700), (300, 129, 513)]:
        table = bench.array(bench.rng.normal(size=(V, width)))
        ids = bench.array(bench.rng.integers(0, V, N), np.int32)
        rows = bench.xp.empty((N, width))
        bench.run(into.gather_rows(bench.launcher, table, ids, rows))
        assert np.array_equal(rows, table[ids])
        dW = bench.xp.empty((V, width))
        bench.run(into.sum_rows_by_id(bench.launcher, ids, rows, dW))
        expected = np.zeros((V, width))
        np.add.at(expected, ids, rows.astype(np.float64))
        np.testing.assert_allclose(dW, expected, atol=2e-5)


def test_an_id_below_zero_reads_the_first_row():
    bench = Bench()
    table, rows = bench.array([[1, 2], [3, 4]]), bench.xp.empty((2, 2))
    bench.run(into.gather_rows(bench.launcher, table, bench.array([-1, 1], np.int32), rows))
    assert rows.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("forget", [0.0, 0.3, 1.0])
def test_states_begin_where_they_ended_or_are_forgotten(forget):
    bench, (L, T, B, H) = Bench(), (2, 3, 41, 5)
    state = bench.array(bench.rng.normal(size=(L, B, H)))
    h = bench.xp.empty((L, T + 1, B, H))
    h[:, 1:] = 7
    bench.run(into.begin_states(bench.launcher, state, h, bench.counters, forget))
    forgotten = philox.forgotten(SEED, STEP, into.FORGETTING, forget, B)
    assert np.array_equal(h[:, 0], np.where(forgotten[:, None], 0, state))
    assert (h[:, 1:] == 7).all()
    assert forgotten.any() == (forget > 0)
    assert forgotten.all() == (forget == 1)


@pytest.mark.parametrize("good", [False, True])
def test_states_end_where_the_window_did_if_it_was_a_good_one(good):
    bench, (L, T, B, H) = Bench(), (2, 3, 9, 5)
    state, h = bench.array(np.ones((L, B, H))), bench.array(bench.rng.normal(size=(L, T + 1, B, H)))
    bench.run(into.end_states(bench.launcher, h, state, bench.array([0, 0, 0, good])))
    assert np.array_equal(state, h[:, T] if good else np.ones((L, B, H)))


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (32, 32), (33, 70), (100, 5)])
def test_transpose(rows, columns):
    bench = Bench()
    x, out = bench.array(bench.rng.normal(size=(rows, columns))), bench.xp.empty((columns, rows))
    bench.run(into.transpose(bench.launcher, x, out))
    assert np.array_equal(out, x.T)


@pytest.mark.parametrize(("N", "V"), [(1, 1), (9, 2), (30, 65), (3, 5003)])
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_cross_entropy_and_its_gradient(N, V, size):
    bench = Bench()
    logits, b_y = bench.array(bench.rng.normal(size=(N, V)) * size), bench.array(bench.rng.normal(size=V))
    targets = bench.rng.integers(0, V, N)
    z = logits.astype(np.float64) + b_y
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    picked = np.arange(N), targets
    expected = -(z - z.max(axis=1, keepdims=True) - np.log(np.exp(z - z.max(1, keepdims=True)).sum(1, keepdims=True)))
    losses, before = bench.xp.empty(N), logits.copy()
    ids = bench.array(targets, np.int32)
    bench.run(into.cross_entropy(bench.launcher, logits, b_y, ids, losses, None))
    np.testing.assert_allclose(losses, expected[picked], rtol=2e-6, atol=5e-6 * size)
    assert np.array_equal(logits, before)
    bench.run(into.cross_entropy(bench.launcher, logits, b_y, ids, losses, 0.25))
    p[picked] -= 1
    np.testing.assert_allclose(logits, 0.25 * p, atol=5e-6 * max(1, size / 10))


def test_a_logit_that_is_not_a_number_is_a_loss_that_is_none():
    bench = Bench()
    logits, losses = bench.array(np.zeros((3, 40))), bench.xp.empty(3)
    logits[1, 33] = np.nan
    targets = bench.array([0, 0, 0], np.int32)
    bench.run(into.cross_entropy(bench.launcher, logits, bench.array(np.zeros(40)), targets, losses, None))
    assert np.isnan(losses).tolist() == [False, True, False]


@pytest.mark.parametrize(("N", "width"), [(1, 1), (255, 33), (1000, 100), (20000, 3)])
def test_columns_are_summed(N, width):
    bench = Bench()
    x, out = bench.array(bench.rng.normal(size=(N, width))), bench.xp.empty(width)
    partial = bench.xp.empty(into.column_parts(N) * width)
    bench.run(into.sum_columns(bench.launcher, x, partial, out))
    np.testing.assert_allclose(out, x.sum(axis=0, dtype=np.float64), atol=1e-5 * np.sqrt(N))


@pytest.mark.parametrize("n", [1, 255, 70000])
def test_sums_and_norms_are_added_up_in_double(n):
    bench = Bench()
    x, partial, verdict = bench.array(bench.rng.normal(size=n) + 3), bench.xp.empty(256, np.float64), bench.xp.zeros(4)
    bench.run(update.total(bench.launcher, x, partial, verdict, update.LOSS, scale=1 / n))
    bench.run(update.total(bench.launcher, x, partial, verdict, update.NORM, norm=True))
    assert verdict[0] == pytest.approx(x.mean(dtype=np.float64), rel=1e-7)
    assert verdict[1] == pytest.approx(np.linalg.norm(x.astype(np.float64)), rel=1e-7)


@pytest.mark.parametrize(
    ("loss", "norm"), [(1.5, 0.5), (1.5, 4.0), (np.nan, 1), (1, np.nan), (1, np.inf), (-np.inf, 1)]
)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_updates_and_what_stops_them(loss, norm, decay):
    config = TrainingConfig(steps=1, clip_norm=2.0, weight_decay=decay)
    bench = Bench(slot=2, rates=(0.01, 1e-8, 0.01 * decay, 0.25))
    flats = [bench.array(bench.rng.normal(size=300)) for _ in range(5)]
    w, averaged, m, v, _ = flats
    np.abs(v, out=v)
    before = [each.astype(np.float64) for each in flats]
    decayed = bench.array(np.arange(300) % 2) if decay else None
    verdict, history = bench.array([loss, norm, 0, 0]), bench.array(np.full((4, 2), 9))
    bench.run(update.judge(bench.launcher, verdict, bench.counters, history, config.clip_norm))
    bench.run(update.adam(bench.launcher, *flats, decayed, bench.rates, verdict, config))
    good = np.isfinite(loss) and np.isfinite(norm)
    assert verdict[update.OK] == good
    assert (history[[0, 1, 3]] == 9).all()
    if not good:
        assert np.isnan(history[2]).all()
        assert all(np.array_equal(now, old) for now, old in zip(flats, before, strict=True))
        return
    assert history[2].tolist() == [loss, norm]
    w0, averaged0, m0, v0, g0 = before
    g0 = g0 * min(1, 2 / norm)
    m0, v0 = 0.9 * m0 + 0.1 * g0, 0.99 * v0 + 0.01 * g0**2
    if decay:
        w0 = w0 * (1 - decayed * 0.01 * decay)
    w0 = w0 - 0.01 * m0 / (np.sqrt(v0) + 1e-8)
    averaged0 = averaged0 + 0.25 * (w0 - averaged0)
    for found, expected in zip((w, averaged, m, v), (w0, averaged0, m0, v0), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_no_order_of_threads_changes_a_bit(order):
    found = []
    for each in (0, order):
        bench = Bench(order=each)
        x = bench.array(bench.rng.normal(size=(600, 65)))
        losses, partial, verdict = bench.xp.empty(600), bench.xp.empty(256, np.float64), bench.xp.zeros(4)
        ids = bench.array(bench.rng.integers(0, 65, 600), np.int32)
        dW, db, rows = bench.xp.empty((65, 65)), bench.xp.empty(65), bench.xp.empty((65, 600))
        bench.run(into.cross_entropy(bench.launcher, x, bench.array(np.ones(65)), ids, losses, 0.1))
        bench.run(into.sum_rows_by_id(bench.launcher, ids, x, dW))
        bench.run(into.sum_columns(bench.launcher, x, bench.xp.empty(into.column_parts(600) * 65), db))
        bench.run(into.transpose(bench.launcher, x, rows))
        bench.run(update.total(bench.launcher, losses, partial, verdict, 0))
        found.append([array.tobytes() for array in (x, losses, dW, db, rows, verdict)])
    assert found[0] == found[1]
