"""A window on the GPU: loss, every gradient and the state against NumPy in float64, three windows in a row.

The first window loads the kernels, the second is captured, the third is a replay of the graph.
"""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Network, Parameters, Regularization
from chargru.engine.backend import open_device
from chargru.engine.device_network import DeviceNetwork
from chargru.engine.fused.cupy_gru import VARIANTS
from chargru.engine.selfcheck import differs
from chargru.errors import BackendError
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

pytestmark = pytest.mark.gpu

# V, H, L, B, T
SHAPES = [(65, 256, 2, 64, 16), (7, 33, 2, 3, 5), (300, 128, 1, 32, 33), (65, 512, 1, 128, 4), (2, 1, 3, 1, 1),
          (5_000, 64, 1, 16, 8), (65, 1024, 1, 64, 3), (65, 96, 6, 17, 7)]  # fmt: skip
TOLERANCE = {"float32": 1e-4, "tf32": 2e-2}


def off(found, expected):
    return float(np.max(np.abs(found - expected)) / max(float(np.max(np.abs(expected))), 1e-30))


def compare(device, shape, variant):
    """The largest differences, by name, of three windows."""
    V, H, L, B, T = shape
    rng = np.random.default_rng(1)
    config = ModelConfig(V, H, L)
    initial = Parameters.initial(config, 2)
    exact = Parameters(config, np.float64, initial.flat.astype(np.float64))
    here = Parameters(config, np.float32, device.array(initial.flat))
    expected = Network(config, B, T, np.float64)
    found = DeviceNetwork(device, config, B, T, variant=variant)
    worst = {}
    for _ in range(3):
        x, y = rng.integers(0, V, (2, T, B))
        loss = expected.loss_and_gradients(exact, x, y)
        on_device = found.loss_and_gradients(here, *(device.array(ids.astype(np.int32)) for ids in (x, y)))
        pairs = {"loss": (float(device.host(on_device)), loss), "state": (device.host(found.state), expected.state)}
        gradients = Parameters(config, np.float32, device.host(found.gradients.flat))
        pairs |= {name: (gradients[name], expected.gradients[name]) for name in gradients}
        for name, (one, other) in pairs.items():
            worst[name] = max(worst.get(name, 0.0), off(one, other))
    x, y = rng.integers(0, V, (2, T, B))
    losses = found.losses(here, *(device.array(ids.astype(np.int32)) for ids in (x, y)))
    worst["losses"] = off(losses, expected.losses(exact, x, y))
    return worst


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_loss_gradients_and_state_are_the_references(device, shape, variant, record_property):
    worst = compare(device, shape, variant)
    record_property("summary", f"{shape} {variant}: off by {max(worst.values()):.1e} at most")
    assert {name: error for name, error in worst.items() if not error <= TOLERANCE["float32"]} == {}


@pytest.mark.parametrize("shape", SHAPES[:3], ids=str)
def test_tf32_is_near_enough(gpu, shape, record_property):
    worst = compare(gpu("tf32"), shape, None)
    record_property("summary", f"{shape} tf32: off by {max(worst.values()):.1e} at most")
    assert {name: error for name, error in worst.items() if not error <= TOLERANCE["tf32"]} == {}


def test_the_self_check_passes(gpu):
    assert differs(gpu()) == ""
    assert differs(gpu("tf32")) == ""


@needs_compiler
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_dropped_is_what_the_same_kernels_drop_on_the_processor(device, variant):
    config, B, T = ModelConfig(11, 40, 2), 5, 6
    initial = Parameters.initial(config, 2)
    x, y = np.random.default_rng(3).integers(0, 11, (2, T, B)).astype(np.int32)
    found = []
    for each in (device, emulated_device()):
        parameters = Parameters(config, np.float32, each.array(initial.flat))
        network = DeviceNetwork(each, config, B, T, variant=variant)
        ids = [each.array(row) for row in (x, y)]
        losses = [
            float(each.host(network.loss_and_gradients(parameters, *ids, Regularization(0.3, 0.2, 7, step))))
            for step in range(4)
        ]
        found.append((losses, each.host(network.gradients.flat)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-4 * np.abs(found[1][1]).max())


def test_what_does_not_fit_is_one_line_with_what_does_and_the_gpu_goes_on(device):
    rows = 1
    while rows < 1 << 30 and rows * 1024 * 8192 * 40 < 2 * device.memory()[1]:
        rows *= 2
    with pytest.raises(BackendError, match="memory is full") as told:
        DeviceNetwork(device, ModelConfig(65, 8192, 1), rows, 1024)
    assert told.value.hint
    assert compare(device, SHAPES[1], None)["loss"] <= 1e-4


def test_a_second_device_object_computes_the_same(device):
    assert compare(open_device(), SHAPES[1], None)["loss"] == compare(device, SHAPES[1], None)["loss"]
