"""The device that CuPy reaches, with a CuPy that computes on the processor: what is captured, what is replayed.

What it cannot show is whether a real one does the same; `tests/gpu` is for that.
"""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from chargru.config import PRECISIONS, ModelConfig, SamplingConfig, TrainingConfig
from chargru.engine import Device, DeviceLesson, DeviceNetwork, Parameters, Regularization, sample_many
from chargru.engine.fused.kernels import GRU
from chargru.engine.fused.variants import variants_for
from chargru.errors import BackendError
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler
from tests.engine.cuda_on_cpu.fake_cupy import FakeCupy

MODEL = ModelConfig(vocab_size=6, hidden_size=18, num_layers=2)
TEXT = np.random.default_rng(1).integers(0, 6, 500)
TRAINING = TrainingConfig(
    steps=9, batch_size=5, seq_len=7, dropout=0.2, weight_drop=0.1, state_reset=0.1, weight_decay=0.1
)


@pytest.fixture
def cupy(monkeypatch):
    fake = FakeCupy()
    fake.install(monkeypatch)
    return fake


def teach(device, variant, count=9):
    lesson = DeviceLesson(device, TEXT, MODEL, TRAINING, variant=variant)
    for _ in range(count):
        lesson.update(0.01)
    return lesson


@needs_compiler
@pytest.mark.parametrize(
    ("precision", "variant"), [(each, variant) for each in PRECISIONS for variant in variants_for(each)]
)
def test_a_lesson_through_cupy_is_that_of_the_kernels(cupy, precision, variant):
    found, expected = teach(Device.cupy(precision), variant), teach(emulated_device(precision), variant)
    np.testing.assert_allclose(found.collect(), expected.collect(), rtol=1e-4)
    for one, other in zip(found.arrays(), expected.arrays(), strict=True):
        assert type(one) is np.ndarray
        np.testing.assert_allclose(one, other, atol=2e-4)
    assert not cupy.streams, "the device's stream is still current"


@needs_compiler
def test_whatever_stands_between_two_products_is_captured_once_and_replayed(cupy):
    teach(Device.cupy(), "fused", count=9)
    T, L = TRAINING.seq_len, MODEL.num_layers
    names = [[launch[0] for launch in graph.launches] for graph in cupy.graphs]
    forward, backward = ["gru_gates", "gru_candidate"] * T, ["gru_back_first", "gru_back_second"] * (T - 1)
    backward = ["back_start", *backward, "gru_back_first", "sum_columns", "add_partials"]
    assert names == [
        L * ["drop", "drop", "drop", "transpose", "transpose"],
        ["begin_states", "gather_rows", *forward],
        [*forward, "drop"],
        ["cross_entropy", "sum_all", "finish_sum"],
        ["sum_columns", "add_partials", "drop", *backward],
        ["drop", "drop", *backward, "sum_rows_by_id"],
        ["drop", "drop"],
        ["sum_all", "finish_sum", "judge", "adam", "end_states"],
    ]
    assert [graph.launched for graph in cupy.graphs] == [8] * 8  # the first update loads the kernels


@needs_compiler
@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_steps_on_tensor_cores_are_captured_with_what_they_round(cupy, precision):
    teach(Device.cupy(precision), "tensor", count=3)
    T = TRAINING.seq_len
    names = [[launch[0] for launch in graph.launches] for graph in cupy.graphs]
    forward, backward = ["tensor_gates", "tensor_candidate"] * T, ["tensor_back_first", "tensor_back_second"] * (T - 1)
    assert names[0][:7] == [*["drop"] * 3, *["lower_columns"] * 2, *["lower_rows"] * 2]
    assert names[1] == ["begin_states", "gather_rows", "lower_rows", *forward]
    assert names[4][3:-3] == ["tensor_back_start", *backward]
    assert [source.files[-1] for source in cupy.compiled] == ["gru.cu", "lower.cu", "tensor.cu"]
    assert set(cupy.math_modes) == {3}


@needs_compiler
def test_nothing_is_captured_that_calls_cublas(cupy):
    teach(Device.cupy(), "gemm", count=3)
    assert not cupy.graphs


@needs_compiler
@pytest.mark.parametrize("variant", ["gemm", "fused"])
def test_tf32_is_for_the_large_products_only(cupy, variant):
    teach(Device.cupy("tf32"), variant, count=1)
    T, L = TRAINING.seq_len, MODEL.num_layers
    large = 3 + 2 * L + 3 * (L - 1)  # the output's, dU of each layer, input products above the first
    steps = L * (2 * T + 2 * T - 1) if variant == "gemm" else 0
    assert (cupy.math_modes.count(3), cupy.math_modes.count(0)) == (large, steps)
    cupy.math_modes.clear()
    teach(Device.cupy("float32"), variant, count=1)
    assert set(cupy.math_modes) == {0}


@needs_compiler
def test_evaluation_through_cupy(cupy):
    found = []
    for device in (Device.cupy(), emulated_device()):
        network = DeviceNetwork(device, MODEL, 5, 7, train=False, variant="fused")
        parameters = Parameters(MODEL, buffer=device.array(Parameters.initial(MODEL, 1).flat))
        ids = [device.array(TEXT[i : i + 35].reshape(7, 5).astype(np.int32)) for i in (0, 1)]
        found.append([network.losses(parameters, *ids, pack=pack) for pack in (True, False, False)])
    np.testing.assert_allclose(*found, rtol=1e-5)


@needs_compiler
def test_a_loss_is_not_waited_for(cupy):
    device = Device.cupy()
    network = DeviceNetwork(device, MODEL, 5, 7)
    parameters = Parameters(MODEL, buffer=device.array(Parameters.initial(MODEL, 1).flat))
    ids = [device.array(TEXT[i : i + 35].reshape(7, 5).astype(np.int32)) for i in (0, 1)]
    loss = network.loss_and_gradients(parameters, *ids, Regularization(0.1, 0.1))
    assert isinstance(loss, np.ndarray)
    assert loss.shape == ()
    assert float(device.host(loss)) == pytest.approx(np.log(6), abs=0.5)


@needs_compiler
def test_drawing_is_one_graph_a_character(cupy):
    parameters = Parameters.initial(MODEL, 1)
    config = SamplingConfig(length=7, count=3, seed=1)
    found = []
    for device in (Device.cupy(), emulated_device()):
        chunks = sample_many(device, parameters, [TEXT[:4], TEXT[:2]], config, chunk=3)
        found.append(np.concatenate([chunk.ids for chunk in chunks], axis=1))
    assert np.array_equal(*found)
    assert sorted(graph.launched for graph in cupy.graphs) == [3, 6]  # the first time of both is not a graph's


def test_facts(cupy):
    facts = Device.cupy().facts
    assert (facts.name, facts.compute_capability, facts.memory) == ("A fake GPU", "9.0", 8 << 30)
    assert facts.multiprocessors == 132
    assert Device.cupy().memory() == (7 << 30, 8 << 30)


@pytest.mark.parametrize(
    ("settings", "precision", "message"),
    [
        ({"error": 35}, "float32", "driver is missing or too old"),
        ({"error": 100}, "float32", "no NVIDIA GPU"),
        ({"error": 999}, "float32", "CUDA does not start: cudaErrorNumber999"),
        ({"devices": 0}, "float32", "no NVIDIA GPU"),
        ({"capability": "75"}, "tf32", "no tf32"),
        ({"capability": "75"}, "bf16", "no bf16"),
        ({}, "fp8", "no fp8 kernels"),
    ],
)
def test_why_there_is_no_device(monkeypatch, settings, precision, message):
    FakeCupy(**settings).install(monkeypatch)
    with pytest.raises(BackendError, match=message) as error:
        Device.cupy(precision)
    assert error.value.hint
    assert "\n" not in error.value.message


def test_no_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(BackendError, match="CuPy") as error:
        Device.cupy()
    assert error.value.hint


def test_kernels_that_do_not_compile_are_told_in_one_line(cupy):
    device = Device.cupy()

    def refuse(name):
        raise cupy.cuda.compiler.CompileException("gru.cu(1): error: no\nand more")

    device.launcher._modules[GRU] = types.SimpleNamespace(get_function=refuse)
    with pytest.raises(BackendError, match=r"could not be compiled: gru.cu\(1\): error: no$"):
        DeviceNetwork(device, MODEL, 2, 2).losses(
            Parameters(MODEL, buffer=device.array(Parameters(MODEL).flat)),
            *[device.array(np.zeros((2, 2), np.int32))] * 2,
        )


def test_kernels_that_cannot_be_loaded_are_told_in_one_line(cupy):
    device = Device.cupy()

    def refuse(name):
        raise errors[name]

    device.launcher._modules[GRU] = types.SimpleNamespace(get_function=refuse)
    errors = {}
    for error, told in (
        (RuntimeError("CuPy failed to load libnvrtc.so.13\nand more"), "a library of CUDA is missing: libnvrtc.so.13$"),
        (RuntimeError("something else\nand more"), "cannot be loaded: something else$"),
        (PermissionError(13, "Permission denied"), "the GPU kernels cannot be kept: Permission denied$"),
        (cupy.cuda.runtime.CUDARuntimeError(209), "the GPU is too old"),
        (cupy.cuda.runtime.CUDARuntimeError(2), "the GPU's memory is full"),
    ):
        errors["adam"] = error
        with pytest.raises(BackendError, match=told):
            device.launcher.launch("adam", (1, 1, 1), (1, 1, 1), ())


def test_full_memories_of_every_kind_are_known(cupy):
    device = Device.cupy()
    full = type("CUDADriverError", (RuntimeError,), {"status": 2})()
    other = type("CUDADriverError", (RuntimeError,), {"status": 7})()
    cublas = type("CUBLASError", (RuntimeError,), {"status": 3})()
    kinds = (MemoryError(), full, cublas, other, KeyError(), cupy.cuda.runtime.CUDARuntimeError(2))
    assert [device.is_memory_error(each) for each in kinds] == [True, True, True, False, False, True]


def test_work_that_fails_leaves_no_stream_capturing(cupy):
    device, calls = Device.cupy(), []

    def work():
        calls.append(1)
        if len(calls) == 2:
            raise KeyError

    graph = device.captured(work)
    graph()
    with pytest.raises(KeyError):
        graph()
    assert not device._stream.is_capturing()
    assert not cupy.streams
    graph()
    graph()
    assert len(calls) == 3
    assert cupy.graphs[-1].launched == 2
