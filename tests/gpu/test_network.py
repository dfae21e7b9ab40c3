"""A window on the GPU: loss, every gradient and the state against NumPy in float64, three windows in a row.

The first window loads the kernels, the second is captured, the third is a replay of the graph.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from chargru.config import PRECISIONS, ModelConfig
from chargru.engine import Network, Parameters, Regularization
from chargru.engine.backend import open_device
from chargru.engine.device_network import DeviceNetwork
from chargru.engine.fused.cupy_gru import run
from chargru.engine.fused.tensor_gru import TensorLayer, TensorSequence
from chargru.engine.fused.tensor_launches import LOW, TILES
from chargru.engine.fused.variants import variants_for
from chargru.engine.selfcheck import differs
from chargru.errors import BackendError
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

pytestmark = pytest.mark.gpu

# V, H, L, B, T
SHAPES = [(65, 256, 2, 64, 16), (7, 33, 2, 3, 5), (300, 128, 1, 32, 33), (65, 512, 1, 128, 4), (2, 1, 3, 1, 1),
          (5_000, 64, 1, 16, 8), (65, 1024, 1, 64, 3), (65, 96, 6, 17, 7)]  # fmt: skip
TOLERANCE = {"float32": 1e-4, "tf32": 2e-2, "bf16": 6e-2}
# "gemm" and "fused" multiply float32 in TF32 too; what cuBLAS rounds there, "tensor" shows as well
WAYS = [
    (each, variant) for each in PRECISIONS for variant in variants_for(each) if each == "float32" or variant == "tensor"
]
every_way = pytest.mark.parametrize(("precision", "variant"), WAYS)


def off(found, expected):
    return float(np.max(np.abs(found - expected)) / max(float(np.max(np.abs(expected))), 1e-30))


@functools.cache
def reference(shape):
    """Weights, ids of four windows, and what the first three and the scores of the last are in float64."""
    V, H, L, B, T = shape
    config = ModelConfig(V, H, L)
    initial = Parameters.initial(config, 2)
    exact = Parameters(config, np.float64, initial.flat.astype(np.float64))
    network = Network(config, B, T, np.float64)
    ids = np.random.default_rng(1).integers(0, V, (4, 2, T, B))
    windows = []
    for x, y in ids[:3]:
        loss = network.loss_and_gradients(exact, x, y)
        gradients = {name: network.gradients[name].copy() for name in network.gradients}
        windows.append({"loss": np.array(loss), "state": network.state.copy(), **gradients})
    return initial, ids.astype(np.int32), windows, network.losses(exact, *ids[3])


def compare(device, shape, variant):
    """The largest differences, by name, of three windows."""
    V, H, L, B, T = shape
    config = ModelConfig(V, H, L)
    initial, ids, windows, scores = reference(shape)
    here = Parameters(config, np.float32, device.array(initial.flat))
    network = DeviceNetwork(device, config, B, T, variant=variant)
    worst = {}
    for window, expected in zip(ids, windows, strict=False):
        loss = network.loss_and_gradients(here, *map(device.array, window))
        gradients = Parameters(config, np.float32, device.host(network.gradients.flat))
        found = {"loss": device.host(loss), "state": device.host(network.state), **{n: gradients[n] for n in gradients}}
        for name, other in expected.items():
            worst[name] = max(worst.get(name, 0.0), off(found[name], other))
    worst["losses"] = off(network.losses(here, *map(device.array, ids[3])), scores)
    return worst


@every_way
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_loss_gradients_and_state_are_the_references(gpu, shape, precision, variant, record_property):
    worst = compare(gpu(precision), shape, variant)
    record_property("summary", f"{shape} {precision} {variant}: off by {max(worst.values()):.1e} at most")
    assert {name: error for name, error in worst.items() if not error <= TOLERANCE[precision]} == {}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_quickest_variant_is_one_that_computes_right(gpu, precision):
    assert compare(gpu(precision), SHAPES[0], None)["loss"] <= TOLERANCE[precision]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_self_check_passes(gpu, precision):
    assert differs(gpu(precision)) == ""


@pytest.mark.parametrize("precision", LOW)
@pytest.mark.parametrize(("T", "B", "H"), [(3, 70, 200), (2, 5, 33)])
def test_every_tile_computes_the_same(gpu, T, B, H, precision):
    """They multiply the same rounded numbers; only sums go in another order, which may turn a rounding now and then."""
    device, found = gpu(precision), []
    for tile in TILES:
        rng = np.random.default_rng(1)
        with device.active():
            weights = TensorLayer(device, H, train=True)
            sequence = TensorSequence(device, weights, device.xp.zeros((T + 1, B, H), "float32"), train=True, tile=tile)
            for array in (weights.U_zr, weights.U_h, weights.b, sequence.h[0], sequence.a, sequence.dh):
                device.copy(rng.normal(0, H**-0.5, array.shape).astype(np.float32), array)
            run([*weights.copies(), *sequence.forward, *sequence.backward])
        found.append([device.host(each) for each in (sequence.h, sequence.a, sequence.s, sequence.da)])
    for other in found[1:]:
        for one, expected in zip(other, found[0], strict=True):
            assert off(one, expected) <= 0.1 * TOLERANCE[precision]


@needs_compiler
@every_way
def test_what_is_dropped_is_what_the_same_kernels_drop_on_the_processor(gpu, precision, variant):
    config, B, T = ModelConfig(11, 40, 2), 5, 6
    initial = Parameters.initial(config, 2)
    x, y = np.random.default_rng(3).integers(0, 11, (2, T, B)).astype(np.int32)
    found = []
    for each in (gpu(precision), emulated_device(precision)):
        parameters = Parameters(config, np.float32, each.array(initial.flat))
        network = DeviceNetwork(each, config, B, T, variant=variant)
        ids = [each.array(row) for row in (x, y)]
        losses = [
            float(each.host(network.loss_and_gradients(parameters, *ids, Regularization(0.3, 0.2, 7, step))))
            for step in range(4)
        ]
        found.append((losses, each.host(network.gradients.flat)))
    allowed = TOLERANCE[precision]
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=0.1 * allowed)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=allowed * np.abs(found[1][1]).max())


def test_what_does_not_fit_is_one_line_with_what_does_and_the_gpu_goes_on(device):
    rows = 1
    while rows < 1 << 30 and rows * 1024 * 8192 * 40 < 2 * device.memory()[1]:
        rows *= 2
    with pytest.raises(BackendError, match="memory is full") as told:
        DeviceNetwork(device, ModelConfig(65, 8192, 1), rows, 1024)
    assert told.value.hint
    del told  # its traceback holds what was half built
    device.free_pool()
    assert compare(device, SHAPES[1], None)["loss"] <= 1e-4


def test_a_second_device_object_computes_the_same(device):
    assert compare(open_device(), SHAPES[1], "fused")["loss"] == compare(device, SHAPES[1], "fused")["loss"]
